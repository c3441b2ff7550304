"""Files that nobody can read: they stop what they are asked about, and nothing else."""

from __future__ import annotations

import json

import pytest
from test_world import NETWORK, STACKS, make, value

BAD = "version: 1\nproject: small\nstacks:\n  network: {path: network, test: may6}\n"


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """An applied stack, whose last commit nobody can read; the checkout is mended again."""
    small = make(tmp_path_factory.mktemp("broken"))
    small.ends(0, "apply", "network", "--yes")
    small.ends(0, "drift")
    good = (small.repo / "stacks.yaml").read_text()
    small.commit(stacks=BAD)
    (small.repo / "stacks.yaml").write_text(good)
    return small


@pytest.mark.parametrize("words", [("validate",), ("plan", "network")])
def test_the_files_as_they_are_are_read_whatever_is_committed(broken, words):
    broken.ends(0, *words, "--dirty")
    broken.ends(64, *words)


def test_a_first_file_is_written_over_a_committed_one_that_cannot_be_read(broken):
    assert "terraform" in broken.ends(0, "init", "--force", "--dry-run").stdout


@pytest.mark.parametrize(
    "words",
    [
        *(("runs",), ("logs", "1"), ("show", "1"), ("audit", "verify"), ("outputs", "network")),
        *(("drift", "--show"), ("drift", "--history", "network")),
    ],
)
def test_what_the_record_knows_is_told_whatever_is_committed(broken, words):
    broken.ends(0, *words)


def test_what_the_record_refuses_is_refused_for_its_own_reason(broken):
    for code, words in (("HF-1914", ("cancel", "1")), ("HF-1913", ("unlock", "network"))):
        broken.refused(64, code, *words)


def test_stacks_of_the_last_readable_revision_are_what_a_suspension_names(broken):
    done = broken.ends(0, "suspend", "network", "--reason", "the file is broken")
    assert "HF-1004" in done.stderr
    assert "this goes by" in done.stderr
    broken.ends(0, "resume", "network")


def test_an_emptied_source_keeps_nobody_from_what_the_record_knows(tmp_path):
    small = make(tmp_path)
    small.commit(stacks=(small.repo / "stacks.yaml").read_text().replace("project: small\n", ""))
    small.ends(0, "apply", "network", "--yes")
    small.git("rm", "-rq", ".")
    small.git("commit", "-qm", "empty")
    for words in (("runs",), ("logs", "1"), ("outputs", "network"), ("audit", "verify")):
        small.ends(0, *words)
    (small.repo / "network").mkdir()
    (small.repo / "network" / "main.tf").write_text(NETWORK)
    (small.repo / "stacks.yaml").write_text("version: 1\nstacks: {network: {path: network}}\n")
    small.ends(0, "plan", "--dirty")


def test_a_repository_without_a_commit_is_looked_at_as_it_lies(tmp_path):
    small = make(tmp_path)
    small.git("update-ref", "-d", "HEAD")
    small.git("rm", "-rq", "--cached", ".")
    (small.repo / "stacks.yaml").unlink()
    small.refused(64, "HF-3004", "plan")
    assert "git add -A && git commit" in small.run("plan").stderr
    small.ends(0, "init", "--project", "small")
    assert value(small.ends(0, "validate", "--dirty", "--json"))["stacks"] == 2
    rows = value(small.ends(0, "plan", "network", "--dirty", "--json"))["stacks"]
    assert [row["result"] for row in rows] == ["changes"]
    small.commit(stacks=STACKS.replace("TOOL", "terraform"))
    small.ends(0, "apply", "network", "--yes")


def test_a_folder_that_never_held_anything_is_told_how_to_begin(tmp_path):
    small = make(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = small.run("-C", str(empty), "plan")
    assert done.returncode == 64
    assert "holdfast demo" in done.stderr


def test_files_are_validated_where_the_record_is_another_repositorys(tmp_path):
    small = make(tmp_path)
    small.ends(0, "apply", "network", "--yes")
    other = tmp_path / "other"
    other.mkdir()
    other = make(other)
    # Made in the same second of the same files, its first commit would be the very same: that is how one is known.
    other.git("commit", "--amend", "-qm", "another beginning")
    done = other.run("validate", "--json", HOLDFAST_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stacks"] == 2
    assert other.run("plan", HOLDFAST_HOME=str(tmp_path / "home")).stderr.startswith("HF-4015")


def test_a_typo_that_is_not_committed_yet_points_to_the_files_as_they_are(tmp_path):
    small = make(tmp_path)
    (small.repo / "stacks.yaml").write_text(BAD)
    assert "holdfast validate --dirty" in small.ends(0, "validate").stderr

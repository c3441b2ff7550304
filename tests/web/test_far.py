"""The same commands on the service's own host and from elsewhere: what they print and end in is the same."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fared import Estate

import orchestrator

#: What each command is asked with; none of them changes anything.
READING = [
    ["status"],
    ["status", "-o", "wide", "--check"],
    ["status", "-o", "json"],
    ["status", "--plain", "web"],
    ["status", "n*", "-o", "yaml", "--check"],
    ["status", "nope"],
    ["status", "tool=ansible"],
    ["status", "-e", "nowhere"],
    ["runs"],
    ["runs", "--all", "-n", "3", "-o", "json"],
    ["runs", "--failed"],
    ["runs", "--since", "1h", "--plain"],
    ["show", "2"],
    ["show", "2", "-o", "json"],
    ["show", "999"],
    ["logs", "2"],
    ["logs", "2", "-o", "json"],
    ["logs", "-f", "2", "net", "--plain"],
    ["logs", "net"],
    ["logs", "77"],
    ["show", "db"],
    ["show", "db", "-o", "json"],
    ["show", "net"],
    ["plan"],
    ["plan", "db", "-o", "json"],
    ["plan", "--plain", "--detailed-exitcode"],
    ["plan", "nope"],
    ["plan", "net", "--with-dependents"],
    ["plan", "--destroy", "net", "-o", "json"],
    ["approve", "db"],
    ["approve", "db", "--proposal", "99"],
    ["reject", "net"],
    ["approve", "999"],
    ["outputs", "net"],
    ["outputs", "net", "-o", "json"],
    ["outputs", "net", "cidr"],
    ["outputs", "net", "password"],
    ["outputs", "net", "cdir"],
    ["outputs", "db"],
    ["explain", "web"],
    ["explain", "net", "-o", "json"],
    ["explain", "nope"],
    ["graph"],
    ["graph", "-o", "wide"],
    ["graph", "-o", "json", "web"],
    ["graph", "--format", "mermaid"],
    ["graph", "--format", "svg"],
    ["drift"],
    ["drift", "net", "--plain"],
    ["drift", "--show", "-o", "yaml"],
    ["drift", "--show", "db", "--plain"],
    ["drift", "--history"],
    ["drift", "net", "--heed", "terraform_data.net"],
    ["drift", "net", "--ignore", "a.b"],
    ["unlock", "net"],
    ["resolve", "net"],
    ["resume", "net"],
    ["cancel", "1"],
    ["rollback", "net"],
    ["rollback", "db", "-o", "json"],
    ["rollback", "nope"],
    ["rollback", "net", "--to", "never"],
    ["wait", "net"],
    ["wait", "net", "-o", "json"],
    ["wait", "web", "--timeout", "0s"],
]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(tmp_path_factory.mktemp("estate")).at_work() as made:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        # What is applied without a word comes after what is planned: nothing moves any more once that is done, too.
        made.until(lambda: settled(made))
        yield made


def settled(made: Estate) -> bool:
    """Whether the stack that needs no word was applied, and no run goes on."""
    runs = made.get("/api/v1/runs", made.first).json()["items"]
    stacks = made.get("/api/v1/stacks", made.first).json()["items"]
    applied = [one for one in stacks if one["stack"] == "net" and one["applied_at"]]
    return all(one["ended_at"] for one in runs) and bool(applied)


def alike(text: str) -> str:
    """Leave out how long ago something was: it goes on between two commands, and widens its column."""
    return re.sub(r" +", " ", re.sub(r"\b\d+ (s|min)\b", "AGE", text))


@pytest.mark.needs("terraform")
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_is_read_is_the_same_from_elsewhere(estate: Estate, words: list[str]) -> None:
    here, far = estate.here(*words), estate.far(*words)
    assert (far.returncode, alike(far.stdout)) == (here.returncode, alike(here.stdout)), far.stderr
    if here.returncode:
        assert far.stderr.splitlines()[:1] == here.stderr.splitlines()[:1]


@pytest.mark.needs("terraform")
def test_a_token_that_does_not_count_is_refused_and_never_shown(estate: Estate) -> None:
    found = estate.far("status", token="hf_c4n4ry_of_nobody")
    assert (found.returncode, found.stdout, found.stderr[:7]) == (4, "", "HF-4121")
    assert "c4n4ry" not in found.stderr


@pytest.mark.needs("terraform")
def test_what_only_this_host_or_that_one_has_is_said_so(estate: Estate) -> None:
    for words in (
        ["plan", "--dirty"],
        ["plan", "--changed-since", "HEAD"],
        ["mv", "a", "b"],
        ["show", "db", "--track", "x"],
        ["apply", "--plan", "/"],
        ["plan", "--out", "/nowhere"],
        ["plan", "--summary", "/nowhere"],
        ["plan", "--comment"],
        ["apply", "--outputs", "/nowhere"],
    ):
        found = estate.far(*words)
        assert (found.returncode, found.stderr[:7]) == (64, "HF-1915"), words


@pytest.mark.needs("terraform")
def test_doctor_looks_at_the_service_and_not_for_files_of_its_own(estate: Estate) -> None:
    found = json.loads(estate.far("doctor", "-o", "json").stdout)["checks"]
    assert [one["found"] for one in found if one["name"] == "service"] == [
        f"{estate.url} answers: {orchestrator.__version__}, to token:ana"
    ]
    assert not [one for one in found if one["name"] == "configuration"]
    refused = estate.far("doctor", "-o", "json", token="hf_c4n4ry_of_nobody")
    (bad,) = [one for one in json.loads(refused.stdout)["checks"] if one["name"] == "service"]
    assert (refused.returncode, bad["verdict"], bad["found"][:7]) == (1, "bad", "HF-4121")


@pytest.mark.needs("terraform")
def test_what_is_another_s_is_not_there(estate: Estate) -> None:
    token = estate.token("far-runner", "runner")
    for words in (["show", "net"], ["plan", "net"], ["apply", "net", "--yes"], ["approve", "web", "--proposal", "1"]):
        found = estate.far(*words, token=token)
        absent = estate.far(*[word.replace("net", "nix").replace("web", "nix") for word in words], token=token)
        assert (found.returncode, found.stdout) == (absent.returncode, absent.stdout) == (64, "")
        name = next(word for word in words if word in {"net", "web"})
        assert found.stderr.replace(name, "nix") == absent.stderr
    assert [line.split()[0] for line in estate.far("status", "--plain", token=token).stdout.splitlines()] == ["db"]
    found = estate.far("plan", token=estate.token("far-viewer", "view"))
    assert (found.returncode, found.stderr[:7]) == (4, "HF-4122")


@pytest.mark.needs("terraform")
def test_a_plan_is_shown_asked_about_and_applied_as_it_was_seen(tmp_path: Path) -> None:
    with Estate(tmp_path).at_work() as made:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        asked = made.far("apply", "db")
        assert (asked.returncode, "waits for a yes" in asked.stdout) == (3, True)
        assert "--yes says it beforehand" in asked.stderr
        done = made.far("apply", "db", "--yes", "--reason", "seen")
        assert (done.returncode, "✓ done" in done.stdout) == (0, True), done.stderr
        assert "+ terraform_data.db" in done.stderr
        # What was approved is applied by the service itself.
        (number,) = re.findall(r"approve web --proposal (\d+)", made.far("show", "web").stderr)
        yes = made.far("approve", "web", "--proposal", number, "--reason", "fine", "-o", "json")
        assert '"by": "ana@acme.example"' in yes.stdout
        assert made.far("wait", "--timeout", "60s").returncode == 0
        checked = made.far("apply", "db", "--verify")
        assert (checked.returncode, "No drift in 1 stack." in checked.stdout) == (0, True), checked.stderr
        again = made.far("apply")
        assert (again.returncode, again.stdout) == (0, made.here("apply").stdout)
        # A plan of what is newest: the service looks at its source first.
        (made.lab / "db" / "main.tf").write_text('resource "terraform_data" "db" {\n  triggers_replace = "x"\n}\n')
        assert "replaces" in made.far("plan", "db").stdout or "±1" in made.far("plan", "db").stdout
        grave = made.far("apply", "db", "--yes")
        assert (grave.returncode, "asks for its name: --confirm db" in grave.stderr) == (3, True)
        (number,) = re.findall(r"approve db --proposal (\d+)", made.far("show", "db").stderr)
        no = made.far("reject", "db", "--proposal", number)
        assert (no.returncode, no.stderr.splitlines()[0]) == (0, "rejected db  as ana@acme.example")
        assert made.far("apply", "db", "--confirm", "db").returncode == 4
        assert made.far("plan", "db").returncode == 0
        assert made.far("apply", "db", "--confirm", "db").returncode == 0
        assert made.far("runs", "--failed").stdout == made.here("runs", "--failed").stdout
        goes_back(made)
    assert "Traceback" not in made.said


def unnamed(text: str) -> str:
    """Leave out who holds a stack: here it is whoever runs the tests."""
    return re.sub(r" by \S+:", " by X:", text)


def goes_back(made: Estate) -> None:
    """Roll `db` back, which was replaced before: without a yes nothing is left of it, with one it stays there."""
    for words in (["rollback", "db", "--yes"], ["rollback", "db", "--confirm", "web", "--plain"]):
        here, far = made.here(*words), made.far(*words)
        assert (here.returncode, far.returncode) == (3, 3), far.stderr
        assert unnamed(far.stdout) == unnamed(here.stdout)
        assert far.stderr.splitlines()[-2:] == here.stderr.splitlines()[-2:]
        assert json.loads(made.here("status", "db", "-o", "json").stdout)["stacks"][0]["hold"] is None
    done = made.far("rollback", "db", "--confirm", "db", "--reason", "it broke")
    assert (done.returncode, "✓ done" in done.stdout) == (0, True), done.stderr
    held = re.search(
        r"^db is held at [0-9a-f]{7} by ana@acme.example \(it broke\): holdfast resume db$", done.stderr, re.MULTILINE
    )
    assert held is not None, done.stderr
    assert "Next:  holdfast resume db" in done.stderr
    assert made.here("status", "db", "-o", "json").stdout == made.far("status", "db", "-o", "json").stdout
    # Where it stands there already there is nothing to ask.
    again = json.loads(made.here("status", "db", "-o", "json").stdout)
    words = ["rollback", "db", "--to", again["stacks"][0]["hold"]["revision"], "-o", "json"]
    here, far = made.here(*words), made.far(*words)
    assert (far.returncode, unnamed(far.stdout)) == (here.returncode, unnamed(here.stdout)), far.stderr
    assert made.far("resume", "db").stderr.startswith("db follows its source again\n")


@pytest.mark.needs("terraform")
def test_what_is_said_from_elsewhere_is_what_is_recorded_here(tmp_path: Path) -> None:
    with Estate(tmp_path).at_work() as made:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        rest = made.far("suspend", "n*", "--until", "2099-01-01", "--reason", "holidays", "-o", "json")
        assert json.loads(rest.stdout)["suspended"] == ["net"]
        assert made.here("status", "net", "-o", "json").stdout == made.far("status", "net", "-o", "json").stdout
        assert "holidays" in made.here("status", "net").stdout
        assert made.far("resume", "net").stderr.startswith("lifted the suspension of net: holidays\n")
        every = json.loads(made.far("suspend", "--reason", "all", "-o", "json").stdout)
        assert (every["suspended"], every["everything"]) == ([], True)
        assert "all" in made.here("status", "net").stdout
        assert made.far("resume").stderr.startswith("lifted the suspension of everything: all\n")
        here, far = made.here("resume"), made.far("resume")
        assert (far.returncode, far.stderr.splitlines()[0]) == (here.returncode, here.stderr.splitlines()[0])
        assert made.far("suspend", "--reason", "x", token=made.token("far-runner", "runner")).returncode == 4
        (number,) = re.findall(r"proposal (\d+)", made.far("show", "db").stdout)
        made.far("drift", "net", "--ignore", "terraform_data.net#x", "--until", "30d", "--reason", "known")
        here, far = (side("drift", "--history", "net") for side in (made.here, made.far))
        assert (here.stdout, here.returncode) == (far.stdout, far.returncode)
        assert made.far("drift", "net", "--heed", "terraform_data.net#x").returncode == 0
        assert made.far("drift", "--answer").stderr.startswith("HF-1915")
        assert made.far("reject", "db", "--proposal", number, "--plain").stdout == "rejected db  as ana@acme.example\n"
        assert made.here("status", "--plain", "db").stdout == made.far("status", "--plain", "db").stdout


@pytest.mark.full
@pytest.mark.needs("terraform")
def test_a_service_that_dies_in_the_middle_leaves_whoever_asked_with_what_is_known(tmp_path: Path) -> None:
    made, pipe = Estate(tmp_path), tmp_path / "pipe"
    os.mkfifo(pipe)
    (made.lab / "db" / "main.tf").write_text(
        f'resource "terraform_data" "db" {{\n  provisioner "local-exec" {{\n    command = "cat {pipe}"\n  }}\n}}\n'
    )
    with made.at_work(), ThreadPoolExecutor(1) as pool:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        waits = pool.submit(made.far, "apply", "db", "--yes")
        made.until(lambda: made.get("/api/v1/stacks/lab/db@default", made.first).json()["health"] == "Progressing")
        made.process.kill()
        found = waits.result(120)
        assert (found.returncode, found.stdout) == (1, "")
        (run,) = re.findall(r"run (\d+) was asked for, and what it began goes on", found.stderr)
        assert "HF-4804" in found.stderr
        assert f"hint  holdfast show {run}" in found.stderr
        gone = made.far("status")
        assert (gone.returncode, gone.stderr[:7]) == (1, "HF-4800")
        # The keeper is at work still: let it end.
        pipe.write_text("go on\n")
        made.process.wait(60)
    with made.at_work():
        assert made.far("wait", "db", "--timeout", "60s").returncode == 0
        assert made.far("show", run).stdout == made.here("show", run).stdout

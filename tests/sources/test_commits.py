"""What a revision brings to a stack, read out of real repositories: which commits, and what they say."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest
from repositories import Repository, Yard, directory_source, git_source
from test_signatures import allow, signing_with_ssh

from orchestrator.effects.git_commits import LONGEST, MOST
from orchestrator.errors import SourceError
from orchestrator.model.intent import Permit, Purpose
from orchestrator.rules.intent import note_of

WEB = [PurePosixPath("web")]


def covered(yard: Yard, repository: Repository, since: str, paths=WEB, **settings):
    source = git_source(repository.path, **settings)
    yard.sources.read(source)
    return yard.sources.commits(source, repository.head(), since, paths)


def crafted(repository: Repository, message: bytes, *headers: str) -> str:
    """Put a commit on the branch that git itself would not write."""
    tree, parent = repository.git("rev-parse", "HEAD^{tree}"), repository.head()
    (repository.path / "web").mkdir(exist_ok=True)
    lines = [f"tree {tree}", f"parent {parent}", *headers]
    made = repository.git(
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--literally",
        "--stdin",
        stdin="\n".join(lines).encode() + b"\n\n" + message,
    )
    repository.git("reset", "-q", "--hard", made)
    return made


def test_only_what_came_since_and_touches_the_stack_is_there_the_newest_first(yard, repository) -> None:
    since = repository.commit({"web/main.tf": "# before\n"})
    one = repository.commit({"web/main.tf": "# one\n"}, "one")
    repository.commit({"README.md": "words\n"}, "elsewhere")
    two = repository.commit({"web/main.tf": "# two\n"}, "two\n\nBody.")
    found = covered(yard, repository, since)
    assert [commit.id for commit in found.commits] == [two, one]
    assert (found.count, found.whole) == (2, True)
    newest = found.commits[0]
    assert (newest.message, newest.author, newest.email) == ("two\n\nBody.", "Ada", "ada@example.org")
    assert (newest.written_at, newest.committed_at, newest.parents) == (1750000000, 1750000000, 1)
    assert covered(yard, repository, two).commits == ()
    everything = covered(yard, repository, since, [PurePosixPath(), PurePosixPath("web")])
    assert everything.count == 3


def test_the_merge_that_brought_a_change_is_among_them_and_names_its_pull_request(yard, repository) -> None:
    since = repository.head()
    repository.git("checkout", "-q", "-b", "change")
    change = repository.commit({"web/main.tf": "# one\n"}, "one\n\nIncident: INC-481")
    repository.git("checkout", "-q", "main")
    repository.commit({"README.md": "words\n"}, "elsewhere")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge pull request #12 from acme/change", "change")
    found = covered(yard, repository, since)
    notes = [note_of(commit) for commit in found.commits]
    assert [(note.id, note.merge, note.pull) for note in notes] == [
        (repository.head(), True, 12),
        (change, False, 0),
    ]
    assert notes[1].incidents == ("INC-481",)


def test_where_nothing_was_applied_yet_it_is_what_the_last_change_brought(yard, repository) -> None:
    repository.commit({"web/main.tf": "# old\n"}, "hotfix: of last year")
    repository.git("checkout", "-q", "-b", "change")
    one, two = (repository.commit({"web/main.tf": f"# {name}\n"}, name) for name in ("one", "two"))
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "bring it", "change")
    merge = repository.head()
    repository.commit({"README.md": "words\n"}, "elsewhere")
    for since in ("", "0" * 40):
        found = covered(yard, repository, since)
        assert {commit.id for commit in found.commits} == {merge, one, two}
        assert not found.whole
    assert covered(yard, repository, "", [PurePosixPath("nowhere")]).count == 0
    root = covered(yard, repository, "", [PurePosixPath("modules")])
    assert [commit.message for commit in root.commits] == ["first"]


def test_a_shallow_clone_tells_what_it_has(yard, repository, tmp_path) -> None:
    since = repository.head()
    repository.commit({"web/main.tf": "# one\n"}, "one")
    repository.commit({"web/main.tf": "# two\n"}, "two")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repository.path}", clone], check=True, timeout=60)
    found = covered(yard, Repository(clone), since)
    assert [commit.message for commit in found.commits] == ["two"]
    assert not found.whole


def test_going_back_brings_nothing(yard, repository) -> None:
    before = repository.head()
    after = repository.commit({"web/main.tf": "# one\n"}, "one")
    source = git_source(repository.path)
    yard.sources.read(source)
    assert yard.sources.commits(source, before, after, WEB).commits == ()
    assert yard.sources.lacking(source, before, after) == 1


def test_trailers_are_read_as_git_has_them(yard, repository) -> None:
    since = repository.head()
    message = """fix(api)!: a leak

Incident: INC-1 is no trailer here.

BREAKING CHANGE: the port is another
and so is the host
Fixes #12
Incident: INC-481
INCIDENT: INC-482
Deploy-Intent: hotfix
Runbook: runbooks/web.md
  #failover
Holdfast-Allow: destroy(prod/network)
"""
    repository.commit({"web/main.tf": "# one\n"}, message)
    note = note_of(covered(yard, repository, since).commits[0])
    assert note.incidents == ("INC-481", "INC-482")
    assert (note.purpose, note.stated, note.breaking) == (Purpose.HOTFIX, True, True)
    assert note.runbooks == ("runbooks/web.md #failover",)
    assert note.permits == (Permit(act="destroy", of="prod/network"),)
    assert [link.ref for link in note.links] == ["#12"]
    assert note.verified is None


def test_what_git_writes_when_it_takes_a_commit_back_is_known(yard, repository) -> None:
    since = repository.commit({"web/main.tf": "# one\n"}, "one")
    repository.git("revert", "--no-edit", since)
    note = note_of(covered(yard, repository, since).commits[0])
    assert (note.purpose, note.stated, note.reverts) == (Purpose.ROLLBACK, False, (since,))


def test_however_many_there_are_the_newest_are_read_and_all_are_counted(yard, repository) -> None:
    since = repository.head()
    many = MOST + 7
    parent = f"\nfrom {since}"
    stream = "".join(
        f"commit refs/heads/main\ncommitter Bo <bo@example.org> {1750000000 + n} +0000\ndata 4\n{n:04}"
        f"{'' if n else parent}\nM 100644 inline web/main.tf\ndata 4\n{n:04}\n"
        for n in range(many)
    )
    repository.git("fast-import", "--quiet", stdin=stream.encode())
    found = covered(yard, repository, since)
    assert (len(found.commits), found.count) == (MOST, many)
    assert [commit.message for commit in (found.commits[0], found.commits[-1])] == [f"{many - 1:04}", "0007"]


@pytest.mark.parametrize(
    ("message", "headers", "author"),
    [
        (b"\xff\xfe\x00\x1b[2J \x1e\x1f\n\nIncident: INC\x1e-1\x1fx\n", ["author A <a@x> 1 +0000"], "A"),
        (b"x", ["author \xc3 <> 99999999999999999999999 +0000"], "\xc3"),
        (b"x", ["author"], ""),
        (b"", ["author A <a@x> 1 +0000", "encoding no-such-thing"], "A"),
    ],
)
def test_a_commit_that_no_git_would_write_hurts_nobody(yard, repository, message, headers, author) -> None:
    since = repository.head()
    crafted(repository, message, *headers, "committer C <c@x> 5 +0000")
    found = covered(yard, repository, since, [PurePosixPath()])
    assert found.count == 1
    assert found.commits[0].author == author
    assert note_of(found.commits[0]).subject.isprintable()


def test_a_message_that_nobody_wrote_by_hand_is_not_read(yard, repository) -> None:
    since = repository.head()
    people = ("author A <a@x> 1 +0000", "committer C <c@x> 5 +0000")
    long = crafted(repository, b"Incident: INC-1\n" * (LONGEST // 8), *people)
    short = crafted(repository, b"short", *people)
    found = covered(yard, repository, since, [PurePosixPath()])
    assert [(one.id, one.message, bool(one.too_long)) for one in found.commits] == [
        (short, "short", False),
        (long, "", True),
    ]
    assert note_of(found.commits[1]).unread.endswith("bytes long")


@pytest.mark.needs("ssh-keygen")
def test_a_permit_is_looked_at_for_the_signature_of_one_of_the_signers(yard, repository, tmp_path: Path) -> None:
    since = repository.head()
    permit = "x\n\nHoldfast-Allow: destroy(web)"
    unsigned = repository.commit({"web/main.tf": "# one\n"}, permit)
    signing_with_ssh(repository, tmp_path / "key")
    signed = repository.commit({"web/main.tf": "# two\n"}, permit, "-S")
    plain = repository.commit({"web/main.tf": "# three\n"}, "no permit", "-S")
    signers = (allow(tmp_path / "allowed", tmp_path / "key"),)
    found = covered(yard, repository, since, signers=signers)
    assert {one.id: one.verified for one in found.commits} == {plain: None, signed: True, unsigned: False}
    assert {one.verified for one in covered(yard, repository, since).commits} == {None}


def test_a_folder_has_no_commits(yard, tmp_path) -> None:
    (tmp_path / "files").mkdir()
    assert yard.sources.commits(directory_source(tmp_path / "files"), "0" * 40, "", WEB).commits == ()


def test_a_revision_that_is_not_there_is_an_error_of_the_source(yard, repository) -> None:
    source = git_source(repository.path)
    yard.sources.read(source)
    for since in ("", repository.head()):
        with pytest.raises(SourceError):
            yard.sources.commits(source, "f" * 40, since, WEB)


def test_who_wrote_a_stack_at_the_root_is_not_lost_beside_other_paths(yard, repository) -> None:
    since = repository.head()
    repository.commit({"web/main.tf": "# one\n"}, "one", "--author=Bo <bo@example.org>")
    source = git_source(repository.path)
    yard.sources.read(source)
    paths = [PurePosixPath(), PurePosixPath("stacks.yaml")]
    assert yard.sources.authors(source, repository.head(), since, paths) == {"bo@example.org"}

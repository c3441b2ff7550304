"""What a branch would be once a pull request is merged into it, with real git and without a working tree."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from repositories import Yard, git_source

from orchestrator.errors import NoSuchRevision, RevisionRejected, SourceError, SourceUnreachable
from orchestrator.model.source import Verify


@pytest.fixture
def source(yard, repository):
    repository.commit({"web/main.tf": "one\ntwo\nthree\n", "db/main.tf": "db\n"})
    found = git_source(repository.path, ref="main")
    yard.sources.read(found)
    return found


def proposed(repository, files, *, since="main", number=7):
    """Commit files on a branch of its own, as a fork has it: only the ref of the pull request leads to it."""
    repository.git("checkout", "-q", "--detach", since)
    head = repository.commit(files, "proposed")
    repository.git("update-ref", f"refs/pull/{number}/head", head)
    repository.git("checkout", "-q", "main")
    return head


def brought(yard, source, repository, files, **more):
    head = proposed(repository, files, **more)
    yard.sources.bring(source, {f"refs/pull/{more.get('number', 7)}/head": head})
    return head


def test_what_only_a_pull_requests_ref_leads_to_is_fetched_once(yard, repository, source):
    head = brought(yard, source, repository, {"web/main.tf": "one\ntwo\nthree\nfour\n"})
    fetches = yard.runs.fetches
    yard.sources.bring(source, {"refs/pull/7/head": head})
    assert yard.runs.fetches == fetches
    assert yard.sources.merged(source, repository.head(), head).id == head


def test_a_ref_that_leads_elsewhere_than_was_said_is_refused(yard, repository, source):
    proposed(repository, {"web/main.tf": "x\n"})
    with pytest.raises(RevisionRejected) as refused:
        yard.sources.bring(source, {"refs/pull/7/head": "d" * 40})
    assert refused.value.code == "HF-3013"


def test_a_ref_that_is_not_there_is_said_so(yard, repository, source):
    with pytest.raises(SourceUnreachable):
        yard.sources.bring(source, {"refs/pull/404/head": "d" * 40})


def test_two_sides_are_put_together_and_always_make_the_same_commit(yard, repository, source):
    head = brought(yard, source, repository, {"web/main.tf": "one\ntwo\nthree\nfour\n"})
    base = repository.commit({"db/main.tf": "moved on\n"})
    yard.sources.read(source)
    merged = yard.sources.merged(source, base, head)
    tree = yard.sources.tree(source, merged.id)
    assert tree.read(PurePosixPath("db/main.tf")) == b"moved on\n"
    assert tree.read(PurePosixPath("web/main.tf")) == b"one\ntwo\nthree\nfour\n"
    assert merged.email == "ada@example.org"
    assert yard.sources.merged(source, base, head) == merged
    assert repository.git("rev-parse", "main") == base, "nothing is written into the repository itself"


def test_another_host_makes_the_same_commit_and_knows_it_once_it_is_pinned(yard, repository, source, tmp_path):
    head = brought(yard, source, repository, {"web/main.tf": "one\ntwo\nthree\nfour\n"})
    base = repository.commit({"db/main.tf": "moved on\n"})
    yard.sources.read(source)
    merged = yard.sources.merged(source, base, head)
    other = Yard(home=tmp_path / "other")
    other.sources.read(source)
    with pytest.raises(NoSuchRevision):
        other.sources.revision(source, merged.id)
    other.sources.bring(source, {"refs/pull/7/head": head})
    assert other.sources.merged(source, base, head) == merged
    other.sources.pin(source, merged.id, merged.id)
    assert other.sources.revision(source, merged.id) == merged


def test_what_leads_to_the_other_is_what_comes_of_it(yard, repository, source):
    base = repository.head()
    head = brought(yard, source, repository, {"web/main.tf": "x\n"})
    assert yard.sources.merged(source, base, head).id == head
    assert yard.sources.merged(source, head, base).id == head


def test_a_conflict_names_the_files(yard, repository, source):
    head = brought(yard, source, repository, {"web/main.tf": "mine\n", "db/main.tf": "mine\n"})
    base = repository.commit({"web/main.tf": "ours\n", "db/main.tf": "ours\n"})
    yard.sources.read(source)
    with pytest.raises(RevisionRejected) as refused:
        yard.sources.merged(source, base, head)
    assert refused.value.code == "HF-3020"
    assert "db/main.tf, web/main.tf" in refused.value.message


def test_without_a_history_in_common_there_is_nothing_to_merge(yard, repository, source):
    base = repository.head()
    repository.git("checkout", "-q", "--orphan", "stranger")
    head = repository.commit({"web/main.tf": "stranger\n"})
    repository.git("update-ref", "refs/pull/7/head", head)
    repository.git("checkout", "-q", "main")
    yard.sources.bring(source, {"refs/pull/7/head": head})
    with pytest.raises(SourceError) as refused:
        yard.sources.merged(source, base, head)
    assert refused.value.code == "HF-3021"


def test_a_merge_driver_that_the_change_brings_is_not_run(yard, repository, source):
    files = {".gitattributes": "*.tf merge=evil\n", "web/main.tf": "zero\none\ntwo\nthree\n"}
    head = brought(yard, source, repository, files)
    marker = repository.path / "ran"
    repository.git("config", "merge.evil.driver", f"touch {marker}")
    base = repository.commit({"web/main.tf": "one\ntwo\nthree\nfour\n"})
    yard.sources.read(source)
    merged = yard.sources.merged(source, base, head)
    assert not marker.exists()
    assert merged.id


def test_where_signatures_are_asked_for_an_unsigned_head_is_refused(yard, repository, source):
    head = brought(yard, source, repository, {"web/main.tf": "x\n"})
    strict = git_source(repository.path, ref="main", verify=Verify.SIGNED, signers=())
    with pytest.raises(SourceError):
        yard.sources.merged(strict, repository.head(), head)

"""Reading a Git source through its mirror: newest revision, names, history, and what becomes of it when it goes bad."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import PurePosixPath

import pytest
from repositories import Repository, Yard, git_source

from orchestrator.errors import RevisionRejected, SourceError, SourceUnreachable

MAIN = PurePosixPath("web/main.tf")


def read(yard, source, **more):
    return yard.sources.read(source, **more)


def code_of(error: pytest.ExceptionInfo[SourceError]) -> str:
    assert error.value.hint
    return error.value.code


def test_the_newest_commit_is_read_with_all_that_it_says_of_itself(yard, repository):
    message = "Widen the network\n\nBecause it was full.\n\nDeploy-Intent: network\nReviewed-by: Bo\nReviewed-by: Cy"
    head = repository.commit({"web/main.tf": "# wider\n"}, message)
    revision = read(yard, git_source(repository.path))
    assert (revision.id, revision.author, revision.email) == (head, "Ada", "ada@example.org")
    assert revision.at == 1750000000
    assert revision.message == message
    assert revision.trailers == {"Deploy-Intent": "network", "Reviewed-by": "Bo, Cy"}
    assert revision.tree == repository.git("rev-parse", "HEAD^{tree}")
    assert revision.verified is None
    assert revision.committed


def test_a_commit_that_the_mirror_holds_starts_no_fetch(yard, repository):
    source = git_source(repository.path)
    read(yard, source)
    assert yard.runs.fetches == 1
    read(yard, source)
    assert yard.runs.fetches == 1
    repository.commit({"web/main.tf": "# two\n"})
    assert read(yard, source).id == repository.head()
    assert yard.runs.fetches == 2


def test_nothing_is_written_into_the_checkout_that_is_read(yard, repository):
    def everything():
        return {path: path.stat().st_mtime_ns for path in repository.path.rglob("*")}

    before = everything()
    read(yard, git_source(repository.path))
    assert everything() == before


def test_a_detached_head_and_a_linked_worktree_are_read_where_they_stand(yard, repository, tmp_path):
    first = repository.head()
    repository.commit({"web/main.tf": "# two\n"})
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), first)
    assert read(yard, git_source(tmp_path / "linked")).id == first


@pytest.mark.parametrize("ref", ["feature", "refs/heads/feature", "v1", "refs/tags/v1", "signed-tag"])
def test_branches_and_tags_are_followed(yard, repository, ref):
    repository.git("branch", "feature")
    repository.git("tag", "v1")
    repository.git("tag", "-a", "-m", "annotated", "signed-tag")
    first = repository.head()
    repository.commit({"web/main.tf": "# two\n"})
    assert read(yard, git_source(repository.path, ref=ref)).id == first


def test_a_full_commit_id_is_read_though_the_branch_went_on(yard, repository):
    first = repository.head()
    repository.commit({"web/main.tf": "# two\n"})
    assert read(yard, git_source(repository.path, ref=first)).id == first


def test_a_bare_repository_and_a_file_url_are_read(yard, repository, tmp_path):
    subprocess.run(["git", "clone", "-q", "--bare", repository.path, tmp_path / "bare repo.git"], check=True)
    url = f"file://{tmp_path}/bare%20repo.git"
    assert read(yard, git_source(url, ref="main")).id == repository.head()


def test_a_repository_with_sha256_ids_is_read(yard, tmp_path):
    repository = Repository.make(tmp_path / "sha256", "--object-format=sha256")
    head = repository.commit({"web/main.tf": "# web\n"})
    source = git_source(repository.path)
    assert read(yard, source).id == head
    assert yard.sources.tree(source, head).read(MAIN) == b"# web\n"


@pytest.mark.parametrize("name", ["v1", "refs/heads/v1", "refs/tags/v1"])
def test_a_branch_named_like_a_tag_is_refused_unless_the_ref_says_which(yard, repository, name):
    repository.git("tag", "v1")
    tagged = repository.head()
    branched = repository.commit({"web/main.tf": "# two\n"})
    repository.git("branch", "v1")
    source = git_source(repository.path, ref=name)
    if name == "v1":
        with pytest.raises(RevisionRejected) as error:
            read(yard, source)
        assert code_of(error) == "HF-3012"
        assert "refs/tags/" in error.value.hint
    else:
        assert read(yard, source).id == (branched if "heads" in name else tagged)


def test_a_branch_named_like_a_commit_is_refused(yard, repository):
    first = repository.head()
    repository.commit({"web/main.tf": "# evil\n"})
    repository.git("update-ref", f"refs/heads/{first}", "HEAD")
    with pytest.raises(RevisionRejected) as error:
        read(yard, git_source(repository.path, ref=first))
    assert code_of(error) == "HF-3012"


def test_rewritten_history_is_refused_and_the_last_good_revision_stays_readable(yard, repository):
    source = git_source(repository.path)
    repository.commit({"web/main.tf": "# good\n"})
    good = read(yard, source)
    yard.sources.pin(source, good.id, good.id)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    rewritten = repository.commit({"web/main.tf": "# rewritten\n"})
    with pytest.raises(RevisionRejected) as error:
        read(yard, source, last=good.id)
    assert code_of(error) == "HF-3011"
    assert "history was rewritten" in error.value.message
    assert yard.sources.tree(source, good.id).read(MAIN) == b"# good\n"
    assert read(yard, git_source(repository.path, allow_rewrite=True), last=good.id).id == rewritten


def test_going_back_to_an_older_commit_is_a_rewrite(yard, repository):
    source = git_source(repository.path)
    repository.commit({"web/main.tf": "# newer\n"})
    newer = read(yard, source)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    with pytest.raises(RevisionRejected) as error:
        read(yard, source, last=newer.id)
    assert code_of(error) == "HF-3011"


def test_a_shallow_clone_is_read_and_its_missing_history_named(yard, repository, tmp_path):
    first = repository.head()
    repository.commit({"web/main.tf": "# two\n"})
    url = f"file://{repository.path}"
    subprocess.run(["git", "clone", "-q", "--depth=1", url, tmp_path / "shallow"], check=True)
    source = git_source(tmp_path / "shallow")
    assert read(yard, source).id == repository.head()
    with pytest.raises(RevisionRejected) as error:
        read(yard, source, last=first)
    assert "shallow" in error.value.hint


def test_a_pinned_commit_survives_a_forced_push_and_a_collection_of_garbage(yard, repository):
    source = git_source(repository.path, allow_rewrite=True)
    kept = repository.commit({"web/main.tf": "# kept\n"})
    read(yard, source)
    yard.sources.pin(source, kept, kept)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    lost = repository.commit({"web/main.tf": "# lost\n"})
    read(yard, source)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit({"web/main.tf": "# third\n"})
    read(yard, source)
    mirror = yard.home / "sources" / "infra" / "mirror.git"
    subprocess.run(["git", "--git-dir", mirror, "reflog", "expire", "--expire=now", "--all"], check=True)
    subprocess.run(["git", "--git-dir", mirror, "gc", "-q", "--prune=now"], check=True)
    fresh = Yard(home=yard.home)
    assert fresh.sources.revision(source, kept).id == kept
    assert fresh.sources.tree(source, kept).read(MAIN) == b"# kept\n"
    with pytest.raises(SourceError) as error:
        fresh.sources.revision(source, lost)
    assert code_of(error) == "HF-3006"


def test_a_repository_that_vanished_is_unreachable_and_says_so(yard, repository):
    source = git_source(repository.path)
    last = read(yard, source)
    repository.path.rename(repository.path.with_name("moved"))
    with pytest.raises(SourceUnreachable) as error:
        read(yard, source, last=last.id)
    assert code_of(error) == "HF-3001"
    assert yard.sources.tree(source, last.id).read(MAIN) == b"# web\n"


def test_a_folder_that_is_no_repository_is_unreachable(yard, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(SourceUnreachable) as error:
        read(yard, git_source(tmp_path / "plain"))
    assert code_of(error) == "HF-3001"


def test_a_repository_without_commits_holds_nothing_to_want(yard, tmp_path):
    empty = Repository.make(tmp_path / "empty")
    for source in (git_source(empty.path), git_source(empty.path, ref="main")):
        with pytest.raises(SourceUnreachable) as error:
            read(yard, source)
        assert code_of(error) == "HF-3004"


def test_a_deleted_branch_is_gone_and_not_empty(yard, repository):
    repository.git("branch", "production")
    source = git_source(repository.path, ref="production")
    read(yard, source)
    repository.git("branch", "-D", "production")
    with pytest.raises(SourceUnreachable) as error:
        read(yard, source)
    assert code_of(error) == "HF-3004"
    assert "nothing is destroyed" in error.value.hint


def test_a_commit_that_deletes_every_file_is_not_a_wish_for_nothing(yard, repository):
    source = git_source(repository.path)
    last = read(yard, source)
    repository.git("rm", "-rq", ".")
    repository.commit()
    with pytest.raises(SourceUnreachable) as error:
        read(yard, source, last=last.id)
    assert code_of(error) == "HF-3005"


def test_a_truncated_repository_is_an_error_and_loses_nothing(yard, repository):
    source = git_source(repository.path)
    first = read(yard, source)
    repository.commit({"web/main.tf": "# two\n"})
    blob = repository.git("rev-parse", "HEAD:web/main.tf")
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceUnreachable):
        read(yard, source, last=first.id)
    assert yard.sources.tree(source, first.id).read(MAIN) == b"# web\n"


def test_a_damaged_mirror_says_where_it_lies(yard, repository):
    source = git_source(repository.path)
    revision = read(yard, source)
    for pack in (yard.home / "sources" / "infra" / "mirror.git" / "objects").rglob("*"):
        if pack.is_file():
            pack.unlink()
    with pytest.raises(SourceError) as error:
        Yard(home=yard.home).sources.tree(source, revision.id)
    assert code_of(error) == "HF-3007"
    assert "mirror.git" in error.value.message


@pytest.mark.parametrize("asked", ["short", "main", "v1", "refs/tags/v1"])
def test_a_revision_is_found_by_abbreviated_id_branch_and_tag(yard, repository, asked):
    repository.git("tag", "v1")
    name = repository.head()[:9] if asked == "short" else asked
    assert yard.sources.revision(git_source(repository.path), name).id == repository.head()


def test_a_branch_is_looked_up_anew_each_time(yard, repository):
    source = git_source(repository.path)
    yard.sources.revision(source, "main")
    repository.commit({"web/main.tf": "# two\n"})
    assert yard.sources.revision(source, "main").id == repository.head()


def test_a_revision_that_is_nowhere_is_named(yard, repository):
    for name in ("deadbeef", "0" * 40, "no-such-branch"):
        with pytest.raises(SourceError) as error:
            yard.sources.revision(git_source(repository.path), name)
        assert code_of(error) == "HF-3006"
        assert name in error.value.message


def test_a_commit_of_another_branch_is_not_taken_for_one_of_the_followed_branch(yard, repository):
    repository.git("checkout", "-q", "-b", "fork")
    foreign = repository.commit({"web/main.tf": "# foreign\n"})
    repository.git("checkout", "-q", "main")
    source = git_source(repository.path, ref="main")
    read(yard, source)
    with pytest.raises(RevisionRejected) as error:
        yard.sources.revision(source, foreign)
    assert code_of(error) == "HF-3013"
    yard.sources.pin(source, foreign, foreign)
    assert yard.sources.revision(source, foreign).id == foreign


def test_a_commit_that_came_before_its_branch_moved_is_known_once_it_has(yard, repository):
    source = git_source(repository.path, ref="main")
    read(yard, source)
    head = repository.commit({"web/main.tf": "# two\n"})
    (mirror,) = yard.home.glob("sources/*/mirror.git")
    # What a fetch that is under way looks like to whoever asks meanwhile: another host had it already.
    fetch = ["git", "-C", mirror, "fetch", "-q", "--no-write-fetch-head", repository.path, "main"]
    subprocess.run(fetch, check=True, timeout=30)
    assert yard.sources.revision(source, head).id == head


def test_a_commit_that_no_branch_leads_to_is_refused(yard, repository):
    source = git_source(repository.path)
    stray = repository.commit({"web/main.tf": "# stray\n"})
    read(yard, source)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    read(yard, git_source(repository.path, ref="main"))
    with pytest.raises(RevisionRejected) as error:
        read(yard, git_source(repository.path, ref=stray))
    assert code_of(error) == "HF-3013"


def test_two_clones_of_one_project_share_one_mirror_and_each_sees_its_own(yard, repository, tmp_path):
    clones = {}
    for name in ("one", "two"):
        repository.git("clone", "-q", str(repository.path), str(tmp_path / name))
        clones[name] = Repository(tmp_path / name).commit({"web/main.tf": f"# {name}\n"})
    for name, commit in [*clones.items(), *clones.items()]:
        source = git_source(tmp_path / name, allow_rewrite=True)
        assert yard.sources.read(source).id == commit
        assert yard.sources.revision(source, "main").id == commit
        assert yard.sources.tree(source, commit).read(PurePosixPath("web/main.tf")) == f"# {name}\n".encode()


def test_a_known_commit_is_found_while_its_repository_is_away(yard, repository):
    source = git_source(repository.path, ref="main")
    commit = yard.sources.read(source).id
    repository.path.rename(repository.path.with_name("away"))
    assert yard.sources.revision(source, commit).id == commit
    assert yard.sources.revision(source, commit[:9]).id == commit


def test_a_repository_that_was_made_anew_and_is_empty_is_no_wish_for_nothing(yard, repository):
    for ref in ("main", ""):
        source = git_source(repository.path, ref=ref)
        good = yard.sources.read(source)
        away = repository.path.rename(repository.path.with_name("away"))
        empty = Repository.make(repository.path)
        with pytest.raises(SourceUnreachable) as error:
            yard.sources.read(source, last=good.id)
        assert error.value.code == "HF-3004"
        assert yard.sources.tree(source, good.id).read(PurePosixPath("README.md")) == b"read me\n"
        shutil.rmtree(empty.path)
        away.rename(repository.path)


def test_hooks_and_filters_of_a_repository_never_run(yard, repository, tmp_path):
    marker = tmp_path / "ran"
    hook = f"#!/bin/sh\ntouch {marker}\n"
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        path = repository.path / ".git" / "hooks" / name
        path.write_text(hook)
        path.chmod(0o755)
    repository.write({".gitattributes": "* filter=evil\n"})
    repository.git("-c", "core.hooksPath=/dev/null", "add", "-A")
    repository.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "attributes")
    repository.git("-c", "core.hooksPath=/dev/null", "config", "filter.evil.smudge", f"touch {marker}")
    repository.git("-c", "core.hooksPath=/dev/null", "config", "core.fsmonitor", f"touch {marker}")
    marker.unlink(missing_ok=True)
    source = git_source(repository.path)
    yard.sources.tree(source, read(yard, source).id).read(MAIN)
    assert not marker.exists()


def test_the_environment_of_every_git_is_ours_alone(yard, repository, monkeypatch):
    yard.outer |= {
        "GIT_SSH_COMMAND": "touch /tmp/never",
        "GIT_EXTERNAL_DIFF": "touch /tmp/never",
        "GIT_DIR": "/nonexistent",
        "LD_PRELOAD": "/nonexistent.so",
        "AWS_SECRET_ACCESS_KEY": "canary",
    }
    read(yard, git_source(repository.path))
    for env in yard.runs.environments:
        assert not {"LD_PRELOAD", "AWS_SECRET_ACCESS_KEY", "GIT_EXTERNAL_DIFF"} & env.keys()
        assert env.get("GIT_SSH_COMMAND") is None
        assert env["GIT_TERMINAL_PROMPT"] == "0"
        assert "ext" not in env["GIT_ALLOW_PROTOCOL"]


def test_a_thousand_stacks_are_read_listed_and_compared_in_a_moment(yard, tmp_path):
    repository = Repository.make(tmp_path / "large")
    repository.commit({f"stacks/g{n % 10}/s{n}/main.tf": f"# {n}\n" for n in range(1000)})
    source = git_source(repository.path)
    first = read(yard, source)
    repository.commit({"stacks/g7/s7/main.tf": "# changed\n"})
    read(yard, source)
    sources = Yard(home=yard.home, runs=yard.runs).sources
    before = len(yard.runs.seen)
    started = time.process_time()
    second = sources.read(source, last=first.id)
    changed = sources.tree(source, second.id).changed(sources.tree(source, first.id))
    assert changed == {PurePosixPath("stacks/g7/s7/main.tf")}
    assert time.process_time() - started < 0.5
    assert len(yard.runs.seen) - before <= 8


def test_who_wrote_what_came_to_a_path_is_asked_of_history(yard, repository):
    first, source = repository.head(), git_source(repository.path)
    repository.commit({"web/main.tf": "# two\n"}, "two", "--author=Bo <bo@example.org>")
    head = repository.commit({"readme": "x"}, "x", "--author=Cy <cy@example.org>")
    read(yard, source)
    web = [PurePosixPath("web")]
    assert yard.sources.authors(source, head, first, web) == {"bo@example.org"}
    assert yard.sources.authors(source, head, first, [PurePosixPath()]) == {"bo@example.org", "cy@example.org"}
    assert yard.sources.authors(source, head, first, [PurePosixPath("we*")]) == frozenset()
    assert yard.sources.authors(source, head, head, web) == frozenset()
    # Where nobody knows since when, everybody who ever wrote it counts.
    assert yard.sources.authors(source, head, "", web) == {"ada@example.org", "bo@example.org"}
    assert yard.sources.authors(source, head, "0" * 40, web) == {"ada@example.org", "bo@example.org"}


def test_what_came_by_a_merge_is_of_who_wrote_it_and_of_who_merged_it(yard, repository):
    first, source = repository.head(), git_source(repository.path)
    branch = repository.git("branch", "--show-current")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit({"web/main.tf": "# side\n"}, "side", "--author=Bo <bo@example.org>")
    repository.git("checkout", "-q", branch)
    repository.commit({"readme": "x"}, "x")
    repository.git("merge", "-q", "--no-edit", "side")
    head = read(yard, source).id
    assert yard.sources.authors(source, head, first, [PurePosixPath("web")]) == {"bo@example.org", "ada@example.org"}

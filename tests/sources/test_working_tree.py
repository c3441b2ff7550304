"""A checkout as a person works in it: what it is, and its files as they lie there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from repositories import Repository, git_source

from orchestrator.effects.process import quick
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.errors import SourceError


@pytest.fixture
def dirty(yard, repository):
    """Returns the tree of the files as they lie there."""

    def look():
        source = git_source(repository.path)
        yard.sources.read(source)
        found = WorkingTree.find(repository.path, yard.outer, yard.runs)
        revision = found.revision(source, yard.home / "sources" / "infra" / "mirror.git" / "objects")
        return revision, yard.sources.tree(source, revision.id)

    return look


def state_of(repository: Repository) -> dict[Path, tuple[int, bytes]]:
    files = [path for path in repository.path.rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def content(tree, name: str) -> bytes:
    return tree.read(PurePosixPath(name))


def test_edits_and_new_files_count_ignored_and_deleted_ones_do_not(repository, dirty):
    repository.commit({".gitignore": "*.log\n", "web/old.tf": ""})
    repository.write({"web/main.tf": "# edited\n", "web/new.tf": "# new\n", "web/x.log": "no"})
    (repository.path / "web" / "old.tf").unlink()
    revision, tree = dirty()
    assert content(tree, "web/main.tf") == b"# edited\n"
    assert content(tree, "web/new.tf") == b"# new\n"
    names = set(map(str, tree.files(PurePosixPath("web"))))
    assert names == {"web/main.tf", "web/new.tf"}
    assert not revision.committed
    assert revision.id == revision.tree


def test_what_is_staged_and_lies_only_in_the_checkouts_own_objects_can_be_read(repository, dirty):
    repository.write({"web/staged.tf": "# staged\n", "web/main.tf": "# staged too\n"})
    repository.git("add", "-A")
    _, tree = dirty()
    assert content(tree, "web/staged.tf") == b"# staged\n"
    assert content(tree, "web/main.tf") == b"# staged too\n"


def test_nothing_in_the_checkout_is_touched(repository, dirty):
    repository.write({"web/main.tf": "# edited\n", "web/new.tf": "# new\n"})
    before = state_of(repository)
    dirty()
    assert state_of(repository) == before


def test_the_same_files_are_the_same_revision_and_a_clean_tree_is_heads(repository, dirty):
    assert dirty()[0].tree == repository.git("rev-parse", "HEAD^{tree}")
    repository.write({"web/main.tf": "# edited\n"})
    first = dirty()[0]
    assert dirty()[0].id == first.id
    repository.write({"web/main.tf": "# edited again\n"})
    assert dirty()[0].id != first.id


@pytest.mark.parametrize(
    ("files", "expected"),
    [({}, False), ({"web/main.tf": "# edited\n"}, True), ({"new": ""}, True), ({"x.log": ""}, False)],
)
def test_a_tree_is_dirty_with_an_edit_or_a_new_file_and_clean_with_an_ignored_one(yard, repository, files, expected):
    repository.commit({".gitignore": "*.log\n"})
    repository.write(files)
    assert WorkingTree.find(repository.path, yard.outer, quick).is_dirty() is expected


def test_the_checkout_is_found_from_a_folder_in_it_and_not_outside(yard, repository, tmp_path):
    found = WorkingTree.find(repository.path / "web", yard.outer, quick)
    assert found.root == repository.path
    assert WorkingTree.find(tmp_path, {**yard.outer, "GIT_CEILING_DIRECTORIES": "/"}, quick) is None


def test_variables_of_a_hook_that_started_us_do_not_lead_astray(yard, repository, tmp_path):
    other = Repository.make(tmp_path / "other")
    outer = {**yard.outer, "GIT_DIR": str(other.path / ".git"), "GIT_INDEX_FILE": "/nonexistent"}
    assert WorkingTree.find(repository.path, outer, quick).root == repository.path


def test_two_clones_are_one_project_whatever_way_they_were_made(yard, repository, tmp_path):
    subprocess.run(["git", "clone", "-q", repository.path, tmp_path / "clone"], check=True)
    clone = Repository(tmp_path / "clone")
    seen = set()
    for url in ("https://ada:canary@Git.Example.org/acme/infra.git", "git@git.example.org:acme/infra"):
        for one in (repository, clone):
            if not one.git("remote"):
                one.git("remote", "add", "origin", url)
            one.git("remote", "set-url", "origin", url)
            seen.add(WorkingTree.find(one.path, yard.outer, quick).identity())
    assert seen == {"git.example.org/acme/infra"}


def test_worktrees_without_an_origin_are_one_project(yard, repository, tmp_path):
    repository.git("worktree", "add", "-q", str(tmp_path / "linked"))
    identities = {WorkingTree.find(p, yard.outer, quick).identity() for p in (repository.path, tmp_path / "linked")}
    assert identities == {str(repository.path / ".git")}


def test_the_files_of_a_linked_worktree_are_its_own(yard, repository, tmp_path):
    repository.git("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / "web" / "main.tf").write_text("# linked\n")
    source = git_source(tmp_path / "linked")
    yard.sources.read(source)
    found = WorkingTree.find(tmp_path / "linked", yard.outer, quick)
    revision = found.revision(source, yard.home / "sources" / "infra" / "mirror.git" / "objects")
    assert content(yard.sources.tree(source, revision.id), "web/main.tf") == b"# linked\n"
    assert os.environ.get("GIT_DIR") is None


def test_a_checkout_whose_index_is_broken_is_an_error_with_a_remedy(repository, dirty):
    (repository.path / ".git" / "index").write_bytes(b"no index at all")
    with pytest.raises(SourceError) as refused:
        dirty()
    assert refused.value.code == "HF-3008"

"""Repositories that no git client makes by itself, and a PATH that leads into a repository."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from repositories import Repository, git_source

from orchestrator.effects.git import git_environment
from orchestrator.effects.process import quick
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.errors import RevisionRejected

WEB = PurePosixPath("web")


def crafted(repository: Repository, *entries: tuple[str, str, str]) -> str:
    """Write a tree as given, whatever git thinks of it; returns its id."""
    body = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(id_) for mode, name, id_ in entries)
    return repository.git("hash-object", "-w", "--literally", "-t", "tree", "--stdin", stdin=body)


def blob(repository: Repository, content: str) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=content.encode())


@pytest.mark.parametrize("link_first", [True, False])
def test_a_link_that_is_a_folder_too_writes_nothing_outside(yard, repository, link_first):
    """Its target stays inside the repository, so that only the folder of the same name makes it an escape."""
    folder = ("40000", "a", crafted(repository, ("100644", "written", blob(repository, "outside\n"))))
    link = ("120000", "a", blob(repository, "../elsewhere"))
    pair = (link, folder) if link_first else (folder, link)
    web = crafted(repository, *pair, ("100644", "main.tf", blob(repository, "")))
    root = crafted(repository, ("40000", "web", web))
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", "-m", "crafted", root))
    source = git_source(repository.path)
    revision = yard.sources.read(source)
    tree = yard.sources.tree(source, revision.id)
    if link_first:
        # The folder stands in the link's place: there is no link to go through.
        assert not tree.reached(WEB)
        return
    with pytest.raises(RevisionRejected) as refused:
        tree.reached(WEB)
    assert refused.value.code == "HF-3014"


def test_a_path_that_leads_into_the_repository_finds_no_git_there(repository, tmp_path):
    marker = tmp_path / "ran"
    program = repository.path / "git"
    program.write_text(f"#!/bin/sh\ntouch {marker}\nexit 1\n")
    program.chmod(0o755)
    outer = {"PATH": f":.:relative:{Path('/usr/bin')}:/usr/local/bin:/bin", "HOME": str(tmp_path)}
    assert git_environment(outer)["PATH"] == "/usr/bin:/usr/local/bin:/bin"
    found = WorkingTree.find(repository.path, outer, quick)
    assert found is not None
    assert found.commit()
    assert not marker.exists()

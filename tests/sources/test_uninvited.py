"""Nothing that a repository or a checkout brings along is run, and nobody else's checkout is trusted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from repositories import Repository, Yard, git_source

from orchestrator.effects.git import git_environment
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.errors import SourceError

MAIN_TF = PurePosixPath("web/main.tf")
HOOKS = (
    "post-index-change",
    "pre-commit",
    "post-checkout",
    "reference-transaction",
    "fsmonitor-watchman",
    "pre-auto-gc",
)


class Trapped:
    """A checkout in which every program that its own configuration can name leaves a mark."""

    def __init__(self, repository: Repository, mark: Path) -> None:
        self.repository, self.mark = repository, mark
        program = mark.with_suffix(".sh")
        program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\ncat\n')
        program.chmod(0o755)
        for hook in HOOKS:
            (repository.path / ".git" / "hooks").mkdir(exist_ok=True)
            (repository.path / ".git" / "hooks" / hook).write_bytes(program.read_bytes())
            (repository.path / ".git" / "hooks" / hook).chmod(0o755)
        for key in (
            *(f"filter.{name}.{verb}" for name in ("evil", "Evil.Twin") for verb in ("clean", "smudge", "process")),
            "core.fsmonitor",
            "core.sshCommand",
            "core.pager",
            "core.editor",
            "core.alternateRefsCommand",
            "diff.external",
            "diff.evil.textconv",
            "gpg.program",
            "gpg.ssh.program",
            "credential.helper",
            "uploadpack.packObjectsHook",
        ):
            repository.git("config", key, str(program))
        for name in ("evil", "Evil.Twin"):
            repository.git("config", f"filter.{name}.required", "true")
        for word in ("rev-parse", "status", "add", "write-tree", "read-tree", "log"):
            repository.git("config", f"alias.{word}", f"!{program}")
        repository.write({".gitattributes": "*.tf filter=evil diff=evil\n*.json filter=Evil.Twin\n"})
        mark.unlink(missing_ok=True)


@pytest.fixture
def trapped(repository: Repository, tmp_path: Path) -> Trapped:
    return Trapped(repository, tmp_path / "mark")


def looked_at(yard: Yard, repository: Repository):
    source = git_source(repository.path)
    yard.sources.read(source)
    found = WorkingTree.find(repository.path, yard.outer, yard.runs)
    assert found.is_dirty()
    found.identity()
    found.email()
    revision = found.revision(source, yard.home / "sources" / "infra" / "mirror.git" / "objects")
    return yard.sources.tree(source, revision.id)


def test_the_trap_works(trapped: Trapped) -> None:
    trapped.repository.write({"web/main.tf": "# edited\n"})
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "status"], cwd=trapped.repository.path, env=env, capture_output=True, check=False)
    assert trapped.mark.exists()


def test_a_look_at_a_checkout_as_it_lies_there_runs_nothing_of_it(yard: Yard, trapped: Trapped) -> None:
    trapped.repository.write({"web/main.tf": "# edited\n", "web/new.tf": "# new\n", "web/x.json": "{}"})
    tree = looked_at(yard, trapped.repository)
    assert tree.read(MAIN_TF) == b"# edited\n"
    assert tree.read(PurePosixPath("web/x.json")) == b"{}"
    assert not trapped.mark.exists(), trapped.mark.read_text()


def test_a_look_at_a_submodule_runs_nothing_of_it(yard: Yard, repository: Repository, tmp_path: Path) -> None:
    inner = Repository.make(tmp_path / "inner")
    inner.commit({"main.tf": "# inner\n"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "web/sub")
    repository.commit(message="a submodule")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/mark\n")
    program.chmod(0o755)
    Repository(repository.path / "web" / "sub").git("config", "core.fsmonitor", str(program))
    repository.write({"web/sub/main.tf": "# edited\n", "web/main.tf": "# edited\n"})
    tree = looked_at(yard, repository)
    assert tree.read(MAIN_TF) == b"# edited\n"
    assert [entry.mode for entry in tree.entries(PurePosixPath("web/sub"))] == ["160000"]
    assert not (tmp_path / "mark").exists()


def test_somebody_elses_checkout_is_not_trusted(yard: Yard, repository: Repository) -> None:
    def as_a_stranger(argv, *, env, **rest):
        # What git itself offers for testing; a second user is not at hand everywhere.
        return yard.runs(argv, env={**env, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, **rest)

    with pytest.raises(SourceError) as refused:
        WorkingTree.find(repository.path, yard.outer, as_a_stranger)
    assert refused.value.code == "HF-3003"
    assert "safe.directory" in refused.value.hint


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c true", "file:///x", "/x", "fd::1", "ssh://localhost/x", "http://localhost/x", "git://localhost/x"],
)
def test_git_itself_refuses_what_a_check_of_ours_would_have_missed(url: str) -> None:
    """The second fence: a git process may speak the protocol of its source and no other."""
    env = git_environment(os.environ, protocols="https")
    done = subprocess.run(["git", "ls-remote", "--", url], env=env, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"not allowed" in done.stderr

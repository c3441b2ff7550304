"""A bench for laying workspaces out: a repository, and what comes of its newest commit."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from repositories import Repository, Yard, git_source, stack

from orchestrator.effects.lineage import Lineage
from orchestrator.effects.workspaces import LaidWorkspaces
from orchestrator.model.stack import MAIN


@dataclass
class Bench:
    """A repository, and what comes of laying its newest commit out."""

    yard: Yard
    repository: Repository

    @property
    def workspaces(self) -> LaidWorkspaces:
        lineage = Lineage(home=self.yard.home, source="infra", marks=lambda: frozenset({"here"}))
        return LaidWorkspaces(home=self.yard.home, lineage=lineage)

    def tree(self, files=None):
        commit = self.repository.commit(files or {})
        source = git_source(self.repository.path)
        self.yard.sources.read(source)
        return self.yard.sources.tree(source, commit)

    @contextmanager
    def laid(self, files=None, *, of=None, tree=None, outside=(), inputs=None, track=MAIN):
        tree = tree or self.tree(files)
        paths = frozenset(map(PurePosixPath, outside))
        laid = self.workspaces.lay(of or stack(), tree, outside=paths, inputs=inputs or {}, run=1, track=track)
        with laid as workspace:
            yield workspace


def files_of(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)

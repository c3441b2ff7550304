"""A revision's files, laid out for one stack."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from adapters.contract import Input, Workspace
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports.sources import RevisionTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """State that is kept for a stack under another repository id, though it is the same repository."""

    source: str
    #: The home that it lies in.
    place: Path


class Workspaces(Protocol):
    """Lays a revision's files out for one stack."""

    def lay(
        self,
        stack: Stack,
        tree: RevisionTree,
        *,
        outside: frozenset[PurePosixPath],
        inputs: Mapping[str, Input],
        run: int,
        track: str,
    ) -> AbstractContextManager[Workspace]:
        """Lay out and yield; the private folder is removed at the end. Raises ForbiddenFile, RevisionRejected.

        What the tool keeps on the main track is out of reach of what it runs on any other.
        """
        ...

    def verify(self, workspace: Workspace, stack: Stack, tree: RevisionTree, *, beside: Collection[Path]) -> None:
        """Digest the tracked files again, just before an apply; ``beside`` them others answer for these files.

        Raises PlanStale where one was altered.
        """
        ...

    def move(self, old: StackKey, new: StackKey) -> None:
        """Take over the kept state of ``old`` under the name ``new``. Doing it again changes nothing.

        Raises RecordError where both have kept state.
        """
        ...

    def strays(self, source: str) -> Mapping[str, Stray]:
        """Return, by ``name@environment``, what this host keeps for the repository under other ids than ``source``."""
        ...

    def free_bytes(self) -> int:
        """Return the free space where workspaces and state live."""
        ...

"""Desired state as it is versioned, and the files of one revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Protocol

from adapters.contract import Tree
from orchestrator.model.commit import Covered
from orchestrator.model.source import Revision, Source


class FileMode(StrEnum):
    """What an entry of a tree is, in Git's own notation."""

    FILE = "100644"
    EXECUTABLE = "100755"
    LINK = "120000"
    SUBMODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file, link or submodule of a revision. ``id`` is the digest of its own bytes."""

    path: PurePosixPath
    mode: FileMode
    id: str


class RevisionTree(Tree, Protocol):
    """The files of one revision, with the ids that say when two are equal.

    Links that stay inside the revision are looked through: what they lead to counts as lying where the link lies, in
    ``files`` and ``read`` as in ``id_of`` and ``changed``.
    """

    def id_of(self, path: PurePosixPath) -> str:
        """Return an id of what is at ``path``: equal ids, equal files. Empty where nothing is there."""
        ...

    def changed(self, other: RevisionTree) -> frozenset[PurePosixPath]:
        """Return each file that differs between the two."""
        ...

    def entries(self, under: PurePosixPath) -> Iterable[TreeEntry]:
        """Yield what is stored at or below ``under``, links not followed, sorted by path."""
        ...

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Return the stored bytes (of a link: its target) by entry id."""
        ...

    def reached(self, under: PurePosixPath) -> frozenset[PurePosixPath]:
        """Return each place outside ``under`` that links below it lead to.

        Raises RevisionRejected (HF-3014) where one of them leaves the revision.
        """
        ...


class Sources(Protocol):
    """Desired state as it is versioned."""

    def read(self, source: Source, *, last: str = "") -> Revision:
        """Fetch and return the newest revision. Raises SourceUnreachable, RevisionRejected.

        ``last`` is the newest revision accepted so far: one that does not descend from it is rejected unless
        the source allows rewriting.
        """
        ...

    def revision(self, source: Source, revision: str) -> Revision:
        """Return one revision by its full or abbreviated id, tag or branch. Raises SourceError."""
        ...

    def tree(self, source: Source, revision: str) -> RevisionTree:
        """Return the files of a revision that was read before."""
        ...

    def lacking(self, source: Source, revision: str, other: str) -> int | None:
        """Return how many commits that led to ``other`` are not in ``revision``: 0 where it descends from it.

        None where nobody can tell: ``other`` is not at hand, or the history ends early.
        """
        ...

    def authors(self, source: Source, revision: str, since: str, paths: Iterable[PurePosixPath]) -> frozenset[str]:
        """Return the e-mails of who wrote what came to ``paths`` on the way from ``since`` to ``revision``.

        Of everybody who ever wrote there, where ``since`` is empty or not at hand; of nobody where none are known.
        """
        ...

    def commits(self, source: Source, revision: str, since: str, paths: Iterable[PurePosixPath]) -> Covered:
        """Return what came to ``paths`` on the way from ``since`` to ``revision``, with what it says of itself.

        Bounded: the newest commits, and how many there are. What the last change brought, where ``since`` is empty or
        not at hand; nothing where the source has no commits. Raises SourceError.
        """
        ...

    def bring(self, source: Source, refs: Mapping[str, str]) -> None:
        """Fetch commits that no branch of the source leads to: the remote's ref -> the commit that it leads to.

        Raises SourceUnreachable, and RevisionRejected (HF-3013) where one leads elsewhere.
        """
        ...

    def merged(self, source: Source, base: str, head: str) -> Revision:
        """Return what ``base`` would be with ``head`` merged into it: the same two always make the same revision.

        Raises RevisionRejected (HF-3020) where they conflict, SourceError.
        """
        ...

    def pin(self, source: Source, revision: str, name: str) -> None:
        """Keep a revision even when its ref moves away (``refs/holdfast/keep/<name>``)."""
        ...

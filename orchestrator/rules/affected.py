"""Which stacks a change of files concerns. Pure, and proportional to the change, not to the number of stacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.model.stack import StackKey
from orchestrator.rules.globs import matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Everything that a stack reads."""

    path: PurePosixPath
    outside: frozenset[PurePosixPath] = frozenset()
    #: Globs from the repository's root.
    watch: tuple[str, ...] = ()


class Index:
    """The stacks by the paths they read: looked up by each changed path and the folders above it."""

    def __init__(self) -> None:
        """Begin with no stack."""
        self._reach: dict[StackKey, Reach] = {}
        self._readers: defaultdict[PurePosixPath, set[StackKey]] = defaultdict(set)
        #: Glob -> the stacks that watch it: thousands mostly share a few.
        self._watchers: defaultdict[str, set[StackKey]] = defaultdict(set)

    def put(self, key: StackKey, reach: Reach) -> None:
        """Say what a stack reads, in the place of what it read before."""
        self.drop(key)
        self._reach[key] = reach
        for path in (reach.path, *reach.outside):
            self._readers[path].add(key)
        for glob in reach.watch:
            self._watchers[glob].add(key)

    def drop(self, key: StackKey) -> None:
        """Forget a stack; forgetting one that is not there changes nothing."""
        reach = self._reach.pop(key, None)
        if reach is None:
            return
        for glob in reach.watch:
            self._watchers[glob].discard(key)
        for path in (reach.path, *reach.outside):
            self._readers[path].discard(key)

    def keys(self) -> frozenset[StackKey]:
        """Return every stack of the index."""
        return frozenset(self._reach)

    def affected(self, changed: Iterable[PurePosixPath]) -> frozenset[StackKey]:
        """Return the stacks that read one of the changed files, or a folder above one."""
        paths = frozenset(changed)
        found: set[StackKey] = set()
        for place in paths.union(*(path.parents for path in paths)):
            found |= self._readers.get(place, set())
        for glob, watchers in self._watchers.items():
            if not watchers <= found and any(matches(path, glob) for path in paths):
                found |= watchers
        return frozenset(found)

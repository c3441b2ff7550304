"""Which repository kept state belongs to, whatever id it goes by: a project may be renamed, or its origin moved.

Beside the states that a home keeps for a source lies ``<source>.lineage``: its first commits and the folder that it
was read from. Kept state of another id with one of these in common is the same repository's.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from orchestrator.errors import AnothersRecord
from orchestrator.model.stack import StackKey
from orchestrator.ports import Stray

_SUFFIX: Final = ".lineage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The lineage of one source under one home."""

    home: Path
    source: str
    #: What other ids of the same repository have in common with it; asked for only where there is something to compare.
    marks: Callable[[], frozenset[str]]

    def check(self, location: str) -> None:
        """Raise AnothersRecord (HF-4015) where this home keeps state under this id for a repository that is another.

        ``location`` is where the source is read from now: a place seen before needs no further look.
        """
        path = self._path()
        if not path.exists():
            return
        known = _marks(path)
        if location not in known and not known & self.marks():
            raise AnothersRecord(
                f"{self.source} is another repository's name here: {location} has nothing in common with it",
                hint="give this repository a project: of its own in stacks.yaml, or another HOLDFAST_HOME",
            )

    def _path(self) -> Path:
        return self.home / "state" / f"{quote(self.source, safe='')}{_SUFFIX}"

    def leave(self) -> None:
        """Write the lineage beside the kept states, where it is not there yet."""
        path = self._path()
        if not path.exists():
            # Two stacks may be laid out at once: each writes a file of its own, and either is as good.
            fresh = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            fresh.write_text(json.dumps(sorted(self.marks())))
            fresh.replace(path)

    def strays(self) -> Mapping[str, Stray]:
        """Return, by ``name@environment``, the states that are kept for this repository under other ids."""
        others = [(home, path) for home in self._homes() for path in sorted((home / "state").glob(f"*{_SUFFIX}"))]
        mine = (self.home, self.source)
        others = [(home, path) for home, path in others if (home, _source(path)) != mine]
        if not others:
            return {}
        marks = self.marks()
        return {
            name: Stray(source=_source(path), place=home)
            for home, path in others
            # The same id in another home is a home that somebody chose: two records, not two names.
            if _source(path) != self.source and marks & _marks(path)
            for name in _kept(home, _source(path))
        }

    def _homes(self) -> list[Path]:
        """Return this home and those beside it."""
        try:
            beside = sorted(one for one in self.home.parent.iterdir() if (one / "record.db").is_file())
        except OSError:
            beside = []
        return [self.home, *(one for one in beside if one != self.home)]


def _source(path: Path) -> str:
    return unquote(path.name.removesuffix(_SUFFIX))


def _marks(path: Path) -> frozenset[str]:
    try:
        return frozenset(map(str, json.loads(path.read_bytes())))
    except (OSError, ValueError, TypeError):
        return frozenset()


def _kept(home: Path, source: str) -> Iterator[str]:
    for folder in sorted((home / "state").glob("*@*")):
        try:
            key = StackKey.parse(unquote(folder.name))
        except ValueError:
            continue
        if key.source == source and holds_files(folder):
            yield f"{key.name}@{key.environment}"


def holds_files(folder: Path) -> bool:
    """Whether a folder of kept state holds anything: locking a state that was never written leaves an empty file."""
    return any(path.stat().st_size > 0 for path in folder.rglob("*") if path.is_file())

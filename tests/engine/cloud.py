"""A cloud and the files of a revision, as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass
class Cloud:
    """What exists, and a ledger of everything that was ever done, with the attempt that did it."""

    objects: dict[str, str] = field(default_factory=dict)
    #: What the tool believes exists: its state.
    state: dict[str, str] = field(default_factory=dict)
    ledger: list[tuple[str, str, str]] = field(default_factory=list)
    #: Attempt folder -> exit code, None while its keeper has not written one.
    attempts: dict[str, int | None] = field(default_factory=dict)
    begun: dict[str, list[str]] = field(default_factory=dict)
    #: What stacks' objects begin with; a name that comes back with no state begins a second life.
    named: set[str] = field(default_factory=set)
    abandoned: set[str] = field(default_factory=set)
    fail_next: int = 0
    #: The object after whose making worker, keeper and tool die together, the tool not knowing of it.
    dies_after: str = ""
    #: Whether a plan always finds something to change, right after an apply too.
    restless: bool = False
    #: What the tool writes into a saved plan beside what it would do: two equal plans may be different files.
    salt: int = 0
    #: Whether the tool leaves what drifted as it is.
    lenient: bool = False
    #: Why nobody can look for drift; empty where one can.
    blind: str = ""
    #: How often reading outputs fails from now on.
    mute: int = 0
    #: Whether a crash of the worker takes the keeper and the tool with it, in the middle of a creation.
    dies_with_worker: bool = False


@dataclass
class MemoryTree:
    files_: dict[str, bytes]

    def files(self, under):
        return [PurePosixPath(p) for p in sorted(self.files_) if p.startswith(f"{under}/")]

    def read(self, path):
        return self.files_[str(path)]

    def id_of(self, path):
        inside = {p: c for p, c in self.files_.items() if p == str(path) or p.startswith(f"{path}/")}
        return hashlib.sha256(repr(sorted(inside.items())).encode()).hexdigest() if inside else ""

    def changed(self, other):
        paths = self.files_.keys() | other.files_.keys()
        return frozenset(PurePosixPath(p) for p in paths if self.files_.get(p) != other.files_.get(p))

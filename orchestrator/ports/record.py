"""The record: what happened, append-only, and what it folds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.contract import Json
from orchestrator.model.event import Event
from orchestrator.model.gate import Gate
from orchestrator.model.observed import Looks, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event as recorded."""

    seq: int
    stack: str
    #: Version of the stack after this event.
    version: int
    run: int
    at: float
    actor: str
    event: Event
    #: Hash that chains this entry to the one before it.
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The events between two rests. Its status is a fold of them."""

    number: int
    #: ``cli``, ``service``, ``webhook``.
    trigger: str
    #: What was asked: ``plan``, ``apply``, ``drift``, ``rollback``, ``destroy``.
    verb: str
    actor: str
    revision: str
    at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stack as one row holds it: reading never folds a whole history."""

    key: str
    state: State
    looks: Looks


class Record(Protocol):
    """What happened, append-only, and what it folds to."""

    def row(self, stack: str) -> Row:
        """Return the stack's row; a stack never seen has an empty state."""
        ...

    def rows(self, source: str | None = None) -> Sequence[Row]:
        """Return every row (of one source), sorted by key."""
        ...

    def versions(self, source: str) -> Mapping[str, int]:
        """Return the version of each row of a source by key, without reading what it holds."""
        ...

    def append(
        self,
        stack: str,
        events: Sequence[Event],
        *,
        expected: int,
        run: int,
        gates: int | None = None,
        looks: Looks | None = None,
    ) -> State:
        """Append in one transaction and return the new state; ``looks`` is kept with it, where it is given.

        Raises Conflict (HF-4200) where the stack's version is not ``expected``, and Conflict (HF-4202) where ``gates``
        is given and the gates' version has moved.
        """
        ...

    def look(self, stack: str, looks: Looks) -> None:
        """Keep when somebody last looked; appends nothing."""
        ...

    def open_run(self, *, trigger: str, verb: str, actor: str, revision: str) -> Run:
        """Begin a run and return it with its number."""
        ...

    def close_run(self, number: int) -> None:
        """Mark a run as ended."""
        ...

    def runs(self, *, limit: int = 50, before: int | None = None) -> Sequence[Run]:
        """Return the newest runs (of those before number ``before``), newest first."""
        ...

    def run(self, number: int) -> Run | None:
        """Return one run."""
        ...

    def events(
        self, *, stack: str | None = None, run: int | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[Entry]:
        """Return entries in order, those after sequence number ``after``."""
        ...

    def last_run(self, stack: str) -> int:
        """Return the run in which something happened to a stack last, 0 where nothing ever did in a run."""
        ...

    def gates(self) -> tuple[int, tuple[Gate, ...]]:
        """Return the gates' version and each gate that is not lifted."""
        ...

    def set_gate(self, gate: Gate, *, run: int) -> Gate:
        """Close a gate, bump the gates' version, record it; returns it with its id."""
        ...

    def lift_gate(self, gate: int, *, by: str, reason: str, run: int) -> None:
        """Lift a gate. Lifting one that is lifted changes nothing."""
        ...

    def note(self, event: Event) -> None:
        """Append what happened at the service's door and is no stack's: it fences nothing."""
        ...

    def verify(self) -> int | None:
        """Return the first sequence number whose chain does not hold, None where all hold."""
        ...

    def key(self) -> bytes:
        """Return the record's own key for fingerprints (32 bytes, made with the record)."""
        ...

    def remembered(self, topic: str, key: str) -> Json:
        """Return a cached derivation, None where there is none. The cache may vanish at any time."""
        ...

    def recollect(self, topic: str) -> Mapping[str, Json]:
        """Return every cached derivation of a topic, by key."""
        ...

    def remember(self, topic: str, values: Mapping[str, Json]) -> None:
        """Cache derivations that can always be made again, by key, in one transaction; None is forgotten."""
        ...

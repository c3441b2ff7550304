"""What people are told of: few kinds of things, in words that hold counts and names of stacks and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from orchestrator.model.intent import Intent
from orchestrator.model.telling import Kind


class Gravity(StrEnum):
    """How much a person should mind; the gravest first."""

    FAILURE = "failure"
    WARNING = "warning"
    SUCCESS = "success"
    NEWS = "info"


GRAVITY: Final = {
    Kind.APPLY_UNKNOWN: Gravity.FAILURE,
    Kind.APPLY_FAILED: Gravity.FAILURE,
    Kind.SOURCE_SILENT: Gravity.FAILURE,
    Kind.RUN_STALLED: Gravity.FAILURE,
    Kind.PLAN_FAILED: Gravity.FAILURE,
    Kind.DRIFT_RECURRING: Gravity.WARNING,
    Kind.DRIFT_FOUND: Gravity.WARNING,
    Kind.STACK_GONE: Gravity.WARNING,
    Kind.PLAN_WAITING: Gravity.WARNING,
    Kind.GATE_CLOSED: Gravity.NEWS,
    Kind.GATE_LIFTED: Gravity.NEWS,
    Kind.DRIFT_REPAIRED: Gravity.SUCCESS,
    Kind.APPLY_SUCCEEDED: Gravity.SUCCESS,
    Kind.DRIFT_GONE: Gravity.SUCCESS,
    Kind.SOURCE_BACK: Gravity.SUCCESS,
}
_ORDER: Final = {kind: place for place, kind in enumerate(GRAVITY)}

#: What is told where the operator does not say: all that somebody may have to do something about, and its end.
DEFAULT_ON: Final = ("plan.*", "apply.failed", "apply.unknown", "drift.*", "run.*", "stack.*", "gate.*", "source.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that people may want to hear of."""

    kind: Kind
    #: Number of the entry that says so, 0 for what no entry says.
    seq: int
    #: Tells it from every other, also after the service began anew.
    id: str
    at: float
    #: The stack's full key, or the gate's selector; empty for a source.
    stack: str = ""
    source: str = ""
    environment: str = ""
    tool: str = ""
    revision: str = ""
    run: int = 0
    #: One line. Counts and names of stacks, people and sources: no values, and no names of resources.
    summary: str = ""
    #: Where to see more; empty where the service has no address from outside.
    link: str = ""
    #: What to type next.
    command: str = ""
    #: Of an apply: why it was made; None where nobody wrote that down.
    intent: Intent | None = None
    #: Of an apply: whether it took the stack down, or brought it up for the first time.
    removed: bool = False
    first: bool = False

    @property
    def rank(self) -> int:
        """Return its place among the kinds, the gravest first."""
        return _ORDER[self.kind]

    @property
    def subject(self) -> str:
        """Return whom it is about, as people say it."""
        return self.stack or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which of them somebody wants to hear of."""

    #: Globs over kinds.
    on: tuple[str, ...] = DEFAULT_ON
    #: Globs over full stack keys.
    stacks: tuple[str, ...] = ("*",)

    def of(self, happenings: Iterable[Happening]) -> tuple[Happening, ...]:
        """Return those that are wanted, in order."""
        return tuple(one for one in happenings if self._wants(one))

    def _wants(self, one: Happening) -> bool:
        if not any(fnmatchcase(one.kind.value, glob) for glob in self.on):
            return False
        if one.kind in {Kind.GATE_CLOSED, Kind.GATE_LIFTED}:
            # A selector against selectors: whom a gate stops is not decided here, so it is told.
            return True
        if one.source and not one.stack:
            return any(fnmatchcase(one.source, glob.partition("/")[0]) for glob in self.stacks)
        return any(fnmatchcase(one.stack, glob) for glob in self.stacks)

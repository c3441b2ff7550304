"""Who works on what, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One row of the agenda: when a stack on a track is due, why, how urgent."""

    stack: str
    track: str
    at: float
    why: str
    #: Apply 0, plan 10, drift 20: the smaller goes first.
    priority: int = 10
    #: Of a taken one: how many processes in a row that had taken it have died before they gave it back.
    deaths: int = 0


class Agenda(Protocol):
    """Who works on what, and when. Level-triggered: losing or repeating a nudge does no harm."""

    def nudge(self, *dues: Due) -> None:
        """Pull due dates forward, all in one transaction; never pushes one back."""
        ...

    def take(self, now: float, admits: Callable[[Due], bool] = lambda _: True, *, within: str = "") -> Due | None:
        """Return the most urgent row that is due, that nobody holds and that ``admits`` says yes to, and hold it.

        ``within`` is what the names of all that it would say yes to begin with: the others need not be read.
        """
        ...

    def wait(self, timeout_s: float) -> None:
        """Wait until something may be due, or ``timeout_s`` seconds have passed; never returns for a held row."""
        ...

    def hold(self, stack: str, *, doubted: bool = False) -> AbstractContextManager[None]:
        """Hold a stack for as long as the block runs. Raises Conflict (HF-4203) naming the holder where it is held.

        ``doubted`` takes a holder of whom nothing can be proven for gone: a person says so.
        """
        ...

    def doubtful(self, stack: str) -> str:
        """Return who holds a stack of whom nothing can be proven from here, empty where there is no such holder."""
        ...

    def is_held(self, stack: str) -> bool:
        """Whether somebody holds a stack who is not known to be gone. Only looks."""
        ...

    def others_wait(self, due: Due) -> bool:
        """Whether another row, as urgent and due as long as this one or more, is one that nobody works on."""
        ...

    def rest(self, due: Due) -> None:
        """Give back a taken row with its next due date; one that is due at ``inf`` is dropped until the next nudge."""
        ...

    def waiting(self) -> Sequence[Due]:
        """Return every row, soonest first."""
        ...

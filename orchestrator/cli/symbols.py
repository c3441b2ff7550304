"""One symbol, one word and one style for each kind of change; colour never speaks alone."""

from __future__ import annotations

from typing import Final, NamedTuple

from adapters.contract import ChangeKind
from orchestrator.model.observed import Counts
from orchestrator.telling.changes import by_risk
from orchestrator.telling.counts import NOTHING, SYMBOLS, WORDS, counted, numbers

__all__ = ["DEFERRED", "DONE", "FAILED", "NONE", "SIGNS", "Sign", "by_risk", "counted", "tally"]


class Sign(NamedTuple):
    """How one kind of change looks and reads."""

    symbol: str
    #: For ``--plain`` and totals: what happens to the resource.
    word: str
    #: A rich style.
    style: str


#: In the order of showing: what may lose something comes first.
SIGNS: Final[dict[ChangeKind, Sign]] = {
    ChangeKind.DELETE: Sign(SYMBOLS[ChangeKind.DELETE], WORDS[ChangeKind.DELETE], "bold red"),
    ChangeKind.REPLACE: Sign(SYMBOLS[ChangeKind.REPLACE], WORDS[ChangeKind.REPLACE], "bold magenta"),
    ChangeKind.UNKNOWN: Sign(SYMBOLS[ChangeKind.UNKNOWN], WORDS[ChangeKind.UNKNOWN], "bold yellow"),
    ChangeKind.UPDATE: Sign(SYMBOLS[ChangeKind.UPDATE], WORDS[ChangeKind.UPDATE], "yellow"),
    ChangeKind.CREATE: Sign(SYMBOLS[ChangeKind.CREATE], WORDS[ChangeKind.CREATE], "green"),
}
NONE: Final = Sign(NOTHING, "none", "dim")
DEFERRED: Final = Sign("⌛", "deferred", "cyan")
FAILED: Final = Sign("✗", "failed", "bold red")
DONE: Final = Sign("✓", "done", "green")


def tally(counts: Counts) -> list[tuple[Sign, int]]:
    """Return each kind that occurs with its number, destructive ones first."""
    return [(SIGNS[kind], number) for kind, number in numbers(counts).items()]

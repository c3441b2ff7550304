"""One symbol, one word and one style for each kind of change; colour never speaks alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from adapters.contract import Change, ChangeKind
from orchestrator.model.observed import Counts
from orchestrator.telling.counts import NOTHING, SYMBOLS, numbers


class Sign(NamedTuple):
    """How one kind of change looks and reads."""

    symbol: str
    #: For ``--plain`` and totals: what happens to the resource.
    word: str
    #: A rich style.
    style: str


#: In the order of showing: what may lose something comes first.
SIGNS: Final[dict[ChangeKind, Sign]] = {
    ChangeKind.DELETE: Sign(SYMBOLS[ChangeKind.DELETE], "destroy", "bold red"),
    ChangeKind.REPLACE: Sign(SYMBOLS[ChangeKind.REPLACE], "replace", "bold magenta"),
    ChangeKind.UNKNOWN: Sign(SYMBOLS[ChangeKind.UNKNOWN], "unknown", "bold yellow"),
    ChangeKind.UPDATE: Sign(SYMBOLS[ChangeKind.UPDATE], "change", "yellow"),
    ChangeKind.CREATE: Sign(SYMBOLS[ChangeKind.CREATE], "add", "green"),
}
NONE: Final = Sign(NOTHING, "none", "dim")
DEFERRED: Final = Sign("⌛", "deferred", "cyan")
FAILED: Final = Sign("✗", "failed", "bold red")
DONE: Final = Sign("✓", "done", "green")

_ORDER = tuple(SIGNS)


def by_risk(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the destructive ones first, then by address."""
    return sorted(changes, key=lambda change: (_ORDER.index(change.kind), change.address))


def tally(counts: Counts) -> list[tuple[Sign, int]]:
    """Return each kind that occurs with its number, destructive ones first."""
    return [(SIGNS[kind], number) for kind, number in numbers(counts).items()]

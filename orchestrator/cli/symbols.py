"""One symbol, one word and one style for each kind of change; colour never speaks alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from adapters.contract import Change, ChangeKind
from orchestrator.model.observed import Counts


class Sign(NamedTuple):
    """How one kind of change looks and reads."""

    symbol: str
    #: For ``--plain`` and totals: what happens to the resource.
    word: str
    #: A rich style.
    style: str


#: In the order of showing: what may lose something comes first.
SIGNS: Final[dict[ChangeKind, Sign]] = {
    ChangeKind.DELETE: Sign("-", "destroy", "bold red"),
    ChangeKind.REPLACE: Sign("±", "replace", "bold magenta"),
    ChangeKind.UNKNOWN: Sign("?", "unknown", "bold yellow"),
    ChangeKind.UPDATE: Sign("~", "change", "yellow"),
    ChangeKind.CREATE: Sign("+", "add", "green"),
}
NONE: Final = Sign("=", "none", "dim")
DEFERRED: Final = Sign("⌛", "deferred", "cyan")
FAILED: Final = Sign("✗", "failed", "bold red")
DONE: Final = Sign("✓", "done", "green")

_ORDER = tuple(SIGNS)


def by_risk(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the destructive ones first, then by address."""
    return sorted(changes, key=lambda change: (_ORDER.index(change.kind), change.address))


def tally(counts: Counts) -> list[tuple[Sign, int]]:
    """Return each kind that occurs with its number, destructive ones first."""
    numbers = {
        ChangeKind.DELETE: counts.delete,
        ChangeKind.REPLACE: counts.replace,
        ChangeKind.UNKNOWN: counts.unknown,
        ChangeKind.UPDATE: counts.update,
        ChangeKind.CREATE: counts.create,
    }
    return [(SIGNS[kind], number) for kind, number in numbers.items() if number]


def short(counts: Counts) -> str:
    """Return ``-1 ±1 ~2 +3``, or ``=`` where nothing changes."""
    return " ".join(f"{sign.symbol}{number}" for sign, number in tally(counts)) or NONE.symbol


def counted(number: int, one: str) -> str:
    """Return a number with its noun: ``1 stack``, ``2 stacks``."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def lost(counts: Counts) -> str:
    """Return in words what may lose something: ``1 to replace, 2 to destroy``; empty where nothing does."""
    found = [f"{counts.replace} to replace"] if counts.replace else []
    found += [f"{counts.delete} to destroy"] if counts.delete else []
    found += [f"{counts.unknown} unknown until apply"] if counts.unknown else []
    return ", ".join(found)

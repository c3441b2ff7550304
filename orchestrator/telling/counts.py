"""How many resources a plan touches, by kind, as people and programs are told. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from adapters.contract import ChangeKind, Json, Plan
from orchestrator.model.observed import Counts

#: In the order of showing: what may lose something comes first.
SYMBOLS: Final[dict[ChangeKind, str]] = {
    ChangeKind.DELETE: "-",
    ChangeKind.REPLACE: "±",
    ChangeKind.UNKNOWN: "?",
    ChangeKind.UPDATE: "~",
    ChangeKind.CREATE: "+",
}
#: What happens to the resource, for ``--plain`` and totals.
WORDS: Final[dict[ChangeKind, str]] = {
    ChangeKind.DELETE: "destroy",
    ChangeKind.REPLACE: "replace",
    ChangeKind.UNKNOWN: "unknown",
    ChangeKind.UPDATE: "change",
    ChangeKind.CREATE: "add",
}
#: What stands for a plan that changes nothing.
NOTHING: Final = "="


def numbers(counts: Counts) -> dict[ChangeKind, int]:
    """Return the number of each kind that occurs, destructive ones first."""
    found = {
        ChangeKind.DELETE: counts.delete,
        ChangeKind.REPLACE: counts.replace,
        ChangeKind.UNKNOWN: counts.unknown,
        ChangeKind.UPDATE: counts.update,
        ChangeKind.CREATE: counts.create,
    }
    return {kind: number for kind, number in found.items() if number}


def short(counts: Counts) -> str:
    """Return ``-1 ±1 ~2 +3``, or ``=`` where nothing changes."""
    return " ".join(f"{SYMBOLS[kind]}{number}" for kind, number in numbers(counts).items()) or NOTHING


def besides(counts: Counts, outputs_changing: Sequence[str]) -> list[str]:
    """Name what a plan does without changing a resource. The outputs' names are as the tool gives them."""
    found = [f"{counts.moved} renamed"] if counts.moved else []
    found += [f"{counts.imported} taken over"] if counts.imported else []
    return [*found, "outputs: " + ", ".join(outputs_changing)] if outputs_changing else found


def counted(number: int, one: str) -> str:
    """Return a number with its noun: ``1 stack``, ``2 stacks``."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def lost(counts: Counts) -> str:
    """Return in words what may lose something: ``1 to replace, 2 to destroy``; empty where nothing does."""
    found = [f"{counts.replace} to replace"] if counts.replace else []
    found += [f"{counts.delete} to destroy"] if counts.delete else []
    found += [f"{counts.unknown} unknown until apply"] if counts.unknown else []
    return ", ".join(found)


def total(every: Iterable[Counts]) -> Counts:
    """Return the sum of all."""
    known = list(every)
    return Counts(
        create=sum(counts.create for counts in known),
        update=sum(counts.update for counts in known),
        replace=sum(counts.replace for counts in known),
        delete=sum(counts.delete for counts in known),
        unknown=sum(counts.unknown for counts in known),
        moved=sum(counts.moved for counts in known),
        imported=sum(counts.imported for counts in known),
    )


def of_plan(plan: Plan) -> Counts:
    """Count what a plan would do."""
    kinds = Counter(change.kind for change in plan.changes)
    return Counts(
        create=kinds[ChangeKind.CREATE],
        update=kinds[ChangeKind.UPDATE],
        replace=kinds[ChangeKind.REPLACE],
        delete=kinds[ChangeKind.DELETE],
        unknown=kinds[ChangeKind.UNKNOWN],
        moved=plan.moved,
        imported=plan.imported,
    )


def value(counts: Counts) -> dict[str, Json]:
    """Return counts for programs: every kind is always there."""
    return {
        "create": counts.create,
        "update": counts.update,
        "replace": counts.replace,
        "delete": counts.delete,
        "unknown": counts.unknown,
        "moved": counts.moved,
        "imported": counts.imported,
    }

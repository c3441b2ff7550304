"""What differs from what was applied, and what nobody can see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import AttributeChange, ChangeKind, DriftItem, Json
from orchestrator.cli import show_changes
from orchestrator.cli.moments import age, stamp
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.cli.symbols import FAILED, counted
from orchestrator.cli.values import before_and_after
from orchestrator.model.observed import Drift, Looks
from orchestrator.model.stack import StackKey

#: What happened to a resource behind the tool's back, in words.
_WORDS = {
    ChangeKind.CREATE: "appeared",
    ChangeKind.UPDATE: "changed",
    ChangeKind.REPLACE: "replaced",
    ChangeKind.DELETE: "is gone",
    ChangeKind.UNKNOWN: "differs, nobody knows how",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a look at one stack found."""

    key: StackKey
    #: None where the world is as it was applied.
    drift: Drift | None
    looks: Looks
    blind_spots: tuple[str, ...] = ()
    #: Why nothing can be said: the look failed, or nothing was ever applied.
    problem: str = ""
    code: str = ""


def page(rows: Sequence[Row], now: float) -> Page:
    """Return drift in every form; ``now`` in seconds since the epoch."""
    return Page(
        value=lambda: {"stacks": [_value(row) for row in rows], "drifted": sum(row.drift is not None for row in rows)},
        records=lambda: [record for row in rows for record in _records(row)],
        view=lambda whole: view(rows, now, whole=whole),
    )


def view(rows: Sequence[Row], now: float, *, whole: bool) -> RenderableType:
    """Return the list for people: what drifted, then what is fine, then what nobody sees."""
    parts: list[RenderableType] = []
    for row in sorted(rows, key=lambda one: one.drift is None):
        parts += _stack(row, now, whole=whole)
    spots = sorted({spot for row in rows for spot in row.blind_spots})
    if spots:
        parts += [Text(), Text("not looked at:", style="dim"), *(Text(f"  {printable(s)}", style="dim") for s in spots)]
    return Group(*parts, Text(), Text(totals(rows), style="bold"))


def _stack(row: Row, now: float, *, whole: bool) -> Iterator[RenderableType]:
    head = Text("  ").append(row.key.short, style="bold")
    if row.problem:
        yield head.append(f"  {FAILED.symbol} {printable(row.problem)}", style=FAILED.style)
        return
    if row.drift is None:
        yield head.append("  = as applied", style="dim")
        return
    drift = row.drift
    times = "once" if row.looks.drift_seen == 1 else f"{row.looks.drift_seen} times"
    seen = f"first seen {age(now - drift.first_seen)} ago, seen {times}, at {drift.revision[:7]}"
    yield head.append(f"  ▲ {len(drift.items)} drifted", style="bold yellow").append(f"  {seen}", style="dim")
    for item in drift.items:
        yield from _item(item, whole=whole)


def _item(item: DriftItem, *, whole: bool) -> Iterator[RenderableType]:
    change = item.change
    head = Text("    ").append(printable(change.address), style="yellow").append(f"  {_WORDS[change.kind]}")
    yield head.append(f"  {_fate(item)}", style="dim")
    table = Table.grid(padding=(0, 2, 0, 0))
    for attribute in change.attributes:
        expected, actual = before_and_after(attribute, whole=whole)
        table.add_row("       ", Text(printable(attribute.path)), Text(f"expected {expected}"), Text(f"is {actual}"))
    if change.attributes:
        yield table


def _fate(item: DriftItem) -> str:
    return "the next apply puts it back" if item.will_be_reverted else "no apply puts it back"


def totals(rows: Sequence[Row]) -> str:
    """Return the one line that says it all."""
    drifted = [row for row in rows if row.drift]
    failed = sum(bool(row.problem) for row in rows)
    unsaid = f"of {counted(failed, 'stack')} nothing can be said"
    if not rows:
        return "No stacks."
    if failed == len(rows):
        return f"{unsaid[:1].upper()}{unsaid[1:]}."
    unsaid = f"; {unsaid}" if failed else ""
    if not drifted:
        return f"No drift in {counted(len(rows) - failed, 'stack')}{unsaid}."
    number = sum(len(row.drift.items) for row in drifted if row.drift)
    return f"{number} drifted in {len(drifted)} of {counted(len(rows), 'stack')}{unsaid}."


def _records(row: Row) -> Iterator[tuple[str, ...]]:
    if row.drift is None:
        yield row.key.short, "unknown" if row.problem else "none", "", "", "", "", row.problem
        return
    for item in row.drift.items:
        fate = "reverted" if item.will_be_reverted else "kept"
        for attribute in item.change.attributes or (AttributeChange(path="", before=None, after=None),):
            expected, actual = before_and_after(attribute, whole=True)
            change = item.change
            yield row.key.short, change.kind.value, change.address, attribute.path, expected, actual, fate


def _value(row: Row) -> Json:
    drift = row.drift
    return {
        "stack": row.key.short,
        "key": str(row.key),
        "drifted": None if row.problem else drift is not None,
        "looked_at": stamp(row.looks.drift_at) or None,
        "first_seen": stamp(drift.first_seen) if drift else None,
        "last_seen": stamp(row.looks.drift_seen_at) if drift else None,
        "times": row.looks.drift_seen if drift else 0,
        "revision": drift.revision if drift else None,
        "items": [
            {"will_be_reverted": item.will_be_reverted, "change": show_changes.value(item.change)}
            for item in (drift.items if drift else ())
        ],
        "blind_spots": list(row.blind_spots),
        "problem": row.problem,
        "code": row.code,
    }

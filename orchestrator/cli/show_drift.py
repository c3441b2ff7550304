"""What differs from what was applied, what is said beside it, and what nobody can see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import AttributeChange, ChangeKind, DriftItem, Json
from orchestrator.cli.moments import age
from orchestrator.cli.options import Form
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.cli.symbols import FAILED
from orchestrator.model.observed import Looks
from orchestrator.model.stack import StackKey
from orchestrator.rules.judged import Judged
from orchestrator.telling.counts import counted
from orchestrator.telling.drift import Said
from orchestrator.telling.drift import value as drift_value
from orchestrator.telling.judged import sentences
from orchestrator.telling.values import before_and_after
from orchestrator.telling.witnesses import beside, by_whom

#: What happened to a resource behind the tool's back, in words.
WORDS = {
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
    #: What differs, and what counts of it.
    judged: Judged = field(default_factory=Judged)
    looks: Looks
    blind_spots: tuple[str, ...] = ()
    #: Why nothing can be said: the look failed, or nothing was ever applied.
    problem: str = ""
    code: str = ""
    #: What was done about it, in words; empty where nobody asked.
    answered: str = ""

    @property
    def said(self) -> Said:
        """What is said beside the differences."""
        return Said(blind_spots=self.blind_spots, problem=self.problem, code=self.code, answered=self.answered)

    @property
    def items(self) -> tuple[DriftItem, ...]:
        """What counts as drift."""
        return self.judged.drift.items if self.judged.drift else ()


def page(rows: Sequence[Row], now: float) -> Page:
    """Return drift in every form; ``now`` in seconds since the epoch."""
    return Page(
        value=lambda: {"stacks": [_value(row) for row in rows], "drifted": sum(bool(row.items) for row in rows)},
        records=lambda: [record for row in rows for record in _records(row)],
        view=lambda whole: view(rows, now, whole=whole),
        more={Form.GITHUB: lambda: _github(rows, now)},
    )


def _github(rows: Sequence[Row], now: float) -> str:
    from orchestrator.cli.show_github import drifts  # noqa: PLC0415 -- it draws with what is here

    return drifts(rows, now)


def view(rows: Sequence[Row], now: float, *, whole: bool) -> RenderableType:
    """Return the list for people: what drifted, then what is fine, then what nobody sees."""
    parts: list[RenderableType] = []
    for row in sorted(rows, key=lambda one: not one.items):
        parts += _stack(row, now, whole=whole)
    spots = sorted({spot for row in rows for spot in row.blind_spots})
    if spots:
        parts += [Text(), Text("not looked at:", style="dim"), *(Text(f"  {printable(s)}", style="dim") for s in spots)]
    return Group(*parts, Text(), Text(totals(rows), style="bold"))


def _stack(row: Row, now: float, *, whole: bool) -> Iterator[RenderableType]:
    yield _head(row, now)
    for item in row.items:
        yield from _item(row, item, whole=whole)
    if row.problem and not row.items:
        return
    for line in sentences(row.judged, row.key.short):
        style = "bold red" if line.startswith("recurring") else "dim"
        yield Text(f"    {printable(line)}", style=style)
    for item in (*row.judged.unconfirmed, *(one.item for one in row.judged.ignored)) if whole else ():
        yield from _item(row, item, whole=whole)
    if row.answered:
        yield Text(f"    {printable(row.answered)}", style="bold")


def _head(row: Row, now: float) -> Text:
    head = Text("  ").append(row.key.short, style="bold")
    if row.problem:
        return head.append(f"  {FAILED.symbol} {printable(row.problem)}", style=FAILED.style)
    drift, it = row.judged.drift, row.judged
    if drift is None:
        beside = [f"{len(it.unconfirmed)} to be confirmed"] if it.unconfirmed else []
        beside += [f"{len(it.ignored)} ignored"] if it.ignored else []
        return head.append("  " + (f"= but for {', '.join(beside)}" if beside else "= as applied"), style="dim")
    often = max(it.times(item, row.looks) for item in drift.items)
    often = max(often, row.looks.drift_seen if not row.looks.sightings else 0)
    times = "once" if often == 1 else f"{often} times"
    seen = f"first seen {age(now - drift.first_seen)} ago, seen {times}, at {drift.revision[:7]}"
    return head.append(f"  ▲ {len(drift.items)} drifted", style="bold yellow").append(f"  {seen}", style="dim")


def _item(row: Row, item: DriftItem, *, whole: bool) -> Iterator[RenderableType]:
    change = item.change
    head = Text("    ").append(printable(change.address), style="yellow").append(f"  {WORDS[change.kind]}")
    occasions = row.judged.occasions(item)
    again = f", for the {occasions}. time" if occasions > 1 else ""
    yield head.append(f"  {_fate(item)}{again}", style="dim")
    table = Table.grid(padding=(0, 2, 0, 0))
    for attribute in change.attributes:
        expected, actual = before_and_after(attribute, whole=whole)
        table.add_row("       ", Text(printable(attribute.path)), Text(f"expected {expected}"), Text(f"is {actual}"))
    if change.attributes:
        yield table
    said = row.judged.witnessed(item)
    if said is not None:
        yield from (Text(f"       {printable(line)}") for line in (by_whom(said), *(beside(said) if whole else ())))


def _fate(item: DriftItem) -> str:
    return "the next apply puts it back" if item.will_be_reverted else "no apply puts it back"


def totals(rows: Sequence[Row]) -> str:
    """Return the one line that says it all."""
    drifted = [row for row in rows if row.items]
    failed = sum(bool(row.problem) for row in rows)
    unsaid = f"of {counted(failed, 'stack')} nothing can be said"
    if not rows:
        return "Nothing here is applied: there is nothing to look at."
    if failed == len(rows):
        return f"{unsaid[:1].upper()}{unsaid[1:]}."
    unsaid = f"; {unsaid}" if failed else ""
    beside = {
        "to be confirmed": sum(len(row.judged.unconfirmed) for row in rows),
        "ignored": sum(len(row.judged.ignored) for row in rows),
    }
    known = "".join(f"; {number} {word}" for word, number in beside.items() if number)
    if not drifted:
        return f"No drift in {counted(len(rows) - failed, 'stack')}{known}{unsaid}."
    number = sum(len(row.items) for row in drifted)
    return f"{number} drifted in {len(drifted)} of {counted(len(rows), 'stack')}{known}{unsaid}."


def _records(row: Row) -> Iterator[tuple[str, ...]]:
    it = row.judged
    if not row.items:
        yield row.key.short, "unknown" if row.problem else "none", "", "", "", "", row.problem
    for item in row.items:
        yield from _lines(row, item, "reverted" if item.will_be_reverted else "kept")
    for item in it.unconfirmed:
        yield from _lines(row, item, "unconfirmed")
    for one in it.ignored:
        yield from _lines(row, one.item, "ignored")


def _lines(row: Row, item: DriftItem, fate: str) -> Iterator[tuple[str, ...]]:
    change = item.change
    for attribute in change.attributes or (AttributeChange(path="", before=None, after=None),):
        expected, actual = before_and_after(attribute, whole=True)
        yield row.key.short, change.kind.value, change.address, attribute.path, expected, actual, fate


def _value(row: Row) -> Json:
    return drift_value(row.key, row.judged, row.looks, row.said)

"""Each occurrence of drift that a stack's state still holds, the newest last: since when, until when, how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from adapters.contract import ChangeKind
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.drift import Ending, Occurrence
from orchestrator.model.moment import stamp
from orchestrator.model.stack import StackKey
from orchestrator.rules.difference import Difference
from orchestrator.rules.judged import Judged
from orchestrator.telling.counts import counted
from orchestrator.telling.drift import history_value
from orchestrator.telling.judged import sentences
from orchestrator.telling.witnesses import beside, by_whom


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One stack's drift through time."""

    key: StackKey
    judged: Judged


def page(rows: Sequence[History]) -> Page:
    """Return the history in every form."""
    return Page(
        value=lambda: {"stacks": [history_value(row.key, row.judged) for row in rows]},
        records=lambda: [_record(row.key, one) for row in rows for one in row.judged.occurrences],
        view=lambda _: Group(*(line for row in rows for line in _stack(row)), Text(), Text(totals(rows), style="bold")),
    )


def totals(rows: Sequence[History]) -> str:
    """Return the one line that says it all."""
    every = [one for row in rows for one in row.judged.occurrences]
    lasts = sum(one.ended is None for one in every)
    repaired = sum(one.ended is Ending.REPAIRED for one in every)
    if not every:
        return "No drift was ever seen."
    return f"{counted(len(every), 'occurrence')}, {lasts} of them not over, {repaired} repaired."


def _stack(row: History) -> Iterator[RenderableType]:
    yield Text("  ").append(row.key.short, style="bold")
    for one in row.judged.occurrences:
        head = Text(f"    {stamp(one.since)}  ").append(
            printable(str(Difference(address=one.address, path=one.path))), style="yellow"
        )
        yield head.append(f"  {printable(_values(one))}").append(f"  {ending(one)}", style="dim")
        for line in (by_whom(one.testimonies), *beside(one.testimonies)) if one.asked_at else ():
            yield Text(f"        {printable(line)}", style="dim")
    for line in sentences(row.judged, row.key.short):
        yield Text(f"    {printable(line)}", style="bold red" if line.startswith("recurring") else "dim")


def _values(one: Occurrence) -> str:
    if one.path:
        return f"{one.expected} → {one.actual}"
    return {ChangeKind.DELETE: "is gone", ChangeKind.CREATE: "appeared"}.get(one.kind, "differs")


def ending(one: Occurrence) -> str:
    """Return how an occurrence ended, in words."""
    by = f" by {one.by}" if one.by else ""
    run = f" in run {one.run}{by}" if one.run else ""
    tried = f", after run {one.run}{by} had tried" if one.run else ""
    words = {
        None: f"not over{tried and f'; run {one.run}{by} tried in vain'}",
        Ending.REPAIRED: f"repaired{run}",
        Ending.SUPERSEDED: f"another revision was applied over it{run}",
        Ending.ADOPTED: f"adopted{run}",
        Ending.CHANGED: f"changed once more{tried}",
        Ending.GONE: f"gone{tried or ' by itself'}",
        Ending.DESTROYED: f"taken down{run}",
    }
    at = f" at {stamp(one.until)}" if one.until else ""
    return f"{words[one.ended]}{at}"


def _record(key: StackKey, one: Occurrence) -> tuple[str, ...]:
    return (
        key.short,
        stamp(one.since),
        stamp(one.until or 0.0),
        one.ended.value if one.ended else "",
        one.address,
        one.path,
        one.expected,
        one.actual,
        str(one.run or ""),
        one.by,
    )

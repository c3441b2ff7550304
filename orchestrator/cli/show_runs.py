"""What was done: the list of runs, and one run as a timeline."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.cli.moments import age
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.moment import stamp
from orchestrator.telling.events import sentence
from orchestrator.telling.intents import why
from orchestrator.telling.runs import Result, Row, event_value, short_name, value

_STYLES = {
    Result.RUNNING: ("◐", "cyan"),
    Result.SUCCESS: ("✓", "green"),
    Result.FAILURE: ("✗", "bold red"),
    Result.WAITING: ("⏸", "yellow"),
    Result.UNKNOWN: ("?", "magenta"),
}


def page(rows: Sequence[Row], now: float) -> Page:
    """Return the list in every form."""
    return Page(
        value=lambda: {"runs": [value(row) for row in rows]},
        records=lambda: [_record(row) for row in rows],
        view=lambda whole: _view(rows, now, whole=whole),
    )


def _view(rows: Sequence[Row], now: float, *, whole: bool) -> RenderableType:
    if not rows:
        return Text("No runs yet.", style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("RUN", "DID", "RESULT", "REVISION", "BY", "AGE", "TOOK"):
        table.add_column(heading, no_wrap=True)
    table.add_column("STACKS", overflow="fold" if whole else "ellipsis", no_wrap=not whole)
    if whole:
        table.add_column("WHY", overflow="fold")
    for row in rows:
        mark, style = _STYLES[row.result]
        run = row.run
        took = age(run.ended_at - run.at) if run.ended_at else ""
        table.add_row(
            Text(str(run.number), style="bold"),
            Text(run.verb),
            Text(f"{mark} {row.result.value}", style=style),
            Text(run.revision[:7]),
            Text(printable(run.actor)),
            Text(age(now - run.at)),
            Text(took),
            Text(printable(", ".join(row.stacks))),
            *([Text(printable("; ".join(dict.fromkeys(why(one.intent) for _, one in row.intents))))] if whole else []),
        )
    return table


def _record(row: Row) -> tuple[str, ...]:
    run = row.run
    ended = stamp(run.ended_at or 0.0)
    return (
        str(run.number),
        run.verb,
        row.result.value,
        run.revision,
        run.actor,
        stamp(run.at),
        ended,
        ",".join(row.stacks),
    )


def timeline(row: Row) -> Page:
    """Return one run, event by event, in every form."""
    return Page(
        value=lambda: {**value(row, whole=True), "events": [event_value(entry) for entry in row.entries]},
        records=lambda: [
            (stamp(entry.at), short_name(entry.stack), entry.event.kind, sentence(entry.event)) for entry in row.entries
        ],
        view=lambda _: _timeline(row),
    )


def _timeline(row: Row) -> RenderableType:
    run, (mark, style) = row.run, _STYLES[row.result]
    head = Text(f"run {run.number}", style="bold").append(f"  {run.verb}  {run.revision[:7]}  {printable(run.actor)}")
    table = Table.grid(padding=(0, 2, 0, 0))
    for entry in row.entries:
        since = Text(f"+{age(entry.at - run.at)}", style="dim", justify="right")
        name = Text(printable(short_name(entry.stack)), style="bold")
        table.add_row(Text(" "), since, name, Text(printable(sentence(entry.event))))
    return Group(head, table, Text(), Text(f"{mark} {row.result.value}", style=style))

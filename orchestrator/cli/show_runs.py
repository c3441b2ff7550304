"""What was done: the list of runs, and one run as a timeline. Printed from the documents that programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.cli.moments import age
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.moment import moment_of
from orchestrator.telling.runs import Result, Row, event_value, value

#: A run as `telling.runs.value` tells of it.
Document: TypeAlias = Mapping[str, Any]

_STYLES = {
    Result.RUNNING: ("◐", "cyan"),
    Result.SUCCESS: ("✓", "green"),
    Result.FAILURE: ("✗", "bold red"),
    Result.WAITING: ("⏸", "yellow"),
    Result.UNKNOWN: ("?", "magenta"),
}


def page(rows: Sequence[Row], now: float) -> Page:
    """Return the list in every form."""
    return page_of([value(row) for row in rows], now)


def page_of(documents: Sequence[Document], now: float) -> Page:
    """Return the list of documents such as `telling.runs.value` makes, in every form."""
    return Page(
        value=lambda: {"runs": [dict(one) for one in documents]},
        records=lambda: [_record(row) for row in documents],
        view=lambda whole: _view(documents, now, whole=whole),
    )


def _view(rows: Sequence[Document], now: float, *, whole: bool) -> RenderableType:
    if not rows:
        return Text("No runs yet.", style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("RUN", "DID", "RESULT", "REVISION", "BY", "AGE", "TOOK"):
        table.add_column(heading, no_wrap=True)
    table.add_column("STACKS", overflow="fold" if whole else "ellipsis", no_wrap=not whole)
    if whole:
        table.add_column("WHY", overflow="fold")
    for row in rows:
        mark, style = _STYLES[Result(row["result"])]
        began, ended = moment_of(row["started_at"]), moment_of(row["ended_at"])
        table.add_row(
            Text(str(row["run"]), style="bold"),
            Text(row["verb"]),
            Text(f"{mark} {row['result']}", style=style),
            Text(row["revision"][:7]),
            Text(printable(row["actor"])),
            Text(age(now - began)),
            Text(age(ended - began) if ended else ""),
            Text(printable(", ".join(row["stacks"]))),
            *([Text(printable("; ".join(dict.fromkeys(one["why"] for one in row["intents"]))))] if whole else []),
        )
    return table


def _record(row: Document) -> tuple[str, ...]:
    return (
        str(row["run"]),
        row["verb"],
        row["result"],
        row["revision"],
        row["actor"],
        row["started_at"],
        row["ended_at"] or "",
        ",".join(row["stacks"]),
    )


def timeline(row: Row) -> Page:
    """Return one run, event by event, in every form."""
    return timeline_of({**value(row, whole=True), "events": [event_value(entry) for entry in row.entries]})


def timeline_of(document: Document) -> Page:
    """Return the document of one run with its ``events`` in every form."""
    return Page(
        value=lambda: dict(document),
        records=lambda: [(one["at"], one["stack"], one["kind"], one["sentence"]) for one in document["events"]],
        view=lambda _: _timeline(document),
    )


def _timeline(row: Document) -> RenderableType:
    mark, style = _STYLES[Result(row["result"])]
    head = Text(f"run {row['run']}", style="bold")
    head.append(f"  {row['verb']}  {row['revision'][:7]}  {printable(row['actor'])}")
    table, began = Table.grid(padding=(0, 2, 0, 0)), moment_of(row["started_at"])
    for one in row["events"]:
        since = Text(f"+{age(moment_of(one['at']) - began)}", style="dim", justify="right")
        name = Text(printable(one["stack"]), style="bold")
        table.add_row(Text(" "), since, name, Text(printable(one["sentence"])))
    return Group(head, table, Text(), Text(f"{mark} {row['result']}", style=style))

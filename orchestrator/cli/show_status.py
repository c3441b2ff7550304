"""The table of the two axes, printed from the document that programs read: whoever worked it out, it reads the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestrator.cli.moments import age
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.engine.documents import standing_of
from orchestrator.engine.standings import Situation
from orchestrator.model.moment import moment_of
from orchestrator.rules.axes import Health, Sync

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

#: One stack as `standing_of` tells of it.
Document: TypeAlias = Mapping[str, Any]

#: Columns that a reason needs to be read beside its row.
_REASON_WIDTH = 36

#: A mark besides the word and the colour, for those who see no colour.
_SYNC = {Sync.SYNCED: ("●", "green"), Sync.OUT_OF_SYNC: ("◐", "yellow"), Sync.UNKNOWN: ("?", "magenta")}
_HEALTH = {
    Health.HEALTHY: ("●", "green"),
    Health.PROGRESSING: ("◐", "cyan"),
    Health.DEGRADED: ("✗", "bold red"),
    Health.MISSING: ("○", "dim"),
    Health.UNKNOWN: ("?", "magenta"),
}


def page(rows: Sequence[Situation], now: float) -> Page:
    """Return the table in every form; ``now`` in seconds since the epoch."""
    return page_of([standing_of(row) for row in rows], now)


def page_of(documents: Sequence[Document], now: float) -> Page:
    """Return the table of documents such as `standing_of` makes, in every form."""
    return Page(
        value=lambda: {"stacks": [dict(one) for one in documents]},
        records=lambda: [_record(row) for row in documents],
        view=lambda whole: view_of(documents, now, whole=whole),
        text=lambda whole: text(documents, now, whole=whole),
    )


def view(rows: Sequence[Situation], now: float, *, whole: bool) -> RenderableType:
    """Return the table for people, the totals last."""
    return view_of([standing_of(row) for row in rows], now, whole=whole)


def view_of(rows: Sequence[Document], now: float, *, whole: bool) -> RenderableType:
    """Return the table of such documents for people."""
    from rich.console import Group  # noqa: PLC0415 -- only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 -- likewise

    return Group(_Fitting(rows=rows, now=now, whole=whole), Text(), Text(totals_of(rows), style="bold"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting:
    """The table for people; where the terminal is narrow, each reason stands below its row."""

    rows: Sequence[Document]
    now: float
    whole: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        _ = console
        lines = [_headings(whole=self.whole)]
        lines += [tuple(cell for cell, _ in _cells(row, self.now, whole=self.whole)) for row in self.rows]
        short = sum(max(map(len, column)) + 2 for column in list(zip(*lines, strict=True))[:-1])
        if options.max_width - short >= _REASON_WIDTH:
            yield _table(self.rows, self.now, whole=self.whole)
        else:
            yield from _stacked(self.rows, self.now, whole=self.whole)


def _stacked(rows: Sequence[Document], now: float, *, whole: bool) -> Iterator[RenderableType]:
    from rich.padding import Padding  # noqa: PLC0415 -- only a narrow terminal needs it
    from rich.text import Text  # noqa: PLC0415 -- likewise

    heads = [(text, "dim") for text in _headings(whole=whole)]
    lines = [heads, *(_cells(row, now, whole=whole) for row in rows)]
    widths = [max(len(text) for text, _ in column) for column in list(zip(*lines, strict=True))[:-1]]
    for line in lines:
        head = Text(no_wrap=True, overflow="ellipsis")
        for (text, style), width in zip(line, widths, strict=False):
            head.append(text, style=style).append(" " * (width - len(text) + 2))
        head.rstrip()
        yield head
        if line is not heads:
            yield Padding(Text(line[-1][0], style=line[-1][1]), (0, 0, 0, 4))


def _table(rows: Sequence[Document], now: float, *, whole: bool) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415 -- only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 -- likewise

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    *short, last = _headings(whole=whole)
    for heading in short:
        table.add_column(heading, no_wrap=True)
    table.add_column(last, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text, style=style) for text, style in _cells(row, now, whole=whole)))
    return table


def text(rows: Sequence[Document], now: float, *, whole: bool) -> str:
    """Return the same table as plain text."""
    lines = [_headings(whole=whole)]
    lines += [tuple(cell for cell, _ in _cells(row, now, whole=whole)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, "", totals_of(rows)]) + "\n"


def _headings(*, whole: bool) -> tuple[str, ...]:
    more = ("ASKED", "RUN") if whole else ()
    return ("STACK", "TOOL", "SYNC", "HEALTH", "REVISION", "AGE", *more, "WHY")


def _cells(row: Document, now: float, *, whole: bool) -> list[tuple[str, str]]:
    """Return text and style of each cell."""
    applied = moment_of(row["applied_at"])
    revision, since = (row["revision"][:7], age(now - applied)) if applied else ("-", "-")
    cells = [(row["stack"], "bold"), (row["tool"], ""), _sync(row), _health(row), (revision, ""), (since, "")]
    if whole:
        cells += [((row["asked_revision"] or "")[:7], ""), (str(row["run"]) if applied else "", "")]
    return [*cells, (printable(row["why"]), "dim")]


def _sync(row: Document) -> tuple[str, str]:
    sync = Sync(row["sync"])
    mark, style = _SYNC[sync]
    drifted = f" ▲{row['drifted']} drifted" if row["drifted"] else ""
    held = " held" if row["hold"] else ""
    suspended = " suspended" if row["suspensions"] else ""
    return f"{mark} {sync.value}{drifted}{held}{suspended}", style


def _health(row: Document) -> tuple[str, str]:
    health = Health(row["health"])
    mark, style = _HEALTH[health]
    return f"{mark} {health.value}", style


def totals(rows: Sequence[Situation]) -> str:
    """Return the one line that says it all."""
    return totals_of([standing_of(row) for row in rows])


def totals_of(rows: Sequence[Document]) -> str:
    """Return the one line that says it all of such documents."""
    if not rows:
        return "No stacks."
    ready = sum(row["conditions"]["Ready"] for row in rows)
    if ready == len(rows):
        return f"All {len(rows)} ready." if len(rows) > 1 else "Ready."
    numbers = {
        "out of sync": sum(row["sync"] == Sync.OUT_OF_SYNC for row in rows),
        "drifted": sum(bool(row["drifted"]) for row in rows),
        "degraded": sum(row["health"] == Health.DEGRADED for row in rows),
        "unknown": sum(row["sync"] == Sync.UNKNOWN for row in rows),
    }
    rest = ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
    return f"{ready} of {len(rows)} ready{f'; {rest}' if rest else ''}."


def _record(row: Document) -> tuple[str, ...]:
    return (
        row["stack"],
        row["tool"],
        row["sync"],
        row["health"],
        row["revision"] or "",
        row["applied_at"] or "",
        str(row["drifted"]),
        row["why"],
    )

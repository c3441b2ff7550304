"""The table of the two axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.cli.moments import age
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.engine.documents import standing_of
from orchestrator.engine.standings import Situation
from orchestrator.model.moment import stamp
from orchestrator.rules.axes import Health, Sync

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

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
    return Page(
        value=lambda: {"stacks": [standing_of(row) for row in rows]},
        records=lambda: [_record(row) for row in rows],
        view=lambda whole: view(rows, now, whole=whole),
        text=lambda whole: text(rows, now, whole=whole),
    )


def view(rows: Sequence[Situation], now: float, *, whole: bool) -> RenderableType:
    """Return the table for people, the totals last."""
    from rich.console import Group  # noqa: PLC0415 -- only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 -- likewise

    return Group(_Fitting(rows=rows, now=now, whole=whole), Text(), Text(totals(rows), style="bold"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting:
    """The table for people; where the terminal is narrow, each reason stands below its row."""

    rows: Sequence[Situation]
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


def _stacked(rows: Sequence[Situation], now: float, *, whole: bool) -> Iterator[RenderableType]:
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


def _table(rows: Sequence[Situation], now: float, *, whole: bool) -> RenderableType:
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


def text(rows: Sequence[Situation], now: float, *, whole: bool) -> str:
    """Return the same table as plain text."""
    lines = [_headings(whole=whole)]
    lines += [tuple(cell for cell, _ in _cells(row, now, whole=whole)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, "", totals(rows)]) + "\n"


def _headings(*, whole: bool) -> tuple[str, ...]:
    more = ("ASKED", "RUN") if whole else ()
    return ("STACK", "TOOL", "SYNC", "HEALTH", "REVISION", "AGE", *more, "WHY")


def _cells(row: Situation, now: float, *, whole: bool) -> list[tuple[str, str]]:
    """Return text and style of each cell."""
    applied = row.state.applied
    revision, since = (applied.revision[:7], age(now - applied.at)) if applied else ("-", "-")
    cells = [(row.key.short, "bold"), (row.tool, ""), _sync(row), _health(row), (revision, ""), (since, "")]
    if whole:
        cells += [(row.asked_revision[:7], ""), (str(applied.run) if applied else "", "")]
    return [*cells, (printable(row.why), "dim")]


def _sync(row: Situation) -> tuple[str, str]:
    mark, style = _SYNC[row.standing.sync]
    drifted = f" ▲{len(row.state.drift.items)} drifted" if row.state.drift else ""
    held = " held" if row.state.hold else ""
    suspended = " suspended" if row.still.suspensions else ""
    return f"{mark} {row.standing.sync.value}{drifted}{held}{suspended}", style


def _health(row: Situation) -> tuple[str, str]:
    mark, style = _HEALTH[row.standing.health]
    return f"{mark} {row.standing.health.value}", style


def totals(rows: Sequence[Situation]) -> str:
    """Return the one line that says it all."""
    if not rows:
        return "No stacks."
    ready = sum(row.standing.ready for row in rows)
    if ready == len(rows):
        return f"All {len(rows)} ready." if len(rows) > 1 else "Ready."
    numbers = {
        "out of sync": sum(row.standing.sync is Sync.OUT_OF_SYNC for row in rows),
        "drifted": sum(row.state.drift is not None for row in rows),
        "degraded": sum(row.standing.health is Health.DEGRADED for row in rows),
        "unknown": sum(Sync.UNKNOWN is row.standing.sync for row in rows),
    }
    rest = ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
    return f"{ready} of {len(rows)} ready{f'; {rest}' if rest else ''}."


def _record(row: Situation) -> tuple[str, ...]:
    return (
        row.key.short,
        row.tool,
        row.standing.sync.value,
        row.standing.health.value,
        row.revision,
        stamp(row.state.applied.at if row.state.applied else 0.0),
        str(len(row.state.drift.items) if row.state.drift else 0),
        row.why,
    )

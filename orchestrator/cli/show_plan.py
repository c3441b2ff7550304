"""Plans of many stacks, as people, programs and ``grep`` read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from adapters.contract import Json
from orchestrator.cli import show_changes
from orchestrator.cli.options import Form
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.cli.symbols import DEFERRED, DONE, FAILED, NONE, Sign, tally
from orchestrator.telling import plans
from orchestrator.telling.counts import besides, counted, short, total
from orchestrator.telling.counts import value as counts_value
from orchestrator.telling.rows import Mark, Row

_SIGNS: dict[Mark, Sign] = {
    Mark.NONE: NONE,
    Mark.DEFERRED: DEFERRED,
    Mark.HELD: Sign("⏸", "held", "cyan"),
    Mark.DENIED: Sign("✗", "denied", "bold red"),
    Mark.FAILED: FAILED,
    Mark.APPLIED: DONE,
    Mark.UNKNOWN: Sign("?", "unknown", "bold yellow"),
    Mark.LOCKED: Sign("⏸", "locked", "bold yellow"),
}


def page(rows: Sequence[Row]) -> Page:
    """Return the plans in every form."""
    return Page(
        value=lambda: value(rows),
        records=lambda: [record for row in rows for record in _records(row)],
        view=lambda whole: view(rows, whole=whole),
        more={Form.GITHUB: lambda: _github(rows)},
    )


def _github(rows: Sequence[Row]) -> str:
    from orchestrator.cli.show_github import plans  # noqa: PLC0415 -- it draws with what is here

    return plans(rows)


def view(rows: Sequence[Row], *, whole: bool) -> RenderableType:
    """Return the list: stacks that lose something first, then in the order given; the totals last."""
    ordered = sorted(rows, key=lambda row: not row.counts.destructive)
    widths = (
        max((cell_len(row.key.short) for row in rows), default=0),
        max((cell_len(row.tool) for row in rows), default=0),
    )
    parts: list[RenderableType] = []
    for row in ordered:
        parts.append(_head(row, widths))
        parts += _details(row, whole=whole)
    return Group(*parts, Text(), Text(totals(rows), style="bold"))


def _head(row: Row, widths: tuple[int, int]) -> Text:
    head = Text("  ").append(row.key.short.ljust(widths[0]), style="bold")
    head.append(f"  {row.tool.ljust(widths[1])}  ")
    if row.mark is Mark.CHANGES or (row.mark is not Mark.NONE and tally(row.counts)):
        for sign, number in tally(row.counts):
            head.append(f"{sign.symbol}{number} ", style=sign.style)
        head.append(_besides(row))
    if row.mark is not Mark.CHANGES:
        sign = _SIGNS[row.mark]
        head.append(f"{sign.symbol} {sign.word}", style=sign.style)
    if row.code:
        head.append(f"  {row.code}", style="dim")
    if row.why and (row.kept or row.mark is not Mark.NONE):
        head.append(f"  {printable(row.why)}", style="dim")
    head.rstrip()
    return head


def _besides(row: Row) -> str:
    """Name what a plan does without changing a resource."""
    found = besides(row.counts, row.plan.outputs_changing if row.plan else ())
    return f"{'; '.join(map(printable, found))} " if found else ""


def _details(row: Row, *, whole: bool) -> Iterator[RenderableType]:
    for warning in row.warnings:
        yield Text(f"    ! {printable(warning)}", style="bold yellow")
    if row.plan is None:
        return
    yield from show_changes.lines(row.plan.changes, whole=whole, rest=f"holdfast show {row.key.short} -o wide")
    for problem in row.plan.problems:
        # A failed check says in its detail what is wrong; its summary only that one failed.
        because = problem.detail.strip().partition("\n")[0]
        yield Text(f"    ! {printable(str(problem))}{f': {printable(because)}' if because else ''}", style="yellow")


def totals(rows: Sequence[Row]) -> str:
    """Return the one line that says it all, such as ``2 to change, 1 to destroy in 2 stacks; 1 deferred.`` ."""
    changing = [row for row in rows if row.mark is Mark.CHANGES]
    changes = total(row.counts for row in changing)
    found = [f"{number} to {sign.word}" for sign, number in reversed(tally(changes)) if sign.word != "unknown"]
    found += [f"{changes.unknown} unknown until apply"] if changes.unknown else []
    sentences = []
    if changing:
        what = ", ".join(found) or "outputs only"
        sentences.append(f"{what} in {counted(len(changing), 'stack')}")
    for mark in (Mark.APPLIED, Mark.DEFERRED, Mark.HELD, Mark.LOCKED, Mark.DENIED, Mark.UNKNOWN, Mark.FAILED):
        number = sum(row.mark is mark for row in rows)
        sentences += [f"{number} {_SIGNS[mark].word if mark is not Mark.APPLIED else 'applied'}"] if number else []
    same = sum(row.mark is Mark.NONE for row in rows)
    if not sentences:
        return f"No changes in {counted(same, 'stack')}." if rows else "No stacks."
    return "; ".join(sentences) + "."


def _records(row: Row) -> Iterator[tuple[str, ...]]:
    if row.mark is Mark.CHANGES and row.plan is not None and row.plan.changes:
        yield from show_changes.records(row.key.short, row.plan.changes)
        return
    yield row.key.short, row.mark.value, short(row.counts) if row.proposal else "", row.why


def value(rows: Sequence[Row]) -> dict[str, Json]:
    """Return plans for programs."""
    return {
        "stacks": [_row_value(row) for row in rows],
        "totals": {
            **counts_value(total(row.counts for row in rows if row.mark is Mark.CHANGES)),
            **{f"stacks_{mark.value}": sum(row.mark is mark for row in rows) for mark in Mark},
        },
    }


def _row_value(row: Row) -> Json:
    told = plans.Told(result=row.mark.value, why=row.why, code=row.code, warnings=row.warnings)
    return plans.value(row.key, row.tool, told, row.proposal, row.plan)

"""``holdfast runs``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record

#: So many runs are looked through for those that a filter wants.
_FURTHEST = 10_000


@rich_click.command()
@click.option("--since", metavar="WHEN", default="", help="Only newer ones: 12h, 7d, 2026-11-30.")
@click.option("--failed", is_flag=True, help="Only those that failed or ended unknown.")
@click.option("-n", "--limit", type=click.IntRange(1, _FURTHEST), default=20, show_default=True, help="How many.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, *, since: str, failed: bool, limit: int) -> None:
    """List what was done, newest first."""
    from orchestrator.cli.moments import since as since_when  # noqa: PLC0415 -- seldom asked for
    from orchestrator.cli.show_runs import Result, Row, page  # noqa: PLC0415 -- rich is heavy

    with at_record(ctx) as place:
        # Filters look further back than the list is long.
        runs = place.outside.record.runs(limit=_FURTHEST if since or failed else limit)
        rows = [Row(run=run, entries=place.entries(run.number)) for run in runs]
        if since:
            oldest = since_when(since, place.now)
            rows = [row for row in rows if row.run.at >= oldest]
        if failed:
            rows = [row for row in rows if row.result in {Result.FAILURE, Result.UNKNOWN}]
        place.screen.emit(page(rows[:limit], place.now))
        if rows:
            place.screen.next(f"holdfast show {rows[0].run.number}")

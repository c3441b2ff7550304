"""``holdfast runs``."""

from __future__ import annotations

from itertools import islice, takewhile

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record, is_far

#: So many runs are looked through for those that a filter wants.
_FURTHEST = 10_000


@rich_click.command()
@click.option("--since", metavar="WHEN", default="", help="Only newer ones: 12h, 7d, 2026-11-30.")
@click.option("--failed", is_flag=True, help="Only those that failed or ended unknown.")
@click.option("--all", "everything", is_flag=True, help="Also those of which nothing came.")
@click.option("-n", "--limit", type=click.IntRange(1, _FURTHEST), default=20, show_default=True, help="How many.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, *, since: str, failed: bool, everything: bool, limit: int) -> None:
    """List what was done, newest first. Runs of which nothing came are left out."""
    if is_far():
        from orchestrator.cli.far import seeing  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        seeing.runs(ctx, since=since, failed=failed, everything=everything, limit=limit)
        return
    from orchestrator.cli.moments import since as since_when  # noqa: PLC0415 -- seldom asked for
    from orchestrator.cli.show_runs import page  # noqa: PLC0415 -- rich is heavy
    from orchestrator.telling.runs import TROUBLE, Row  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        oldest = since_when(since, place.now) if since else 0.0
        # Whoever filters looks further back than the list is long; events are read only as far as that takes.
        found = (Row(run=run, entries=place.entries(run.number)) for run in place.outside.record.runs(limit=_FURTHEST))
        newer = takewhile(lambda row: row.run.at >= oldest, found)
        wanted = (row for row in newer if (everything or not row.idle) and (not failed or row.result in TROUBLE))
        rows = list(islice(wanted, limit))
        place.screen.emit(page(rows, place.now))
        if rows:
            place.screen.next(f"holdfast show {rows[0].run.number}")

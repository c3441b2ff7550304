"""``holdfast verify-record``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record
from orchestrator.errors import RecordError


@rich_click.command()
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check that nobody altered what the record holds: each entry is chained to the one before it."""
    with at_record(ctx) as place:
        broken = place.outside.record.verify()
        if broken is not None:
            raise RecordError(f"the record's chain does not hold at entry {broken}", hint="restore it from a backup")
        place.screen.did({"whole": True}, "the record is whole")

"""``holdfast reject RUN|STACK``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import world_options
from orchestrator.cli.place import opened


@rich_click.command()
@click.argument("what", metavar="RUN|STACK")
@click.option("--reason", default="", help="Kept with your word.")
@world_options()
@click.pass_context
def command(ctx: click.Context, what: str, *, reason: str) -> None:
    """Say no to exactly what is proposed; another plan asks again."""
    from orchestrator.cli.answering import proposals  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.consent import reject  # noqa: PLC0415 -- likewise
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- likewise

    with opened(ctx) as place, begun(place, "reject") as run:
        for key, proposal in proposals(place, what):
            reject(place, key, proposal, run=run.number, reason=reason)
            place.screen.say(f"rejected {key.short}  as {place.world.actor}")

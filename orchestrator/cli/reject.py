"""``holdfast reject RUN|STACK``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import output_options, proposal_option, world_options
from orchestrator.cli.place import at_record, is_far


@rich_click.command()
@click.argument("what", metavar="RUN|STACK")
@proposal_option
@click.option("--reason", default="", help="Kept with your word; everybody who meets the plan reads it.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, what: str, *, proposal: int | None, reason: str) -> None:
    """Say no to exactly what is proposed: no apply does it, whoever says yes to it there.

    A change to the stack, `holdfast plan STACK` or `holdfast approve STACK` takes it up again.
    """
    if is_far():
        from orchestrator.cli.far import answering  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        answering.reject(ctx, what, proposal, reason=reason)
        return
    from orchestrator.cli.answering import waiting  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- likewise
    from orchestrator.engine.acts.consent import Word, reject  # noqa: PLC0415 -- likewise
    from orchestrator.engine.documents import word_on  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        found = waiting(place, what, proposal)
        word = Word(caller=place.caller, reason=reason)
        with begun(place, "reject") as run:
            for one in found:
                reject(place.outside, one.key, one.proposal, word, run=run.number)
        who = place.world.actor
        place.screen.did(
            {"rejected": [word_on(one, word) for one in found]},
            *(f"rejected {one.key.short}  as {who}" for one in found),
        )
        names = [one.key.short for one in found]
        place.screen.next(f"{place.command('plan', *names)}      plans it afresh, and people are asked again")

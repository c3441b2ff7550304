"""``holdfast resume [STACK…]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record, is_far


@rich_click.command()
@stacks_argument
@click.option("--reason", default="", help="Kept in the record.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, reason: str) -> None:
    """Let stacks follow their source again: ends suspensions, rollbacks, destroys, and a stop of recurring repairs.

    A suspension of several stacks ends for all of them only by `holdfast resume` without STACK.
    """
    from orchestrator.engine.acts.suspensions import resume  # noqa: PLC0415 -- likewise

    if is_far():
        from orchestrator.cli.far import acting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        acting.resume(ctx, stacks, reason)
        return
    from orchestrator.rules.choosing import named  # noqa: PLC0415 -- nothing is opened for a mistyped word

    with at_record(ctx) as place:
        known = {*place.reading.layout.stacks, *place.recorded()}
        chosen = sorted({key for word in stacks for key in named(word, place.wish.environment, known)})
        done = resume(place.outside, place.reading, place.caller, chosen, reason)
        place.screen.did(
            {
                "lifted": [{"of": one.of, "why": one.why} for one in done.lifted],
                "released": [key.short for key in done.released],
                "repaired_again": [key.short for key in done.repaired],
            },
            *(f"lifted the suspension of {one.of}: {one.why}" for one in done.lifted),
            *(f"{key.short} follows its source again" for key in done.released),
            *(f"drift of {key.short} is repaired again" for key in done.repaired),
        )
        if done.lifted or done.released:
            place.screen.next(f"holdfast apply {' '.join(stacks)}".rstrip())
        else:
            place.screen.next(f"holdfast drift --answer {' '.join(stacks)}")

"""``holdfast suspend [STACK…]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record, is_far


@rich_click.command()
@stacks_argument
@click.option("--until", metavar="WHEN", default="", help='2026-11-30, "2026-11-30 18:00" or 12h; else until resumed.')
@click.option("--reason", required=True, help="Everybody who meets the suspension reads it.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, until: str, reason: str) -> None:
    """Let stacks rest: nothing is applied and no drift repaired, plans and looks go on. No STACK means all."""
    if is_far():
        from orchestrator.cli.far import acting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        acting.suspend(ctx, stacks, until=until, reason=reason)
        return
    from orchestrator.cli.moments import moment  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.engine.acts.suspensions import suspend  # noqa: PLC0415 -- likewise
    from orchestrator.engine.acts.until import Until  # noqa: PLC0415 -- likewise
    from orchestrator.model.moment import stamp  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        end = moment(until, place.now) if until else None
        # No name means also the stacks that are still to come.
        chosen = place.chosen(stacks) if stacks else ()
        said = Until(at=end, said=f"--until {until}") if end is not None else None
        suspend(place.outside, place.reading, place.caller, chosen, reason=reason, until=said)
        what = ", ".join(key.short for key in chosen) or "everything"
        place.screen.did(
            {
                "suspended": [key.short for key in chosen],
                "everything": not chosen,
                "until": stamp(end) if end else None,
                "reason": reason,
                "by": place.world.actor,
            },
            f"suspended {what}{f' until {stamp(end)}' if end else ''}",
        )
        place.screen.next(f"holdfast resume {' '.join(stacks)}".rstrip())

"""``holdfast suspend [STACK…]``."""

from __future__ import annotations

import glob

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record
from orchestrator.errors import UsageError


@rich_click.command()
@stacks_argument
@click.option("--until", metavar="WHEN", default="", help='2026-11-30, "2026-11-30 18:00" or 12h; else until resumed.')
@click.option("--reason", required=True, help="Everybody who meets the suspension reads it.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, until: str, reason: str) -> None:
    """Let stacks rest: nothing is applied and no drift repaired, plans and looks go on. No STACK means all."""
    from orchestrator.cli.moments import moment, stamp  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- likewise
    from orchestrator.model.gate import Gate, GateKind  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        end = moment(until, place.now) if until else None
        if end is not None and end <= place.now:
            raise UsageError(f"--until {until} is over already", code="HF-1908", hint="name a time to come, or 12h")
        # No name means also the stacks that are still to come.
        chosen = place.chosen(stacks) if stacks else ()
        selectors = [glob.escape(str(key)) for key in chosen] or ["*"]
        with begun(place, "suspend") as run:
            for selector in selectors:
                gate = Gate(
                    kind=GateKind.SUSPENSION,
                    why=reason,
                    selector=selector,
                    since=place.now,
                    until=end,
                    who=place.world.actor,
                )
                place.outside.record.set_gate(gate, run=run.number)
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

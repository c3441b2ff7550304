"""``holdfast approve RUN|STACK``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.options import world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import Denied

if TYPE_CHECKING:
    from orchestrator.model.observed import Proposal
    from orchestrator.model.stack import StackKey


@rich_click.command()
@click.argument("what", metavar="RUN|STACK")
@click.option("--reason", default="", help="Kept with your word.")
@click.option("--accept-duplicates", is_flag=True, help="Even if it may create a second time.")
@world_options()
@click.pass_context
def command(ctx: click.Context, what: str, *, reason: str, accept_duplicates: bool) -> None:
    """Say yes to exactly what is proposed: any change to what would be done voids your word.

    `holdfast explain STACK` says whose word counts.
    """
    from orchestrator.cli.answering import proposals  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.consent import approve  # noqa: PLC0415 -- likewise
    from orchestrator.cli.symbols import short  # noqa: PLC0415 -- likewise
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- likewise

    with opened(ctx) as place:
        counted, refusals = _sorted_out(place, proposals(place, what))
        if counted:
            with begun(place, "approve") as run:
                for key, proposal in counted:
                    approve(place, key, proposal, run=run.number, reason=reason, duplicates=accept_duplicates)
                    place.screen.say(f"approved {key.short}  {short(proposal.counts)}  as {place.world.actor}")
            place.screen.next(f"holdfast apply {' '.join(key.short for key, _ in counted)}")
        if refusals:
            raise Denied("; ".join(refusals), code="HF-4101", hint="ask one of them to approve it")


def _sorted_out(
    place: Place, found: list[tuple[StackKey, Proposal]]
) -> tuple[list[tuple[StackKey, Proposal]], list[str]]:
    """Return the proposals for which the person's word counts, and a sentence for each other one."""
    from orchestrator.cli.eligible import may, who  # noqa: PLC0415 -- the engine is heavy
    from orchestrator.engine.survey import Survey  # noqa: PLC0415 -- likewise

    survey, operator, person = Survey(place.outside, place.reading), place.world.operator, place.world.actor
    counted, refusals = [], []
    for key, proposal in found:
        asked = survey.look(key)
        if asked is None or may(operator, asked.stack.policy, person, asked.desired.author):
            counted.append((key, proposal))
            continue
        whose = ", ".join(who(operator, asked.stack.policy, asked.desired.author))
        refusals.append(f"the word of {person} does not count for {key.short}: it takes {whose}")
    return counted, refusals

"""``holdfast approve RUN|STACK``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.options import output_options, proposal_option, world_options
from orchestrator.cli.place import Place, is_far, opened
from orchestrator.errors import Denied, UsageError

if TYPE_CHECKING:
    from orchestrator.engine.acts.consent import Waiting


@rich_click.command()
@click.argument("what", metavar="RUN|STACK")
@proposal_option
@click.option("--reason", default="", help="Kept with your word.")
@click.option("--accept-duplicates", is_flag=True, help="Even if it may create a second time.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, what: str, *, proposal: int | None, reason: str, accept_duplicates: bool) -> None:
    """Say yes to exactly what is proposed: any change to what would be done voids your word.

    Of a STACK without --proposal the plan is shown and asked about. `holdfast explain STACK` says whose word counts.
    """
    if is_far():
        from orchestrator.cli.far import answering  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        answering.approve(ctx, what, proposal, reason=reason, accept_duplicates=accept_duplicates)
        return
    from orchestrator.cli.answering import waiting  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- likewise
    from orchestrator.engine.acts.consent import Word, approve  # noqa: PLC0415 -- likewise
    from orchestrator.engine.documents import word_on  # noqa: PLC0415 -- likewise
    from orchestrator.telling.counts import short  # noqa: PLC0415 -- likewise

    with opened(ctx) as place:
        counted, refusals = _sorted_out(place, waiting(place, what, proposal))
        if counted and proposal is None and not what.isdigit():
            counted = _asked_about(place, counted)
        if counted:
            word = Word(caller=place.caller, reason=reason, duplicates=accept_duplicates)
            with begun(place, "approve") as run:
                for one in counted:
                    approve(place.outside, one.key, one.proposal, word, run=run.number)
            place.screen.did(
                {"approved": [word_on(one, word) for one in counted]},
                *(f"approved {one.key.short}  {short(one.proposal.counts)}  as {place.world.actor}" for one in counted),
            )
            place.screen.next(place.command("apply", *(one.key.short for one in counted)))
        if refusals:
            raise Denied("; ".join(refusals), code="HF-4101", hint="ask one of them to approve it")


def _asked_about(place: Place, found: list[Waiting]) -> list[Waiting]:
    """Show the plans and ask, so that nobody says yes to one they have not seen; return those that got a yes.

    Raises UsageError (HF-1930) where nobody can be shown anything.
    """
    from orchestrator.cli.asking import Leave, allowed  # noqa: PLC0415 -- nobody is asked where the plan was named
    from orchestrator.cli.show_plan import view  # noqa: PLC0415 -- likewise
    from orchestrator.engine.crew import proposal_row  # noqa: PLC0415 -- likewise

    if not place.screen.interactive:
        name = found[0].key.short
        raise UsageError(
            f"which plan of {name} do you mean? By now it may be another than you have seen",
            code="HF-1930",
            hint=f"holdfast show {name} prints the command to paste",
        )
    rows = [proposal_row(place, one.asked, one.proposal) for one in found]
    place.screen.console(sys.stderr).print(view(rows, whole=place.screen.form == "wide"))
    granted = {row.key for row in allowed(place, rows, Leave(), question="Approve exactly this for {}?")}
    return [one for one in found if one.key in granted]


def _sorted_out(place: Place, found: list[Waiting]) -> tuple[list[Waiting], list[str]]:
    """Return the proposals for which the person's word counts, and a sentence for each other one."""
    from orchestrator.engine.acts.consent import unheard  # noqa: PLC0415 -- the engine is heavy

    refusals = [unheard(one, place.caller, place.world.operator.teams) for one in found]
    counted = [one for one, refusal in zip(found, refusals, strict=True) if not refusal]
    return counted, list(filter(None, refusals))

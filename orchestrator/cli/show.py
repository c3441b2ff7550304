"""``holdfast show RUN|STACK``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record, is_far, opened
from orchestrator.errors import UsageError
from orchestrator.model.observed import Proposal, TrackView
from orchestrator.model.stack import MAIN

if TYPE_CHECKING:
    from orchestrator.engine.survey import Asked


@rich_click.command()
@click.argument("what", metavar="RUN|STACK")
@click.option("--track", default=MAIN, help="Another track than the source's own ref.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, what: str, *, track: str) -> None:
    """Show a run as a timeline, or what is proposed for a stack, and why it was last applied."""
    if is_far():
        from orchestrator.cli.far import seeing  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        if what.isdigit():
            seeing.show_run(ctx, int(what))
        else:
            _show_far(ctx, what, track)
    elif what.isdigit():
        with at_record(ctx) as place:
            _show_run(place, int(what))
    else:
        with opened(ctx) as place:
            _show_stack(place, what, track)


def _show_far(ctx: click.Context, what: str, track: str) -> None:
    from orchestrator.cli.far.planning import show_stack  # noqa: PLC0415 -- only where HOLDFAST_URL is set

    if track != MAIN:
        hint = "leave out --track, or run it on the service's host"
        raise UsageError("a service shows what its sources' own refs are planned for", code="HF-1915", hint=hint)
    show_stack(ctx, what)


def _show_run(place: Place, number: int) -> None:
    from orchestrator.cli.show_runs import timeline  # noqa: PLC0415 -- rich is heavy
    from orchestrator.telling.runs import Row  # noqa: PLC0415 -- likewise

    run = place.run(number)
    place.screen.emit(timeline(Row(run=run, entries=place.entries(number))))
    place.screen.next(*place.words_of(number))


def _show_stack(place: Place, word: str, track: str) -> None:
    from orchestrator.cli.show_stack import Shown, page  # noqa: PLC0415 -- likewise
    from orchestrator.cli.suggesting import after_plan  # noqa: PLC0415 -- likewise
    from orchestrator.engine.crew import proposal_row  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.engine.intents import intent_behind, intent_of  # noqa: PLC0415 -- likewise
    from orchestrator.engine.survey import Survey  # noqa: PLC0415 -- likewise

    key, outside = place.one(word), place.outside
    asked = Survey(outside, place.reading).look(key)
    proposal = _proposed(asked, track) if asked else None
    applied = intent_behind(outside, asked) if asked and track == MAIN else None
    if asked is None or (proposal is None and applied is None):
        raise UsageError(f"nothing is proposed for {key.short}", code="HF-1906", hint=f"holdfast plan {key.short}")
    if proposal is None:
        place.screen.emit(page(Shown(key=key, applied=applied)))
        place.screen.next(place.command("plan", key.short))
        return
    row = proposal_row(place, asked, proposal)
    proposed = intent_of(outside, asked, proposal, outside.record.run(proposal.run))
    place.screen.emit(page(Shown(key=key, row=row, proposed=proposed, applied=applied)))
    if track == MAIN:
        place.screen.next(*after_plan(place, [row], proposal.run))


def _proposed(asked: Asked, track: str) -> Proposal | None:
    from orchestrator.engine.standings import proposed  # noqa: PLC0415 -- rich and the engine are heavy

    return proposed(asked) if track == MAIN else asked.state.tracks.get(track, TrackView()).proposal

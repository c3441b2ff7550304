"""``holdfast show RUN|STACK``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record, opened
from orchestrator.errors import UsageError
from orchestrator.model.observed import Proposal, TrackView
from orchestrator.model.stack import MAIN, StackKey


@rich_click.command()
@click.argument("what", metavar="RUN|STACK")
@click.option("--track", default=MAIN, help="Another track than the source's own ref.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, what: str, *, track: str) -> None:
    """Show a run as a timeline, or what is proposed for a stack."""
    if what.isdigit():
        with at_record(ctx) as place:
            _show_run(place, int(what))
    else:
        with opened(ctx) as place:
            _show_stack(place, what, track)


def _show_run(place: Place, number: int) -> None:
    from orchestrator.cli.show_runs import Row, timeline  # noqa: PLC0415 -- rich is heavy

    run = place.run(number)
    place.screen.emit(timeline(Row(run=run, entries=place.entries(number))))
    place.screen.next(f"holdfast logs {number}")


def _show_stack(place: Place, word: str, track: str) -> None:
    from orchestrator.cli.planning import plan_of  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.show_plan import Mark, Row, page  # noqa: PLC0415 -- likewise

    key = place.one(word)
    proposal = _proposed(place, key, track)
    if proposal is None:
        raise UsageError(f"nothing is proposed for {key.short}", code="HF-1906", hint=f"holdfast plan {key.short}")
    stack = place.reading.layout.stacks.get(key)
    row = Row(
        key=key,
        tool=stack.tool if stack else proposal.tool.name,
        mark=Mark.NONE if proposal.empty else Mark.CHANGES,
        why=f"proposal {proposal.number} at {proposal.revision[:7]}, digest {proposal.changes_digest[:12]}",
        proposal=proposal,
        plan=plan_of(place, proposal),
    )
    place.screen.emit(page([row]))
    if not proposal.empty:
        place.screen.next(f"holdfast apply {key.short}")


def _proposed(place: Place, key: StackKey, track: str) -> Proposal | None:
    from orchestrator.cli.standings import proposed  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.engine.survey import Survey  # noqa: PLC0415 -- likewise

    if track != MAIN:
        return place.outside.record.row(str(key)).state.tracks.get(track, TrackView()).proposal
    asked = Survey(place.outside, place.reading).look(key)
    return proposed(asked) if asked else None

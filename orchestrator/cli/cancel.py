"""``holdfast cancel RUN``."""

from __future__ import annotations

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record, is_far
from orchestrator.model.stack import StackKey

#: So long this waits for tools that nobody follows to end: they get a minute before they are killed (seconds).
_PATIENCE_S = 90.0


@rich_click.command()
@click.argument("run", type=click.IntRange(min=1), metavar="RUN")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, run: int) -> None:
    """Stop a run: nothing new starts, and tools at work get one interrupt, then their end.

    An apply that is stopped has an outcome like any other; where nobody can say what it did, that is recorded.
    """
    if is_far():
        from orchestrator.cli.far import acting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        acting.cancel(ctx, run)
        return
    from orchestrator.engine.acts.cancelling import cancel  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.engine.adopting import adopt  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        found = place.run(run)
        cancel(place.outside, place.world.source, found)
        if place.screen.for_people:
            place.screen.say(f"run {run} is told to stop")
        follow = adopt(place.outside, place.world.source, found, lambda: place.reading)
        follow.join(_PATIENCE_S)
        ended, left = _endings(place, run), place.at_work(run)
        document: dict[str, Json] = {
            "run": run,
            "ended": [{"stack": key.short, "key": str(key), "how": how} for key, how in ended],
            "at_work": [key.short for key in left],
        }
        place.screen.did(document, *(f"{key.short}: {how}" for key, how in ended))
        place.screen.next(f"holdfast logs -f {run}" if left else f"holdfast show {run}")


def _endings(place: Place, run: int) -> list[tuple[StackKey, str]]:
    """Return how each attempt of the run ended, as far as the record knows."""
    from orchestrator.model.event import ApplyEnded  # noqa: PLC0415 -- likewise
    from orchestrator.telling.events import sentence  # noqa: PLC0415 -- seldom asked for

    ended = [entry for entry in place.entries(run) if isinstance(entry.event, ApplyEnded)]
    return [(StackKey.parse(entry.stack), sentence(entry.event)) for entry in ended]

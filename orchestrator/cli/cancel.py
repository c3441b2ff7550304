"""``holdfast cancel RUN``."""

from __future__ import annotations

import click
import rich_click

from adapters.contract import Handle, Json
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record
from orchestrator.errors import UsageError
from orchestrator.model.observed import Applying
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
    from orchestrator.cli.adopting import adopt  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.working import cancel_flag  # noqa: PLC0415 -- nothing is opened for a mistyped word

    with at_record(ctx) as place:
        found = place.run(run)
        attempts = _at_work(place, run)
        if found.ended_at is not None and not attempts:
            _refuse_doubtful(place, run)
            raise UsageError(f"run {run} is over", code="HF-1914", hint=f"holdfast show {run}")
        if found.ended_at is None:
            flag = cancel_flag(place, run)
            flag.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flag.touch()
        for attempt in attempts:
            # Nobody follows an attempt that was detached from: its keeper is told itself.
            place.outside.attempts.cancel(attempt)
        if place.screen.for_people:
            place.screen.say(f"run {run} is told to stop")
        follow = adopt(place, found)
        follow.join(_PATIENCE_S)
        ended, left = _endings(place, run), place.at_work(run)
        document: dict[str, Json] = {
            "run": run,
            "ended": [{"stack": key.short, "key": str(key), "how": how} for key, how in ended],
            "at_work": [key.short for key in left],
        }
        place.screen.did(document, *(f"{key.short}: {how}" for key, how in ended))
        place.screen.next(f"holdfast logs -f {run}" if left else f"holdfast show {run}")


def _refuse_doubtful(place: Place, run: int) -> None:
    """Raise Conflict where an attempt of the run is left that nobody here can stop, or prove dead."""
    from orchestrator.engine.recovery import at_work  # noqa: PLC0415 -- seldom asked for

    for key, attempt in place.at_work(run).items():
        if place.outside.attempts.doubt(attempt):
            raise at_work(place.outside, key, attempt)


def _endings(place: Place, run: int) -> list[tuple[StackKey, str]]:
    """Return how each attempt of the run ended, as far as the record knows."""
    from orchestrator.cli.event_words import sentence  # noqa: PLC0415 -- seldom asked for
    from orchestrator.model.event import ApplyEnded  # noqa: PLC0415 -- likewise

    ended = [entry for entry in place.entries(run) if isinstance(entry.event, ApplyEnded)]
    return [(StackKey.parse(entry.stack), sentence(entry.event)) for entry in ended]


def _at_work(place: Place, run: int) -> list[Applying]:
    """Return the attempts of a run whose tools are at work on this host."""
    looks = [(attempt, place.outside.attempts.look(attempt)) for attempt in place.at_work(run).values()]
    return [attempt for attempt, look in looks if isinstance(look, Handle) and look.alive]

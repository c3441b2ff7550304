"""``holdfast plan [STACK…]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, parallel_option, world_options
from orchestrator.cli.place import NOTICES, Place, is_far, opened
from orchestrator.errors import EXIT_INTERRUPTED, UsageError
from orchestrator.model.stack import StackKey

if TYPE_CHECKING:
    from orchestrator.ports import Run
    from orchestrator.telling.rows import Row


@rich_click.command()
@stacks_argument
@click.option("--dirty", is_flag=True, help="The files as they are, committed or not; never applied.")
@click.option("--with-dependents", is_flag=True, help="Also the stacks that wait for these.")
@click.option("--changed-since", metavar="REF", default="", help="Only stacks that a change since then concerns.")
@click.option("--destroy", is_flag=True, help="What taking the stacks down would do.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something would change.")
@parallel_option
@world_options()
@output_options
@click.pass_context
def command(  # noqa: PLR0913 -- one argument per option, as click has it
    ctx: click.Context,
    stacks: tuple[str, ...],
    *,
    dirty: bool,
    with_dependents: bool,
    changed_since: str,
    destroy: bool,
    detailed_exitcode: bool,
    parallel: int,
) -> None:
    """Work out what would be done, and change nothing.

    A stack whose files, settings and inputs are those last planned or applied starts no tool; a plan that somebody
    rejected is made afresh where its STACK is named.
    """
    from orchestrator.cli.progress import progress  # noqa: PLC0415 -- likewise
    from orchestrator.cli.show_plan import page  # noqa: PLC0415 -- likewise
    from orchestrator.cli.working import begun, listening  # noqa: PLC0415 -- likewise
    from orchestrator.engine.crew import Crew  # noqa: PLC0415 -- likewise
    from orchestrator.engine.side_by_side import at_once, ordered  # noqa: PLC0415 -- likewise
    from orchestrator.model.policy import Mode  # noqa: PLC0415 -- likewise
    from orchestrator.telling.outcome import exit_after_plan  # noqa: PLC0415 -- rich and the engine are heavy

    _refuse_senseless(stacks, destroy=destroy, dirty=dirty, others=bool(changed_since or with_dependents))
    if is_far():
        from orchestrator.cli.far import planning  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        if dirty or changed_since:
            raise UsageError(
                "--dirty and --changed-since look at files and commits here, and a service plans what its sources hold",
                code="HF-1915",
                hint="in a checkout, without HOLDFAST_URL, both work",
            )
        planning.plan(
            ctx,
            stacks,
            destroy=destroy,
            with_dependents=with_dependents,
            detailed=detailed_exitcode,
            parallel=parallel,
        )
        return
    with opened(ctx, dirty=dirty, notices=NOTICES) as today:
        place = today.going_down() if destroy else today
        if not dirty:
            place.warn_of_dirt()
        if not stacks:
            place.warn_of_gone()
        keys = (
            place.chosen_to_go(stacks)
            if destroy
            else _keys(place, stacks, since=changed_since, with_dependents=with_dependents)
        )
        if not keys:
            place.screen.say(f"no stack is concerned by what changed since {changed_since}")
        with begun(place, "plan") as run, progress(place.screen) as tell, listening(place, run) as stop:
            crew = Crew(ground=place, run=run, stop=stop, tell=tell, parallel=at_once(parallel), afresh=bool(stacks))
            rows = [
                row
                for wave in ordered(place, keys, backwards=destroy)
                for row in crew.rows(crew.settle(wave, Mode.OBSERVE))
            ]
            interrupted = stop.wanted
        if interrupted:
            ctx.exit(EXIT_INTERRUPTED)
        place.screen.emit(page(rows))
        place.screen.next(*_next(place, rows, run, destroy=destroy))
        ctx.exit(exit_after_plan([row.mark for row in rows], detailed=detailed_exitcode))


def _refuse_senseless(stacks: tuple[str, ...], *, destroy: bool, dirty: bool, others: bool) -> None:
    """Raise UsageError for options that do not go together; ``others``: stacks are to be found that nobody named."""
    if destroy and (not stacks or dirty):
        raise UsageError(
            "--destroy needs the names of stacks, as they are committed", hint="holdfast plan --destroy STACK"
        )
    if destroy and others:
        raise UsageError(
            "--destroy means the stacks that are named, and no others", hint="holdfast plan --destroy STACK…"
        )


def _keys(place: Place, words: tuple[str, ...], *, since: str, with_dependents: bool) -> tuple[StackKey, ...]:
    chosen = place.chosen(words)
    if since:
        from orchestrator.engine.watch import changed_since  # noqa: PLC0415 -- seldom asked for

        concerned = changed_since(place.outside, place.world.at(since), place.reading)
        chosen = tuple(key for key in chosen if key in concerned)
    return place.with_dependents(chosen) if with_dependents else chosen


def _next(place: Place, rows: Sequence[Row], run: Run, *, destroy: bool) -> Sequence[str]:
    from orchestrator.cli.suggesting import after_plan  # noqa: PLC0415 -- the engine is heavy

    if not destroy:
        return after_plan(place, rows, run.number)
    going = [row.key.short for row in rows if row.proposal]
    return [place.command("apply", "--destroy", *going)] if going else []

"""``holdfast plan [STACK…]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, parallel_option, world_options
from orchestrator.cli.place import NOTICES, opened
from orchestrator.errors import EXIT_INTERRUPTED


@rich_click.command()
@stacks_argument
@click.option("--dirty", is_flag=True, help="The files as they are, committed or not; never applied.")
@click.option("--with-dependents", is_flag=True, help="Also the stacks that wait for these.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something would change.")
@parallel_option
@world_options()
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    stacks: tuple[str, ...],
    *,
    dirty: bool,
    with_dependents: bool,
    detailed_exitcode: bool,
    parallel: int,
) -> None:
    """Work out what would be done, and change nothing.

    A stack whose files, settings and inputs are those last planned or applied starts no tool; a plan that somebody
    rejected is made afresh where its STACK is named.
    """
    from orchestrator.cli.outcome import exit_after_plan  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.planning import Crew  # noqa: PLC0415 -- likewise
    from orchestrator.cli.progress import progress  # noqa: PLC0415 -- likewise
    from orchestrator.cli.show_plan import page  # noqa: PLC0415 -- likewise
    from orchestrator.cli.suggesting import after_plan  # noqa: PLC0415 -- likewise
    from orchestrator.cli.working import at_once, begun, listening, ordered  # noqa: PLC0415 -- likewise
    from orchestrator.model.policy import Mode  # noqa: PLC0415 -- likewise

    with opened(ctx, dirty=dirty, notices=NOTICES) as place:
        if not dirty:
            place.warn_of_dirt()
        if not stacks:
            place.warn_of_gone()
        keys = place.chosen(stacks, with_dependents=with_dependents)
        with begun(place, "plan") as run, progress(place.screen) as tell, listening(place, run) as stop:
            crew = Crew(place=place, run=run, stop=stop, tell=tell, parallel=at_once(parallel), afresh=bool(stacks))
            rows = [row for wave in ordered(place, keys) for row in crew.rows(crew.settle(wave, Mode.OBSERVE))]
            interrupted = stop.wanted
        if interrupted:
            ctx.exit(EXIT_INTERRUPTED)
        place.screen.emit(page(rows))
        place.screen.next(*after_plan(place, rows, run.number))
        ctx.exit(exit_after_plan([row.mark for row in rows], detailed=detailed_exitcode))

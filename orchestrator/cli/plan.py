"""``holdfast plan [STACK…]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, parallel_option, world_options
from orchestrator.cli.place import NOTICES, Place, is_main, opened
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

    A stack whose files, settings and inputs are those last planned or applied starts no tool.
    """
    from orchestrator.cli.outcome import exit_after_plan  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.planning import Crew  # noqa: PLC0415 -- likewise
    from orchestrator.cli.progress import progress  # noqa: PLC0415 -- likewise
    from orchestrator.cli.show_plan import Mark, page  # noqa: PLC0415 -- likewise
    from orchestrator.cli.working import at_once, begun, listening, ordered  # noqa: PLC0415 -- likewise
    from orchestrator.model.policy import Mode  # noqa: PLC0415 -- likewise

    with opened(ctx, dirty=dirty, notices=NOTICES) as place:
        if not dirty:
            place.warn_of_dirt()
        if not stacks:
            place.warn_of_gone()
        keys = place.chosen(stacks, with_dependents=with_dependents)
        with begun(place, "plan") as run, progress(place.screen) as tell, listening(place, run) as stop:
            crew = Crew(place=place, run=run, stop=stop, tell=tell, parallel=at_once(parallel))
            rows = [row for wave in ordered(place, keys) for row in crew.rows(crew.settle(wave, Mode.OBSERVE))]
            interrupted = stop.wanted
        if interrupted:
            ctx.exit(EXIT_INTERRUPTED)
        place.screen.emit(page(rows))
        failed = any(row.mark is Mark.FAILED for row in rows)
        _suggest(place, [row.key.short for row in rows if row.proposal], run.number if failed else None)
        ctx.exit(exit_after_plan([row.mark for row in rows], detailed=detailed_exitcode))


def _suggest(place: Place, changing: list[str], failed: int | None) -> None:
    looking = [f"holdfast logs {failed}"] if failed else []
    if not changing:
        place.screen.next(*looking)
        return
    if not is_main(place.reading):
        place.screen.next(
            *looking, "git commit, then holdfast apply      (a plan of uncommitted files is never applied)"
        )
        return
    names = " ".join(changing) if len(changing) <= 3 else ""  # noqa: PLR2004 -- more names than fit a glance
    place.screen.next(*looking, f"holdfast apply {names}".rstrip())

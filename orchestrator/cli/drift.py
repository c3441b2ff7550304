"""``holdfast drift [STACK…]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, parallel_option, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import EXIT_CHANGES, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from orchestrator.model.stack import StackKey


@rich_click.command()
@stacks_argument
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where drift was found.")
@parallel_option
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, detailed_exitcode: bool, parallel: int) -> None:
    """Compare the world with what was applied: attribute, expected, actual. Changes nothing.

    Without STACK every stack that was ever applied is looked at.
    """
    from orchestrator.cli.looking import look  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.show_drift import page  # noqa: PLC0415 -- likewise

    with opened(ctx) as place:
        keys = place.chosen(stacks) if stacks else _applied(place, place.chosen(stacks))
        rows, interrupted = look(place, keys, parallel=parallel)
        if interrupted:
            ctx.exit(EXIT_INTERRUPTED)
        place.screen.emit(page(rows, place.now))
        drifted = [row.key.short for row in rows if row.drift]
        if drifted:
            names = " ".join(drifted) if len(drifted) <= 3 else ""  # noqa: PLR2004 -- more than fit a glance
            place.screen.next(f"holdfast apply {names}".rstrip() + "      puts back what the files speak of")
        if any(row.problem for row in rows):
            ctx.exit(EXIT_FAILED)
        ctx.exit(EXIT_CHANGES if drifted and detailed_exitcode else EXIT_DONE)


def _applied(place: Place, keys: tuple[StackKey, ...]) -> tuple[StackKey, ...]:
    """Leave out what was never applied, or taken down: nothing of it could drift."""
    found = []
    for key in keys:
        applied = place.outside.record.row(str(key)).state.applied
        if applied is not None and applied.goal != "destroy":
            found.append(key)
    return tuple(found)

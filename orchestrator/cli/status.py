"""``holdfast status [STACK…]``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, wish_of, world_options
from orchestrator.cli.place import NOTICES, is_far, opened, sought
from orchestrator.errors import EXIT_DONE, EXIT_FAILED

#: Seconds after which ``--watch`` looks again though nothing was seen to change.
_EVERY_S = 2.0


@rich_click.command()
@stacks_argument
@click.option("--check", is_flag=True, help="Exit with 1 unless every stack is ready.")
@click.option("--watch", is_flag=True, help="Look again at each change, and every two seconds, until Ctrl-C.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, check: bool, watch: bool) -> None:
    """Show for each stack whether it is as asked for and whether it is well, and why.

    STACK is a name, name@env, a glob, or a selector: tool=terraform, owner=team:web, env=prod.
    """
    code = _look(ctx, stacks)
    if watch:
        # Ctrl-C is how one leaves, and nothing that went wrong.
        with suppress(KeyboardInterrupt):
            _follow(ctx, stacks)
    ctx.exit(code if check else EXIT_DONE)


def _follow(ctx: click.Context, words: Sequence[str]) -> None:
    """Look again and again, until Ctrl-C."""
    if is_far():
        from orchestrator.cli.far import seeing  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        seeing.follow_status(ctx, words, _EVERY_S)
    from orchestrator.effects.watcher import DirectoryWatch, spots  # noqa: PLC0415 -- only --watch waits

    _, where = sought(wish_of(ctx))
    with DirectoryWatch(spots(where.source, where.checkout)) as changes:
        while True:
            changes.wait(_EVERY_S)
            if ctx.obj.form in {"table", "wide"}:
                click.clear()
            _look(ctx, words)


def _look(ctx: click.Context, words: Sequence[str]) -> int:
    if is_far():
        from orchestrator.cli.far import seeing  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        return seeing.status(ctx, words)
    from orchestrator.cli.show_status import page_of  # noqa: PLC0415 -- rich is heavy
    from orchestrator.cli.silences import warn_of_silence  # noqa: PLC0415 -- likewise
    from orchestrator.cli.steps import after_status  # noqa: PLC0415 -- likewise
    from orchestrator.engine.documents import standing_of  # noqa: PLC0415 -- likewise

    with opened(ctx, notices=NOTICES) as place:
        rows = place.standings(words)
        warn_of_silence(place)
        if place.forgetful:
            place.screen.say("note: this record began with this run: what happened before is not known here")
        documents = [standing_of(row) for row in rows]
        place.screen.emit(page_of(documents, place.now))
        place.screen.next(*after_status(place.command, documents))
    return EXIT_DONE if all(row.standing.ready for row in rows) else EXIT_FAILED

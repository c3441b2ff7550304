"""``holdfast forget STACK``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import confirm_option
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey


@rich_click.command()
@click.argument("stack", metavar="STACK")
@confirm_option
@click.option("--reason", default="", help="Kept in the record.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, *, confirm: str, reason: str) -> None:
    """Give up what a stack made that is gone from its source: nothing is destroyed, and nobody looks after it.

    Its kept state stays where it is.
    """
    from orchestrator.engine.acts.names import forgettable, give_up  # noqa: PLC0415 -- likewise
    from orchestrator.rules.choosing import choose_one  # noqa: PLC0415 -- nothing is opened for a mistyped word

    with opened(ctx) as place:
        key = choose_one(stack, place.wish.environment, place.recorded())
        forgettable(place.reading, key)
        _confirm(place, key, confirm)
        left = give_up(place.outside, place.reading, place.caller, key, reason)
        words = [f"forgot {key.short}: what it made still stands, and nobody looks after it any more"]
        if left.kept:
            words.append(f"its state stays in {place.world.home}, the last copy as artifact {left.kept}")
        place.screen.did({"stack": key.short, "key": str(key), "kept": left.kept or None}, *words)


def _confirm(place: Place, key: StackKey, said: str) -> None:
    if not said and place.screen.interactive:
        said = click.prompt(f"Type {key.short} to give up what it made", default="", show_default=False, err=True)
    if said != key.short:
        raise UsageError(f"{key.short} asks for its name", code="HF-1905", hint=f"pass --confirm {key.short}")

"""``holdfast mv OLD NEW``."""

from __future__ import annotations

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import opened
from orchestrator.model.stack import StackKey


@rich_click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, old: str, new: str) -> None:
    """Say that a stack has a new name: what it made, its state and its history go on under it.

    The new name has to be committed already. `moved_from: OLD` in stacks.yaml says the same to everybody.
    """
    from orchestrator.engine.acts.names import gone, rename, renamed  # noqa: PLC0415 -- likewise
    from orchestrator.rules.choosing import named  # noqa: PLC0415 -- nothing is opened for a mistyped word

    with opened(ctx) as place:
        left = gone(place.reading, named(old, place.wish.environment, place.recorded()))
        pairs = [(key, renamed(place.reading, key, new)) for key in left]
        came = rename(place.outside, place.reading, place.caller, pairs)
        said = [_said(before, after, already=already) for (before, after), already in came.done]
        made: list[Json] = [
            {"from": before.short, "to": after.short, "key": str(after)} for (before, after), _ in came.done
        ]
        # What was renamed before one was refused is renamed.
        if made or not came.refused:
            place.screen.did({"renamed": made}, *said)
        if came.refused:
            raise came.refused
        place.screen.next(f"holdfast plan {' '.join(after.short for _, after in pairs)}")


def _said(before: StackKey, after: StackKey, *, already: bool) -> str:
    if already:
        return f"{before.short} is {after.short} already"
    return f"{before.short} is {after.short} now: what it made was taken over"

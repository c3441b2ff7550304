"""``holdfast unlock STACK``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import confirm_option, stack_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record, is_far
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey


@rich_click.command()
@stack_argument
@confirm_option
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, *, confirm: str) -> None:
    """Free the tool's own lock that one of our runs left behind; others' locks are not ours to free."""
    if is_far():
        from orchestrator.cli.far import acting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        acting.unlock(ctx, stack, confirm)
        return
    from orchestrator.engine.acts.locks import free, lock_of_ours  # noqa: PLC0415 -- nothing is opened for a mistyped word

    with at_record(ctx) as place:
        key = place.one(stack)
        lock = lock_of_ours(place.outside, key)
        if not _confirmed(place, key, confirm, lock):
            raise UsageError("not confirmed", code="HF-1905", hint=f"pass --confirm {key.short}")
        free(place.outside, place.reading, place.caller, key, lock)
        place.screen.did({"stack": key.short, "key": str(key), "lock": lock}, f"freed lock {lock} of {key.short}")
        place.screen.next(f"holdfast plan {key.short}")


def _confirmed(place: Place, key: StackKey, confirm: str, lock: str) -> bool:
    if confirm or not place.screen.interactive:
        return confirm == key.short
    typed = click.prompt(f"Type {key.short} to free lock {lock}", default="", show_default=False, err=True)
    return bool(typed == key.short)

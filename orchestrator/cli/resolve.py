"""``holdfast resolve STACK``."""

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
@click.option("--reason", metavar="TEXT", default="", help="Kept in the record.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, *, confirm: str, reason: str) -> None:
    """Say that nothing of an attempt is alive any more, where no host can prove it: its container or host is gone.

    It has then ended unknown, unless its folder tells more. The next apply looks at what is there, and asks before
    anything may be created twice.
    """
    if is_far():
        from orchestrator.cli.far import acting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        acting.resolve(ctx, stack, confirm, reason)
        return
    from orchestrator.cli.show_resolved import Resolved, page  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- likewise
    from orchestrator.engine.resolving import resolve, unproven_of  # noqa: PLC0415 -- likewise
    from orchestrator.model.event import AttemptDead  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        key = place.one(stack)
        found = unproven_of(place.outside, key)
        number = found.attempt.number if found.attempt else 0
        what = f"attempt {number}" if number else "whoever holds it"
        place.screen.say(f"{key.short}: nobody here can tell whether {what} is alive: {found.why}")
        _confirm(place, key, confirm, what)
        said = AttemptDead(attempt=number, by=place.world.actor, reason=reason)
        with begun(place, "resolve") as run:
            state = resolve(place.outside, place.reading, key, said, run)
        place.screen.emit(page(Resolved(key=key, said=said, why=found.why, state=state)))
        place.screen.next(f"holdfast plan {key.short}" if key in place.stacks else f"holdfast forget {key.short}")


def _confirm(place: Place, key: StackKey, said: str, what: str) -> None:
    if not said and place.screen.interactive:
        said = click.prompt(f"Type {key.short} if {what} is dead for certain", default="", show_default=False, err=True)
    if said != key.short:
        raise UsageError(f"{key.short} asks for its name", code="HF-1905", hint=f"pass --confirm {key.short}")

"""``holdfast rollback STACK [--to REV]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stack_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey

_PREVIOUS = "previous"


@rich_click.command()
@stack_argument
@click.option("--to", "revision", metavar="REV", default=_PREVIOUS, show_default=True, help="Commit or tag.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; production still asks for the stack's name.")
@click.option("--confirm", metavar="NAME", multiple=True, help="Say the stack's name beforehand.")
@click.option("--reason", default="", help="Kept with the hold.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, *, revision: str, yes: bool, confirm: tuple[str, ...], reason: str) -> None:
    """Bring a stack back to an earlier revision and hold it there.

    Later commits do not undo it until `holdfast resume`. Files and settings come from the earlier revision;
    policy, secrets, approvals and the outputs of other stacks are today's.
    """
    from orchestrator.cli.asking import Leave  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.flow import Wanted  # noqa: PLC0415 -- likewise
    from orchestrator.cli.holding import Target, held  # noqa: PLC0415 -- likewise
    from orchestrator.model.observed import HoldKind  # noqa: PLC0415 -- likewise

    with opened(ctx) as place:
        key = place.one(stack)
        target = Target(kind=HoldKind.REVISION, revision=_resolved(place, key, revision), reason=reason)
        wanted = Wanted(verb="rollback", keys=(key,), leave=Leave(yes=yes, confirmed=confirm), reason=reason)
        result = held(place, wanted, {key: target})
        place.screen.say(f"{key.short} is held at {target.revision[:7]} until: holdfast resume {key.short}")
        ctx.exit(result.exit_code)


def _resolved(place: Place, key: StackKey, revision: str) -> str:
    """Return the full id of the revision to go back to. Raises UsageError, SourceError."""
    if revision != _PREVIOUS:
        return place.world.at(revision).revision.id
    found = place.outside.record.row(str(key)).state.previous_revision
    if not found:
        raise UsageError(
            f"the record knows no revision of {key.short} before the present one",
            code="HF-1909",
            hint="name it: --to REV",
        )
    return found

"""``holdfast rollback STACK [--to REV]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import confirm_options, stack_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey

_PREVIOUS = "previous"


@rich_click.command()
@stack_argument
@click.option("--to", "revision", metavar="REV", default=_PREVIOUS, show_default=True, help="Commit or tag.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; what may lose something still asks for the stack's name.")
@confirm_options
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
        ctx.exit(held(place, wanted, {key: target}).exit_code)


def _resolved(place: Place, key: StackKey, revision: str) -> str:
    """Return the full id of the revision to go back to, once it is sure that the stack can be laid out at it.

    Raises UsageError, SourceError, ConfigError: before anything is recorded.
    """
    from orchestrator.engine.former import as_of  # noqa: PLC0415 -- nothing is opened for a mistyped word

    state = place.outside.record.row(str(key)).state
    if state.moved_to and key not in place.stacks:
        name = StackKey.parse(state.moved_to).short
        # Under the old name nothing is known of what it made: all of it would be made a second time.
        raise UsageError(f"{key.short} is {name} now", code="HF-1901", hint=f"holdfast rollback {name}")
    if revision == _PREVIOUS and not state.previous_revision:
        raise UsageError(
            f"the record knows no revision of {key.short} before the present one",
            code="HF-1909",
            hint="name it: --to REV",
        )
    reading = place.world.at(state.previous_revision if revision == _PREVIOUS else revision)
    if as_of(place.outside, key, place.stacks.get(key), reading.layout) is None:
        raise UsageError(
            f"{key.short} is not in revision {reading.revision.short}, under this name or an earlier one",
            code="HF-1920",
            hint=f"name a later one; to take down what it made: holdfast apply --destroy {key.short}",
        )
    return reading.revision.id

"""``holdfast rollback STACK [--to REV]``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import confirm_options, stack_argument
from orchestrator.cli.foreign import check_ours
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import is_far, opened

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

    if is_far():
        from orchestrator.cli.far import going_back  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        ctx.exit(going_back.rollback(ctx, stack, revision, Leave(yes=yes, confirmed=confirm), reason))
    from orchestrator.cli.flow import Wanted  # noqa: PLC0415 -- likewise
    from orchestrator.cli.holding import held  # noqa: PLC0415 -- likewise
    from orchestrator.engine.acts.holds import Target, back  # noqa: PLC0415 -- likewise
    from orchestrator.model.observed import HoldKind  # noqa: PLC0415 -- likewise

    check_ours("rollback")
    with opened(ctx) as place:
        key = place.one(stack)
        target = Target(
            kind=HoldKind.REVISION,
            revision=back(place.outside, place.reading, key, revision, place.world.at),
            reason=reason,
        )
        wanted = Wanted(verb="rollback", keys=(key,), leave=Leave(yes=yes, confirmed=confirm), reason=reason)
        ctx.exit(held(place, wanted, {key: target}).exit_code)

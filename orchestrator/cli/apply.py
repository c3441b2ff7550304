"""``holdfast apply [STACK…]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.arguments import confirm_options, stacks_argument
from orchestrator.cli.foreign import check_ours
from orchestrator.cli.options import parallel_option, run_options, world_options
from orchestrator.cli.place import is_far, opened
from orchestrator.cli.reports import Reports, report_options
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.cli.flow import Wanted

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@rich_click.command()
@stacks_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask; what may lose something still asks for the stack's name.")
@confirm_options
@click.option("--destroy", is_flag=True, help="Take the stacks down and keep them down until resumed.")
@click.option("--with-dependents", is_flag=True, help="Also the stacks that wait for these.")
@click.option("--verify", is_flag=True, help="Afterwards look whether the world is as applied.")
@click.option("--accept-duplicates", is_flag=True, help="Even if it may create a second time.")
@click.option("--reason", default="", help="Kept with your approval.")
@click.option("--plan", "folder", metavar="DIR", type=_FOLDER, help="Exactly the plans that `plan --out DIR` made.")
@click.option("--digest", metavar="SHA256", default="", help="Of --plan: only if it is this very one.")
@parallel_option
@world_options()
@report_options
@run_options
@click.pass_context
def command(  # noqa: PLR0913 -- one argument per option, as click has it
    ctx: click.Context,
    stacks: tuple[str, ...],
    *,
    yes: bool,
    confirm: tuple[str, ...],
    destroy: bool,
    with_dependents: bool,
    verify: bool,
    accept_duplicates: bool,
    reason: str,
    folder: Path | None,
    digest: str,
    parallel: int,
    summary: Path | None,
    outputs: Path | None,
) -> None:
    """Show the plan, ask, and apply exactly it, wave by wave.

    Destroying, replacing, production and going back ask for the stack's name; `--confirm NAME` says it beforehand.
    With `--plan` nothing is planned: what was planned elsewhere is applied, or nothing is. A second apply starts no
    tool. The first Ctrl-C detaches: what runs goes on, and `holdfast logs -f` follows it.
    """
    from orchestrator.cli.asking import Leave  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.flow import Wanted, carry_out  # noqa: PLC0415 -- likewise
    from orchestrator.cli.holding import take_down  # noqa: PLC0415 -- likewise
    from orchestrator.cli.looking import verify_applied  # noqa: PLC0415 -- likewise

    reports = Reports(summary=summary, outputs=outputs)
    with reports.failing(ctx):
        check_ours("apply")
    if destroy and not stacks:
        raise UsageError("--destroy needs the names of the stacks", hint="holdfast apply --destroy STACK")
    if digest and folder is None:
        raise UsageError(
            "--digest says which plans are meant, and no --plan names any", hint="holdfast apply --plan DIR"
        )
    if folder is not None:
        from orchestrator.cli.carrying import apply_parcel  # noqa: PLC0415 -- seldom asked for

        if destroy or with_dependents or verify or accept_duplicates:
            raise UsageError("--plan applies exactly what is in the folder", hint="holdfast apply --plan DIR [STACK…]")
        leave = Leave(yes=yes, confirmed=confirm)
        with reports.failing(ctx):
            code = apply_parcel(ctx, folder, digest, stacks, leave, reason=reason, parallel=parallel, reports=reports)
        ctx.exit(code)
    if is_far():
        reports.refuse_far()
        wish = Wanted(
            verb="apply",
            keys=(),
            leave=Leave(yes=yes, confirmed=confirm),
            parallel=parallel,
            reason=reason,
            accept_duplicates=accept_duplicates,
        )
        ctx.exit(_far(ctx, stacks, wish, destroy=destroy, with_dependents=with_dependents, verify=verify))
    with reports.failing(ctx), opened(ctx) as place:
        place.warn_of_dirt()
        if not stacks:
            place.warn_of_gone()
        wanted = Wanted(
            verb="destroy" if destroy else "apply",
            keys=place.chosen_to_go(stacks) if destroy else place.chosen(stacks, with_dependents=with_dependents),
            leave=Leave(yes=yes, confirmed=confirm),
            parallel=parallel,
            backwards=destroy,
            reason=reason,
            accept_duplicates=accept_duplicates,
        )
        result = take_down(place, wanted) if destroy else carry_out(place, wanted)
        reports.of_rows(place, result.rows, result.run, {})
        code = result.exit_code
        if verify and code == 0:
            code = verify_applied(place, [row.key for row in result.rows], parallel=parallel)
        ctx.exit(code)


def _far(
    ctx: click.Context, stacks: tuple[str, ...], wish: Wanted, *, destroy: bool, with_dependents: bool, verify: bool
) -> int:
    from orchestrator.cli.far import planning  # noqa: PLC0415 -- only where HOLDFAST_URL is set

    if destroy:
        hint = "run it on the service's host, or take the stack out of its source first"
        raise UsageError("a service takes nothing down from afar", code="HF-1915", hint=hint)
    return planning.apply(ctx, stacks, wish, with_dependents=with_dependents, verify=verify)

"""``holdfast plan [STACK…]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.foreign import ONLY_VALIDATED, check_ours, of_a_fork
from orchestrator.cli.options import parallel_option, run_options, world_options
from orchestrator.cli.place import NOTICES, Place, is_far, opened, screen_of
from orchestrator.cli.reports import Reports, report_options
from orchestrator.errors import EXIT_INTERRUPTED, UsageError
from orchestrator.model.stack import StackKey

if TYPE_CHECKING:
    from orchestrator.ports import Run
    from orchestrator.telling.rows import Row

_FOLDER = click.Path(file_okay=False, path_type=Path)


@rich_click.command()
@stacks_argument
@click.option("--dirty", is_flag=True, help="The files as they are, committed or not; never applied.")
@click.option("--with-dependents", is_flag=True, help="Also the stacks that wait for these.")
@click.option("--changed-since", metavar="REF", default="", help="Only stacks that a change since then concerns.")
@click.option("--destroy", is_flag=True, help="What taking the stacks down would do.")
@click.option("--out", metavar="DIR", type=_FOLDER, help="Also write the plans there, encrypted, for `apply --plan`.")
@click.option(
    "--forks",
    type=click.Choice(["refuse", "validate"]),
    default="refuse",
    help="What to do about a fork's pull request; no code of it is run.",
)
@click.option("--comment", is_flag=True, help="In a workflow: keep one comment below its pull request up to date.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something would change.")
@parallel_option
@world_options()
@report_options
@run_options
@click.pass_context
def command(  # noqa: PLR0913 -- one argument per option, as click has it
    ctx: click.Context,
    stacks: tuple[str, ...],
    *,
    dirty: bool,
    with_dependents: bool,
    changed_since: str,
    destroy: bool,
    out: Path | None,
    forks: str,
    comment: bool,
    detailed_exitcode: bool,
    parallel: int,
    summary: Path | None,
    outputs: Path | None,
) -> None:
    """Work out what would be done, and change nothing.

    A stack whose files, settings and inputs are those last planned or applied starts no tool; a plan that somebody
    rejected is made afresh where its STACK is named.
    """
    from orchestrator.cli.carrying import Packer, with_packed  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.progress import progress  # noqa: PLC0415 -- likewise
    from orchestrator.cli.show_plan import page  # noqa: PLC0415 -- likewise
    from orchestrator.cli.working import begun, listening  # noqa: PLC0415 -- likewise
    from orchestrator.engine.crew import Crew  # noqa: PLC0415 -- likewise
    from orchestrator.engine.side_by_side import at_once, ordered  # noqa: PLC0415 -- likewise
    from orchestrator.model.policy import Mode  # noqa: PLC0415 -- likewise
    from orchestrator.telling.outcome import exit_after_plan  # noqa: PLC0415 -- rich and the engine are heavy

    reports = Reports(summary=summary, outputs=outputs, comment=comment)
    if forks == "validate" and of_a_fork():
        _validate(ctx, stacks, reports)
    with reports.failing(ctx):
        check_ours("plan")
        _check_words(stacks, dirty=dirty, destroy=destroy, narrowed=bool(changed_since or with_dependents), out=out)
    if is_far():
        _far(
            ctx,
            stacks,
            reports,
            here=bool(dirty or changed_since or out),
            destroy=destroy,
            with_dependents=with_dependents,
            detailed=detailed_exitcode,
            parallel=parallel,
        )
    with reports.failing(ctx), opened(ctx, dirty=dirty, notices=NOTICES) as today:
        place = today.going_down() if destroy else today
        packer = Packer.ready(place, out) if out else None
        if not dirty:
            place.warn_of_dirt()
        if not stacks:
            place.warn_of_gone()
        keys = (
            place.chosen_to_go(stacks)
            if destroy
            else _keys(place, stacks, since=changed_since, with_dependents=with_dependents)
        )
        if not keys:
            place.screen.say(f"no stack is concerned by what changed since {changed_since}")
        with begun(place, "plan") as run, progress(place.screen) as tell, listening(place, run) as stop:
            crew = Crew(ground=place, run=run, stop=stop, tell=tell, parallel=at_once(parallel), afresh=bool(stacks))
            crew.look_up(keys)
            rows = [
                row
                for wave in ordered(place, keys, backwards=destroy)
                for row in crew.rows(crew.settle(wave, Mode.OBSERVE))
            ]
            interrupted = stop.wanted
        if interrupted:
            ctx.exit(EXIT_INTERRUPTED)
        packed = packer.write(rows) if packer else None
        place.screen.emit(with_packed(page(rows), packed) if packed else page(rows))
        reports.of_rows(place, rows, run.number, packed.outputs if packed else {})
        place.screen.next(*([packed.command(place)] if packed else _next(place, rows, run, destroy=destroy)))
        ctx.exit(exit_after_plan([row.mark for row in rows], detailed=detailed_exitcode))


def _far(  # noqa: PLR0913 -- one argument per option
    ctx: click.Context,
    stacks: tuple[str, ...],
    reports: Reports,
    *,
    here: bool,
    destroy: bool,
    with_dependents: bool,
    detailed: bool,
    parallel: int,
) -> None:
    """Have a service plan; ``here``: something was asked for that is about files on this host."""
    from orchestrator.cli.far.planning import plan  # noqa: PLC0415 -- only where HOLDFAST_URL is set

    reports.refuse_far()
    if here:
        raise UsageError(
            "--dirty, --changed-since and --out are about files here, and a service plans what its sources hold",
            code="HF-1915",
            hint="in a checkout, without HOLDFAST_URL, all of them work",
        )
    plan(ctx, stacks, destroy=destroy, with_dependents=with_dependents, detailed=detailed, parallel=parallel)


def _validate(ctx: click.Context, stacks: tuple[str, ...], reports: Reports) -> NoReturn:
    """Look at the files and run nothing of them."""
    from orchestrator.cli.validate import command as validate  # noqa: PLC0415 -- seldom so

    reports.text(f"{ONLY_VALIDATED}\n")
    screen_of(ctx).say(ONLY_VALIDATED)
    ctx.exit(ctx.invoke(validate, stacks=stacks, strict=False, tools=False, dirty=False))


def _check_words(stacks: tuple[str, ...], *, dirty: bool, destroy: bool, narrowed: bool, out: Path | None) -> None:
    if destroy and (not stacks or dirty):
        raise UsageError(
            "--destroy needs the names of stacks, as they are committed", hint="holdfast plan --destroy STACK"
        )
    if destroy and narrowed:
        raise UsageError(
            "--destroy means the stacks that are named, and no others", hint="holdfast plan --destroy STACK…"
        )
    if out and (destroy or dirty):
        raise UsageError(
            "--out writes plans that can be applied, and of what is committed", hint="holdfast plan --out DIR"
        )


def _keys(place: Place, words: tuple[str, ...], *, since: str, with_dependents: bool) -> tuple[StackKey, ...]:
    chosen = place.chosen(words)
    if since:
        from orchestrator.engine.watch import changed_since  # noqa: PLC0415 -- seldom asked for

        concerned = changed_since(place.outside, place.world.at(since), place.reading)
        chosen = tuple(key for key in chosen if key in concerned)
    return place.with_dependents(chosen) if with_dependents else chosen


def _next(place: Place, rows: Sequence[Row], run: Run, *, destroy: bool) -> Sequence[str]:
    from orchestrator.cli.suggesting import after_plan  # noqa: PLC0415 -- the engine is heavy

    if not destroy:
        return after_plan(place, rows, run.number)
    going = [row.key.short for row in rows if row.proposal]
    return [place.command("apply", "--destroy", *going)] if going else []

"""``holdfast drift [STACK…]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click
import rich_click

from adapters.contract import Goal
from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.foreign import check_ours
from orchestrator.cli.options import parallel_option, run_options, world_options
from orchestrator.cli.place import Place, at_record, is_far, opened
from orchestrator.cli.reports import Reports, report_options
from orchestrator.errors import EXIT_CHANGES, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UsageError
from orchestrator.model.stack import StackKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.screen import Screen
    from orchestrator.cli.show_drift import Row


class Telling(Protocol):
    """Where what was found is told."""

    @property
    def screen(self) -> Screen:
        """The terminal, or what stands in its place."""

    @property
    def now(self) -> float:
        """Seconds since the epoch."""


@rich_click.command()
@stacks_argument
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where drift was found.")
@click.option("--answer", is_flag=True, help="Then do what policy says about it: propose, or repair.")
@click.option("--show", is_flag=True, help="What the last look found; starts no tool.")
@click.option("--history", is_flag=True, help="Each time that something drifted, and how it ended; starts no tool.")
@click.option("--issues", is_flag=True, help="In a workflow: keep an issue open for each stack that drifted.")
@click.option("--ignore", metavar="ADDRESS[#ATTRIBUTE]", default="", help="Have a difference of STACK left alone.")
@click.option("--until", metavar="WHEN", default="", help='Of --ignore: 2026-11-30, "2026-11-30 18:00" or 30d.')
@click.option("--heed", metavar="ADDRESS[#ATTRIBUTE]", default="", help="Take such a word back.")
@click.option("--reason", default="", help="Of --ignore and --heed: everybody who meets the difference reads it.")
@parallel_option
@world_options()
@report_options
@run_options
@click.pass_context
def command(  # noqa: PLR0913 -- one argument per option, as click has it
    ctx: click.Context,
    stacks: tuple[str, ...],
    *,
    detailed_exitcode: bool,
    answer: bool,
    show: bool,
    history: bool,
    issues: bool,
    ignore: str,
    until: str,
    heed: str,
    reason: str,
    parallel: int,
    summary: Path | None,
    outputs: Path | None,
) -> None:
    """Compare the world with what was applied: attribute, expected, actual. Changes nothing without --answer.

    Without STACK every stack that was ever applied is looked at.
    """
    reports = Reports(summary=summary, outputs=outputs, issues=issues)
    with reports.failing(ctx):
        check_ours("drift")
    _one_of(answer=answer, show=show, history=history, ignore=ignore, heed=heed)
    if ignore or heed or until or reason:
        _say(ctx, stacks, ignore=ignore, until=until, heed=heed, reason=reason)
        return
    if is_far():
        reports.refuse_far()
        _far(ctx, stacks, answer=answer, show=show, history=history, detailed=detailed_exitcode, parallel=parallel)
        return
    # What was found is in the record: files that cannot be read hide none of it.
    with reports.failing(ctx), at_record(ctx) if history or show else opened(ctx) as place:
        keys = place.chosen(stacks) if stacks or place.forgetful else _applied(place, place.chosen(stacks))
        if history:
            _print_history(place, keys)
        elif show:
            ctx.exit(_found(place, _remembered(place, keys), reports, detailed=detailed_exitcode))
        else:
            ctx.exit(_looked(place, keys, reports, answer=answer, detailed=detailed_exitcode, parallel=parallel))


def _far(  # noqa: PLR0913 -- one argument per option
    ctx: click.Context,
    stacks: tuple[str, ...],
    *,
    answer: bool,
    show: bool,
    history: bool,
    detailed: bool,
    parallel: int,
) -> None:
    from orchestrator.cli.far import drifting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

    if answer:
        hint = "leave out --answer: it does so in its own time; holdfast apply puts it back now"
        raise UsageError("a service answers drift by itself, as policy says", code="HF-1915", hint=hint)
    if history:
        drifting.history(ctx, stacks)
    elif show:
        ctx.exit(drifting.remembered(ctx, stacks, detailed=detailed))
    else:
        ctx.exit(drifting.look(ctx, stacks, detailed=detailed, parallel=parallel))


def _one_of(**wishes: object) -> None:
    given = [f"--{name}" for name, wish in wishes.items() if wish]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do not go together", hint="one after the other")


def _looked(
    place: Place, keys: Sequence[StackKey], reports: Reports, *, answer: bool, detailed: bool, parallel: int
) -> int:
    from orchestrator.cli.comparing import compare  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.cli.looking import look  # noqa: PLC0415 -- likewise

    rows, interrupted = (compare if place.forgetful else look)(place, keys, parallel=parallel)
    if interrupted:
        return EXIT_INTERRUPTED
    if not answer or place.forgetful:
        return _found(place, rows, reports, detailed=detailed)
    from orchestrator.cli.drift_answers import answer as answered  # noqa: PLC0415 -- only here
    from orchestrator.cli.show_drift import page  # noqa: PLC0415 -- rich is heavy

    done = answered(place, rows, parallel=parallel)
    place.screen.emit(page(done.rows, place.now))
    place.screen.next(*done.steps)
    failed = EXIT_FAILED if any(row.problem for row in rows) else EXIT_DONE
    return failed or done.exit_code or _code(rows, detailed=detailed)


def _found(place: Place, rows: Sequence[Row], reports: Reports, *, detailed: bool) -> int:
    code = found(place, rows, detailed=detailed)
    reports.of_drift(place, rows)
    return code


def found(place: Telling, rows: Sequence[Row], *, detailed: bool) -> int:
    """Print what was found and what to type next; return the exit code."""
    from orchestrator.cli.show_drift import page  # noqa: PLC0415 -- rich is heavy

    place.screen.emit(page(rows, place.now))
    drifted = [row for row in rows if row.items]
    if any(item.will_be_reverted for row in drifted for item in row.items):
        names = " ".join(row.key.short for row in drifted) if len(drifted) <= 3 else ""  # noqa: PLR2004 -- more than fit a glance
        place.screen.next(f"holdfast apply {names}".rstrip() + "      puts back what the files speak of")
    return _code(rows, detailed=detailed)


def _code(rows: Sequence[Row], *, detailed: bool) -> int:
    if any(row.problem for row in rows):
        return EXIT_FAILED
    return EXIT_CHANGES if detailed and any(row.items for row in rows) else EXIT_DONE


def _remembered(place: Place, keys: Sequence[StackKey]) -> list[Row]:
    from orchestrator.cli.looking import remembered  # noqa: PLC0415 -- rich and the engine are heavy

    return remembered(place, keys)


def _print_history(place: Place, keys: Sequence[StackKey]) -> None:
    from orchestrator.cli.show_history import History, page  # noqa: PLC0415 -- rich and the engine are heavy
    from orchestrator.engine.judging import judged_of  # noqa: PLC0415 -- likewise

    rows = {key: place.outside.record.row(str(key)) for key in keys}
    place.screen.emit(
        page([History(key=key, judged=judged_of(place.outside, place.reading, key, row)) for key, row in rows.items()])
    )


def _say(ctx: click.Context, stacks: tuple[str, ...], *, ignore: str, until: str, heed: str, reason: str) -> None:
    """Record that a difference is to be left alone, or no longer. Raises UsageError."""
    from orchestrator.cli.living_with import heed_again, leave_alone  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.rules.difference import Difference  # noqa: PLC0415 -- likewise

    if heed and (len(stacks) != 1 or until):
        hint = "holdfast drift STACK --heed ADDRESS"
        raise UsageError("--heed takes one STACK and no --until", code="HF-1932", hint=hint)
    if not heed and (len(stacks) != 1 or not (ignore and until and reason)):
        hint = "holdfast drift STACK --ignore ADDRESS --until 30d --reason TEXT"
        raise UsageError("--ignore takes one STACK, and needs --until and --reason", code="HF-1932", hint=hint)
    of = Difference.parse(ignore or heed)
    if is_far():
        from orchestrator.cli.far import drifting  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        if heed:
            drifting.heed(ctx, stacks[0], of, reason)
        else:
            drifting.ignore(ctx, stacks[0], of, until=until, reason=reason)
        return
    with at_record(ctx) as place:
        key = place.one(stacks[0])
        if heed:
            heed_again(place, key, of, reason)
        else:
            leave_alone(place, key, of, until=until, reason=reason)


def _applied(place: Place, keys: tuple[StackKey, ...]) -> tuple[StackKey, ...]:
    """Leave out what was never applied, or taken down: nothing of it could drift."""
    found = []
    for key in keys:
        applied = place.outside.record.row(str(key)).state.applied
        if applied is not None and applied.goal is not Goal.DESTROY:
            found.append(key)
    return tuple(found)

"""``plan``, ``apply`` and ``show STACK`` of a service: it works, and people are asked here."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import click

from orchestrator.cli.asking import allowed
from orchestrator.cli.far import errands
from orchestrator.cli.far.drifting import verified
from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.flow import Wanted
from orchestrator.cli.progress import progress
from orchestrator.cli.screen import Screen
from orchestrator.cli.show_plan import page, view
from orchestrator.cli.show_stack import page_of as stack_page
from orchestrator.cli.suggesting import after_apply, after_plan
from orchestrator.engine.sorting_out import kept_back
from orchestrator.errors import EXIT_INTERRUPTED, UsageError
from orchestrator.model.stack import StackKey
from orchestrator.telling.errands import Needs, Told, read_row
from orchestrator.telling.outcome import exit_after_apply, exit_after_plan
from orchestrator.telling.rows import Mark, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Where a person can be asked about plans that a service made."""

    screen: Screen
    grave: Mapping[StackKey, str] = field(default_factory=dict)

    def gravity(self, row: Row) -> str:
        """Say what makes a plan too grave for a mere yes, as the service knows it."""
        return self.grave.get(row.key, "")


def plan(
    ctx: click.Context, words: Sequence[str], *, destroy: bool, with_dependents: bool, detailed: bool, parallel: int
) -> None:
    """Have a service plan stacks, and print the plans."""
    with asked(ctx) as far:
        far.look()
        keys = far.keys(words) if destroy else far.chosen(words, with_dependents=with_dependents)
        if not keys:
            far.screen.emit(page([]))
            ctx.exit(0)
        with progress(far.screen) as tell:
            came = errands.plan(far, keys, tell, afresh=bool(words), destroy=destroy, parallel=parallel)
        if came.interrupted:
            ctx.exit(EXIT_INTERRUPTED)
        rows = [told.row for told in came.rows]
        far.screen.emit(page(rows))
        going = [row.key.short for row in rows if row.proposal]
        if not destroy:
            far.screen.next(*after_plan(far, rows, came.run))
        elif going:
            far.screen.next(far.command("apply", "--destroy", *going))
        ctx.exit(exit_after_plan([row.mark for row in rows], detailed=detailed))


def show_stack(ctx: click.Context, word: str) -> None:
    """Show what is proposed for a stack. Raises UsageError (HF-1906) where nothing is."""
    with asked(ctx) as far:
        key = far.one(word)
        document = far.server.get(far.of(key, "plan"))
        row = far.read(lambda: read_row(document))
        applied, waits = document["applied"], row.proposal
        if waits is None and applied is None:
            raise UsageError(f"nothing is proposed for {key.short}", code="HF-1906", hint=f"holdfast plan {key.short}")
        shown = row if waits else None
        far.read(lambda: far.screen.emit(stack_page(key, shown, document["proposed"], applied)))
        if waits is None:
            far.screen.next(far.command("plan", key.short))
        else:
            far.screen.next(*after_plan(far, [row], waits.run))


def apply(ctx: click.Context, words: Sequence[str], wanted: Wanted, *, with_dependents: bool, verify: bool) -> int:
    """Have a service plan, ask here, and have exactly what was seen applied; return the exit code."""
    with asked(ctx) as far:
        far.look()
        rows: list[Row] = []
        refused: list[StackKey] = []
        run, interrupted = 0, False
        for keys in far.waves_of(words, with_dependents=with_dependents):
            done, kept, run, interrupted = _wave(far, keys, wanted)
            rows += done
            refused += kept
            if interrupted:
                break
        shown = [replace(row, plan=None, warnings=()) for row in rows] if far.screen.for_people else rows
        # The plans were shown when people were asked: now only what became of each stack.
        far.screen.emit(page(shown))
        far.screen.next(*after_apply(far, rows, run, refused if far.screen.interactive else []))
        code = EXIT_INTERRUPTED if interrupted else exit_after_apply([row.mark for row in rows])
        return code or (verified(far, [row.key for row in rows], parallel=wanted.parallel) if verify and rows else code)


def _wave(far: Far, keys: Sequence[StackKey], wanted: Wanted) -> tuple[list[Row], list[StackKey], int, bool]:
    """Plan, show, ask and apply one wave.

    Returns its rows, the stacks that stay as they were, the run, and whether it was ended before its time.
    """
    with progress(far.screen) as tell:
        came = errands.plan(far, keys, tell, accept_duplicates=wanted.accept_duplicates, parallel=wanted.parallel)
    planned = [told.row for told in came.rows]
    changing = [told for told in came.rows if told.needs is not Needs.NOTHING]
    if came.interrupted or not changing:
        return planned, [], came.run, came.interrupted
    if far.screen.for_people:
        # What a person is asked about goes where the question goes.
        shown = view([told.row for told in changing], whole=far.screen.form == "wide")
        far.screen.console(sys.stderr).print(shown)
    opens = [told.row for told in changing if told.needs is Needs.YES]
    asker = Asker(screen=far.screen, grave={told.row.key: told.grave for told in changing})
    granted = allowed(asker, opens, wanted.leave)
    agreed = [told.row for told in changing if told.needs is Needs.AGREED]
    run, interrupted, applied = came.run, False, dict[StackKey, Row]()
    if going := [_seen(row, yes=False) for row in agreed] + [_seen(row, yes=True) for row in granted]:
        with progress(far.screen) as tell:
            came = errands.apply(
                far,
                going,
                tell,
                reason=wanted.reason,
                accept_duplicates=wanted.accept_duplicates,
                parallel=wanted.parallel,
            )
        run, interrupted = came.run, came.interrupted
        applied = {told.row.key: told.row for told in came.rows}
    refused = [row for row in opens if row not in granted]
    barred = [_barred(told) for told in changing if told.needs is Needs.BARRED]
    became = {row.key: row for row in (*barred, *map(kept_back, refused))} | applied
    rows = [became.get(row.key, row) for row in planned]
    return rows, [row.key for row in (*refused, *barred)], run, interrupted


def _barred(told: Told) -> Row:
    return told.barred or replace(told.row, mark=Mark.DENIED)


def _seen(row: Row, *, yes: bool) -> dict[str, object]:
    proposal = row.proposal
    return {
        "stack": str(row.key),
        "proposal": proposal.number if proposal else 0,
        "digest": proposal.changes_digest if proposal else "",
        "yes": yes,
    }

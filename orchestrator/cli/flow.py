"""From a plan over a person's yes to exactly that plan applied, wave by wave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from orchestrator.cli.asking import Leave, allowed
from orchestrator.cli.place import Place
from orchestrator.cli.progress import progress
from orchestrator.cli.show_plan import page, view
from orchestrator.cli.suggesting import after_apply
from orchestrator.cli.working import Stop, begun, interruptible, leave, listening
from orchestrator.engine.acts.consent import Word, approve
from orchestrator.engine.crew import Crew
from orchestrator.engine.side_by_side import Tell, at_once, ordered
from orchestrator.engine.sorting_out import kept_back, sort_out
from orchestrator.engine.waking import wake_readers
from orchestrator.errors import EXIT_INTERRUPTED, OrchestratorError
from orchestrator.model.policy import Mode
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.rules.order import readers
from orchestrator.telling.outcome import exit_after_apply
from orchestrator.telling.rows import Mark, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants applied, and how."""

    verb: str
    keys: tuple[StackKey, ...]
    leave: Leave
    parallel: int = 0
    #: What depends on others goes first: for taking down.
    backwards: bool = False
    #: The person's word for it, kept with the approval.
    reason: str = ""
    accept_duplicates: bool = False
    #: Called once the run has begun, before anything is planned.
    begin: Callable[[Run], None] | None = None
    #: What each stack's plan must be, by its binding; None where whatever is planned may be applied.
    bound: Mapping[StackKey, str] | None = None
    #: Takes back what was set for it where it is left before it begins: then nothing waits.
    undo: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it."""

    rows: tuple[Row, ...]
    run: int
    exit_code: int
    #: Stacks that were planned and that nobody let go ahead.
    refused: tuple[StackKey, ...] = ()


def carry_out(place: Place, wanted: Wanted) -> Result:
    """Plan, show, ask and apply, wave by wave; print what came of it. Detaches on the first Ctrl-C."""
    rows: list[Row] = []
    refused: list[StackKey] = []
    with begun(place, wanted.verb) as run, listening(place, run, detaches=True) as stop:
        if wanted.begin:
            wanted.begin(run)
        else:
            with progress(place.screen) as tell:
                _crew(place, wanted, run, stop, tell).look_up(wanted.keys)
        for keys in ordered(place, wanted.keys, backwards=wanted.backwards):
            if stop.wanted:
                break
            done, kept_back = _wave(place, wanted, run, stop, keys)
            rows += done
            refused += kept_back
        interrupted = stop.wanted
    _wake(place, rows)
    _print(place, rows)
    if not wanted.undo:
        declined = refused if place.screen.interactive else []
        place.screen.next(*after_apply(place, rows, run.number, declined))
    code = EXIT_INTERRUPTED if interrupted else exit_after_apply([row.mark for row in rows])
    return Result(rows=tuple(rows), run=run.number, exit_code=code, refused=tuple(refused))


def _wake(place: Place, rows: Sequence[Row]) -> None:
    """Have a service that shares this record look at what waits for the stacks that were applied here."""
    if all(source.id != place.world.source.id for source in place.world.operator.sources):
        return
    applied = [row.key for row in rows if row.mark is Mark.APPLIED]
    with suppress(OrchestratorError):
        # What was applied is recorded: that nobody is told of it costs the others a wait.
        wake_readers(place.outside, readers(place.reading.layout.stacks), applied, but=[row.key for row in rows])


def _wave(
    place: Place, wanted: Wanted, run: Run, stop: Stop, keys: Sequence[StackKey]
) -> tuple[list[Row], list[StackKey]]:
    with progress(place.screen) as tell:
        crew = _crew(place, wanted, run, stop, tell)
        planned = _only_bound(wanted, crew.rows(crew.settle(keys, Mode.OBSERVE)))
    _leave_if_wanted(place, wanted, run, stop)
    changing = [row for row in planned if row.mark in {Mark.CHANGES, Mark.UNKNOWN, Mark.DENIED} and row.proposal]
    if stop.wanted or not changing:
        return planned, []
    if place.screen.for_people:
        _show(place, changing)
    with progress(place.screen) as tell:
        crew = _crew(place, wanted, run, stop, tell)
        sorted_out = sort_out(crew, changing, accept_duplicates=wanted.accept_duplicates)
    with interruptible():
        granted = allowed(place, sorted_out.open, wanted.leave)
    for row in granted:
        _approve(place, wanted, run, row)
    going = [*sorted_out.agreed, *granted]
    with progress(place.screen) as tell:
        crew = _crew(place, wanted, run, stop, tell)
        ended = crew.rows(crew.settle([row.key for row in going], Mode.PROPOSE))
        applied = {row.key: row for row in _only_bound(wanted, ended)}
    _leave_if_wanted(place, wanted, run, stop)
    refused = [row for row in sorted_out.open if row not in granted]
    became = {row.key: row for row in (*sorted_out.barred, *map(kept_back, refused))} | applied
    return [became.get(row.key, row) for row in planned], [row.key for row in (*refused, *sorted_out.barred)]


def _only_bound(wanted: Wanted, rows: Sequence[Row]) -> list[Row]:
    """Have each stack fail whose plan is another than the one that was handed in: nobody has seen it."""
    bound = wanted.bound
    return list(rows) if bound is None else [_as_bound(row, bound) for row in rows]


def _as_bound(row: Row, bound: Mapping[StackKey, str]) -> Row:
    if row.proposal is None or row.proposal.binding(str(row.key)) == bound.get(row.key):
        return row
    why = "the world is not as it was when this was planned, and now another plan would be due; plan again"
    return replace(row, mark=Mark.FAILED, code="HF-1608", why=why, proposal=None, plan=None, warnings=())


def _approve(place: Place, wanted: Wanted, run: Run, row: Row) -> None:
    if row.proposal:
        word = Word(caller=place.caller, reason=wanted.reason, duplicates=wanted.accept_duplicates)
        approve(place.outside, row.key, row.proposal, word, run=run.number)


def _crew(place: Place, wanted: Wanted, run: Run, stop: Stop, tell: Tell) -> Crew:
    return Crew(
        ground=place, run=run, stop=stop, tell=tell, parallel=at_once(wanted.parallel), holds=wanted.undo is not None
    )


def _leave_if_wanted(place: Place, wanted: Wanted, run: Run, stop: Stop) -> None:
    if stop.wanted and stop.detaches:
        if wanted.undo:
            wanted.undo()
        leave(place, run)


def _show(place: Place, rows: Sequence[Row]) -> None:
    # What a person is asked about goes where the question goes.

    place.screen.console(sys.stderr).print(view(rows, whole=place.screen.form == "wide"))


def _print(place: Place, rows: Sequence[Row]) -> None:
    if place.screen.for_people:
        # The plans were shown when people were asked: now only what became of each stack.
        rows = [replace(row, plan=None, warnings=()) for row in rows]
    place.screen.emit(page(rows))

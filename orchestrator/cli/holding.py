"""Holds: a stack kept at an earlier revision, or kept down. Set before the plan, undone where nothing comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from adapters.contract import AdapterError, Goal, Json
from orchestrator.cli.asking import Unanswered, words_for
from orchestrator.cli.flow import Result, Wanted, carry_out
from orchestrator.cli.place import Place
from orchestrator.cli.suggesting import after_apply
from orchestrator.engine.acts.holds import Holding, Target, down
from orchestrator.engine.reads import NoShell
from orchestrator.errors import EXIT_INTERRUPTED, Denied, OrchestratorError, UsageError
from orchestrator.model.observed import HoldKind
from orchestrator.model.stack import StackKey
from orchestrator.rules.stillness import held_at
from orchestrator.telling.rows import Mark, Row

#: Where a hold stays though nothing was begun: there was nothing to do, or others have to say yes, too.
_STAYS: Final = frozenset({Mark.NONE, Mark.APPLIED, Mark.CHANGES})


def take_down(place: Place, wanted: Wanted) -> Result:
    """Plan the destruction of each stack, ask, do it, and hold it down. Raises UsageError where nothing is there."""
    targets = down(place.outside, wanted.keys, wanted.reason)
    for key in targets:
        _check_destroys(place, key)
    return held(place, wanted, targets)


def _check_destroys(place: Place, key: StackKey) -> None:
    """Raise UsageError where the stack's tool cannot take down what it made; one without files is left to its plan."""
    stack = place.stacks.get(key)
    if stack is None:
        return
    try:
        settings: dict[str, Json] = {**stack.settings, "path": str(stack.path), "tool": stack.tool}
        destroys = place.outside.adapters.build(stack, settings, NoShell()).traits.destroys
    except (AdapterError, OrchestratorError):
        # What is wrong with it is for the plan to tell.
        return
    if not destroys:
        hint = "have its files remove what they made, and apply that; then take it out of stacks.yaml"
        raise UsageError(f"{key.short}: {stack.tool} cannot take down what it made", code="HF-1922", hint=hint)


def held(place: Place, wanted: Wanted, targets: Mapping[StackKey, Target]) -> Result:
    """Hold each stack at its target, carry out, and put back the hold of each that nobody let go ahead.

    And of each that could not be planned: it must not stay held where it cannot be.
    """
    holding = Holding(outside=place.outside, source=place.reading.source, caller=place.caller, targets=targets)
    whole = False
    try:
        holding.hold()
        result = carry_out(place, replace(wanted, undo=holding.undo))
        whole = result.exit_code != EXIT_INTERRUPTED
    finally:
        # Somebody pressed Ctrl-C or typed a wrong name: nothing may stay half decided.
        if not whole:
            holding.undo()
    if whole:
        _put_back_unplanned(place, result, holding)
    for key in result.refused:
        holding.put_back(key)
    _tell_held(place, result)
    _tell_refused(place, [row for row in result.rows if row.key in result.refused])
    return result


def _put_back_unplanned(place: Place, result: Result, holding: Holding) -> None:
    """Put back the hold of each stack that no plan was made of and nothing was begun of, and say so."""
    for row in result.rows:
        # What was planned, and that somebody said yes to, may wait for a gate.
        target = holding.targets[row.key]
        goal = Goal.DESTROY if target.kind is HoldKind.DESTROYED else Goal.CONVERGE
        planned = row.proposal is not None and (row.proposal.revision, row.proposal.goal) == (target.revision, goal)
        if planned or row.mark in _STAYS or holding.begun(row.key):
            continue
        holding.put_back(row.key, because="it could not be planned")
        place.screen.say(f"{row.key.short} stays as it was: it could not be planned")


def _tell_held(place: Place, result: Result) -> None:
    """Say which stacks are held now, and what to type: what tells more, and what ends the hold."""
    rows = [row for row in result.rows if row.key not in result.refused]
    states = {row.key: place.outside.record.row(str(row.key)).state for row in rows}
    kept = [still for key, state in states.items() if (still := held_at(key, state))]
    for still in kept:
        place.screen.say(f"{still.key.short} is {'; '.join(still.words)}")
    ends = [place.command("resume", *(still.key.short for still in kept))] if kept else []
    more = after_apply(place, rows, result.run, ()) if result.exit_code else []
    place.screen.next(*more, *ends)


def _tell_refused(place: Place, rows: Sequence[Row]) -> None:
    """Raise Denied or Unanswered for stacks that stay as they were."""
    for row in rows:
        if row.mark is not Mark.CHANGES:
            raise Denied(f"{row.key.short} stays as it was: {row.why}", hint=f"holdfast explain {row.key.short}")
    if rows:
        names = ", ".join(row.key.short for row in rows)
        hint = "" if place.screen.interactive else f"say it beforehand: {' '.join(words_for(place, rows))}"
        raise Unanswered(f"without a yes {names} stays as it was", hint=hint)

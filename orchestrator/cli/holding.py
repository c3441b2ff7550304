"""Holds: a stack kept at an earlier revision, or kept down. Set before the plan, undone where nothing comes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from adapters.contract import AdapterError, Goal, Json
from orchestrator.cli.asking import Unanswered, words_for
from orchestrator.cli.consent import append, nudge
from orchestrator.cli.flow import Result, Wanted, carry_out
from orchestrator.cli.place import Place
from orchestrator.cli.show_plan import Mark, Row
from orchestrator.cli.stillness import held_at
from orchestrator.cli.suggesting import after_apply
from orchestrator.engine.reads import NoShell
from orchestrator.errors import EXIT_INTERRUPTED, Denied, OrchestratorError, UsageError
from orchestrator.model.event import Event, Held, Released
from orchestrator.model.observed import Hold, HoldKind, State
from orchestrator.model.stack import StackKey

#: The run that a hold belongs to which is set before its run begins.
_NO_RUN = 0
#: Where a hold stays though nothing was begun: there was nothing to do, or others have to say yes, too.
_STAYS: Final = frozenset({Mark.NONE, Mark.APPLIED, Mark.CHANGES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a hold is to be: a kind and the revision whose files are used."""

    kind: HoldKind
    revision: str
    reason: str


def take_down(place: Place, wanted: Wanted) -> Result:
    """Plan the destruction of each stack, ask, do it, and hold it down. Raises UsageError where nothing is there."""
    targets = {}
    for key in wanted.keys:
        applied = _state(place, key).applied
        if applied is None:
            raise UsageError(f"{key.short} was never applied: there is nothing to destroy", code="HF-1914")
        _check_destroys(place, key)
        targets[key] = Target(kind=HoldKind.DESTROYED, revision=applied.revision, reason=wanted.reason)
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
    before = {key: _state(place, key) for key in targets}

    def undo() -> None:
        for key in targets:
            if not _begun(before[key], _state(place, key)):
                _put_back(place, key, before[key].hold)

    whole = False
    try:
        for key, target in targets.items():
            _hold(place, key, target)
        result = carry_out(place, replace(wanted, undo=undo))
        whole = result.exit_code != EXIT_INTERRUPTED
    finally:
        # Somebody pressed Ctrl-C or typed a wrong name: nothing may stay half decided.
        if not whole:
            undo()
    if whole:
        _put_back_unplanned(place, result, before, targets)
    for key in result.refused:
        _put_back(place, key, before[key].hold)
    _tell_held(place, result)
    _tell_refused(place, [row for row in result.rows if row.key in result.refused])
    return result


def _put_back_unplanned(
    place: Place, result: Result, before: Mapping[StackKey, State], targets: Mapping[StackKey, Target]
) -> None:
    """Put back the hold of each stack that no plan was made of and nothing was begun of, and say so."""
    for row in result.rows:
        # What was planned, and that somebody said yes to, may wait for a gate.
        target = targets[row.key]
        goal = Goal.DESTROY if target.kind is HoldKind.DESTROYED else Goal.CONVERGE
        planned = row.proposal is not None and (row.proposal.revision, row.proposal.goal) == (target.revision, goal)
        if planned or row.mark in _STAYS or _begun(before[row.key], _state(place, row.key)):
            continue
        _put_back(place, row.key, before[row.key].hold, because="it could not be planned")
        place.screen.say(f"{row.key.short} stays as it was: it could not be planned")


def _tell_held(place: Place, result: Result) -> None:
    """Say which stacks are held now, and what to type: what tells more, and what ends the hold."""
    rows = [row for row in result.rows if row.key not in result.refused]
    kept = [still for row in rows if (still := held_at(row.key, _state(place, row.key)))]
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


def release(place: Place, key: StackKey, reason: str) -> bool:
    """End a stack's hold; False where there is none."""
    if _state(place, key).hold is None:
        return False
    append(place, key, lambda _: Released(by=place.world.actor, reason=reason), run=_NO_RUN)
    nudge(place, key, "released")
    return True


def _state(place: Place, key: StackKey) -> State:
    return place.outside.record.row(str(key)).state


def _begun(before: State, now: State) -> bool:
    """Whether anything was done about a stack since ``before``."""
    return (before.attempts, before.applied) != (now.attempts, now.applied)


def _hold(place: Place, key: StackKey, target: Target) -> None:
    # A ref of its own keeps the commit: a force-push must not take the files away that are to be held.
    name = f"held-{hashlib.sha256(str(key).encode()).hexdigest()[:16]}"
    place.outside.sources.pin(place.reading.source, target.revision, name)
    hold = Hold(
        kind=target.kind,
        revision=target.revision,
        by=place.world.actor,
        reason=target.reason,
        at=place.now,
    )
    append(place, key, lambda _: Held(hold=hold), run=_NO_RUN)


def _put_back(place: Place, key: StackKey, before: Hold | None, *, because: str = "nobody said yes to it") -> None:
    def event(_: State) -> Event:
        if before is not None:
            return Held(hold=before)
        return Released(by=place.world.actor, reason=because)

    append(place, key, event, run=_NO_RUN)

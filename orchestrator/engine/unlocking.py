"""Frees the tool's lock that an attempt of ours left behind: as a step of that attempt, recorded before and after."""

from __future__ import annotations

from pathlib import Path

from adapters.contract import AdapterError, Handle
from orchestrator.engine.earlier import at_revision
from orchestrator.engine.recovery import at_work
from orchestrator.engine.station import Case, station
from orchestrator.engine.values import stored_inputs
from orchestrator.errors import Conflict, OrchestratorError
from orchestrator.model.event import Event, UnlockEnded, UnlockStarted
from orchestrator.model.observed import Applying, State
from orchestrator.ports import Elsewhere

#: How often the end is offered to a record that moves meanwhile.
_OFFERS = 20


def left_by(state: State) -> Applying | None:
    """Return the attempt that may have left a lock behind: only one that has no known end."""
    return state.applying or (state.unknown.attempt if state.unknown else None)


def unlock(case: Case, attempt: Applying, lock_id: str) -> None:
    """Free the lock ``lock_id`` that ``attempt`` left, where the attempt took it. For whoever holds the stack.

    Raises Conflict where the attempt may still be at work, AdapterError or OrchestratorError where the tool says no.
    """
    look = case.outside.attempts.look(attempt)
    if (isinstance(look, Handle) and look.alive) or (isinstance(look, Elsewhere) and not look.dead):
        # Its lock is in use.
        raise at_work(case.outside, case.asked.stack.key, attempt)
    by = case.run.actor
    _append(case, UnlockStarted(attempt=attempt.number, lock_id=lock_id, by=by))
    try:
        then = at_revision(case, attempt.proposal.revision)
        inputs = stored_inputs(case.outside, attempt.proposal.inputs)
        with station(then, applying=True, attempt=Path(attempt.folder), inputs=inputs) as place:
            place.adapter.unlock(place.workspace, lock_id)
    except (AdapterError, OrchestratorError) as error:
        _append(case, UnlockEnded(lock_id=lock_id, by=by, code=error.code, message=error.message))
        raise
    _append(case, UnlockEnded(lock_id=lock_id, by=by))


def _append(case: Case, event: Event) -> None:
    record = case.outside.record
    for offer in range(_OFFERS):
        try:
            record.append(case.key, [event], expected=record.row(case.key).state.version, run=case.run.number)
        except Conflict:
            if offer == _OFFERS - 1:
                raise
        else:
            return

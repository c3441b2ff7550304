"""Has the tool compare the world with what was applied, and records only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.contract import AdapterError, Drifts
from orchestrator.engine.earlier import at_revision
from orchestrator.engine.masking import masked
from orchestrator.engine.station import Case, station
from orchestrator.engine.values import stored_inputs
from orchestrator.engine.witnessing import named, witnessed
from orchestrator.errors import Conflict, ExecutionError, OrchestratorError, RecordAway
from orchestrator.model.drift import sighted
from orchestrator.model.event import (
    DriftCheckFailed,
    DriftGone,
    DriftRecurs,
    DriftSeen,
    DriftWitnessed,
    Event,
    NotConverged,
    Verified,
)
from orchestrator.model.observed import Applied, Looks, State, observe
from orchestrator.model.policy import DriftAnswer
from orchestrator.model.stack import MAIN
from orchestrator.rules.drifted import recurring, repeats, weigh
from orchestrator.rules.noise import quiet


def check_drift(case: Case) -> Drifts | None:
    """Look for drift at the applied revision, with the inputs that were applied, and append what is new.

    Returns what the tool found, None where it could not look. Raises Conflict where the record moved.
    """
    applied = case.asked.state.applied
    if applied is None:
        raise ExecutionError(
            f"{case.asked.stack.key.short} was never applied: there is nothing to compare with",
            code="HF-5030",
            hint=f"holdfast plan {case.asked.stack.key.short}",
        )
    try:
        found, heard = _look(case, applied)
    except (Conflict, RecordAway):
        raise
    except (AdapterError, OrchestratorError) as error:
        if case.was_stopped(error):
            raise
        could_not_look(case, error)
        return None
    events = conclude(case.asked.state, applied, found, case.asked.observed.track)
    _keep(case, [*events, *heard], found)
    return found


def could_not_look(case: Case, error: AdapterError | OrchestratorError) -> None:
    """Record why nobody knows what is there now; nothing where that is known already. Raises Conflict."""
    known = case.asked.state.drift_check_error == error.message
    _keep(case, [] if known else [DriftCheckFailed(code=error.code, message=error.message)], None)


def _keep(case: Case, events: Sequence[Event], found: Drifts | None) -> None:
    record, before = case.outside.record, case.asked.row
    now = case.outside.clock.now()
    looks, state = looked(before.looks, before.state, found, now), before.state
    if events:
        state = record.append(case.key, events, expected=state.version, run=case.run.number, looks=looks)
        verified = _but_for_ignored(case, state, looks, found, now)
        state = record.append(case.key, [verified], expected=state.version, run=case.run.number) if verified else state
    else:
        record.look(case.key, looks)
    recurs = _recurring(case, state, looks, now)
    if recurs is not None and _recurring(case, before.state, before.looks, now) is None:
        record.append(case.key, [recurs], expected=state.version, run=case.run.number)


def _but_for_ignored(case: Case, state: State, looks: Looks, found: Drifts | None, now: float) -> Verified | None:
    """Return the event for a look at what was not verified yet, where rules ignore all that it found."""
    applied = state.applied
    if found is None or applied is None or not found.items or found.pending:
        return None
    seen = weigh(observe(case.key, MAIN, state, looks), state, looks, case.asked.stack.policy.drift, now)
    doubtful = applied.verified_at is None or applied.pending
    left = seen.drift is not None or seen.unconfirmed
    return Verified(attempt=applied.attempt, ignored=True) if doubtful and not left else None


def _recurring(case: Case, state: State, looks: Looks, now: float) -> DriftRecurs | None:
    """Return what is to be said where policy would put drift back, had that not been done too often already."""
    policy = case.asked.stack.policy.drift
    if policy.answer is not DriftAnswer.REPAIR or policy.limit is None:
        return None
    seen = weigh(observe(case.key, MAIN, state, looks), state, looks, policy, now)
    if seen.drift is None or not recurring(seen, policy.limit):
        return None
    return DriftRecurs(
        repairs=repeats(seen, policy.limit), addresses=tuple(item.change.address for item in seen.drift.items)
    )


def looked(last: Looks, state: State, found: Drifts | None, now: float) -> Looks:
    """Count a look. One that could not see says nothing about drift, neither that it is there nor that it is gone.

    ``state`` is what was true before it: what was put back meanwhile and is there again is seen for the first time.
    """
    if found is None:
        return replace(last, drift_at=now)
    spots = found.blind_spots
    if not found.items:
        return replace(last, drift_at=now, drift_seen=0, sightings=(), blind_spots=spots)
    known = state.drift.items if state.drift else ()
    return replace(
        last,
        drift_at=now,
        drift_seen_at=now,
        drift_seen=(last.drift_seen if known else 0) + 1,
        sightings=sighted(last.sightings, known, found.items),
        blind_spots=spots,
    )


def _look(case: Case, applied: Applied) -> tuple[Drifts, tuple[DriftWitnessed, ...]]:
    """Return what is found, and what witnesses say of that part of it which nobody was asked about yet."""
    then = at_revision(case, applied.revision)
    inputs = stored_inputs(case.outside, applied.inputs)
    with station(then, inputs=inputs) as place:
        told = place.adapter.drift(place.workspace)
        found, noise = quiet(masked(told, place.shell.mask))
        # Nobody is bothered with it, and whoever wonders finds it in the run's log.
        for line in noise:
            place.shell.report(line)
        # Masked, a name is nobody's: the region of a stack's credentials is in every ARN.
        names = {place.shell.mask(item.change.address): item.identities for item in told.items}
        return found, witnessed(case, then, place, named(found, names), applied)


def conclude(state: State, applied: Applied, found: Drifts, track: str) -> Sequence[Event]:
    """Return the events for what a look found; none where it is what the record says already. Pure."""
    events: list[Event] = []
    if found.items:
        known = state.drift is not None and state.drift.items == found.items and not state.drift_check_error
        events += [] if known else [DriftSeen(revision=applied.revision, items=found.items)]
    elif state.drift is not None:
        events.append(DriftGone())
    pending = tuple(sorted(change.address for change in found.pending))
    if pending and pending != applied.pending:
        message = f"still to be changed after the apply: {', '.join(pending[:3])}"
        events.append(NotConverged(track=track, fingerprint=applied.fingerprint, message=message, pending=pending))
    doubtful = applied.verified_at is None or applied.pending or state.drift_check_error
    if doubtful and not (found.items or pending):
        events.append(Verified(attempt=applied.attempt))
    return events

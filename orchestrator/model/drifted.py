"""What each event makes of a stack's drift: the part of `fold` that keeps drift and its history. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.contract import Goal
from orchestrator.model.drift import Ending, Occurrence, Repair, ended, seen
from orchestrator.model.event import DriftSeen, DriftWitnessed
from orchestrator.model.observed import Applied, Applying, Drift, State
from orchestrator.model.policy import Ignore

#: Repairs that are remembered: no limit can be higher.
MOST_REPAIRS: Final = 100
#: Testimonies that are kept with an occurrence.
MOST_TESTIMONIES: Final = 6


def found(state: State, event: DriftSeen, at: float) -> State:
    """Keep what a look found; what it no longer found is over."""
    first_seen = state.drift.first_seen if state.drift else at
    return replace(
        state,
        drift=Drift(items=event.items, first_seen=first_seen, revision=event.revision),
        occurrences=seen(state.occurrences, event.items, event.revision, at),
        drift_check_error="",
    )


def witnessed(state: State, event: DriftWitnessed, at: float) -> State:
    """Keep with each difference that lasts what witnesses said of it."""

    def told(one: Occurrence) -> Occurrence:
        if one.ended or one.mark not in event.about:
            return one
        said = tuple(word for word in event.testimonies if word.address in {"", one.address})
        return replace(one, unseen_at=event.since, asked_at=at, testimonies=said[:MOST_TESTIMONIES])

    return replace(state, occurrences=tuple(told(one) for one in state.occurrences))


def gone(state: State, at: float) -> State:
    """Bring to an end what a look found nothing of."""
    return replace(state, drift=None, occurrences=ended(state.occurrences, Ending.GONE, at), drift_check_error="")


def proven(state: State, applied: Applied, at: float) -> State:
    """Draw what follows from a plan that found nothing to do.

    For the same files it proves that nothing is left which an apply would put back, and says nothing of the rest.
    """
    same = state.applied is not None and state.applied.fingerprint == applied.fingerprint
    if applied.goal is Goal.DESTROY:
        return _over(state, Ending.DESTROYED, at, run=applied.run)
    if not same:
        return _over(state, Ending.ADOPTED, at, run=applied.run)
    left = tuple(item for item in state.drift.items if not item.will_be_reverted) if state.drift else ()
    drift = replace(state.drift, items=left) if state.drift and left else None
    return replace(state, drift=drift, occurrences=ended(state.occurrences, Ending.GONE, at, kept=True))


def applied_over(state: State, attempt: Applying, applied: Applied, at: float) -> State:
    """Draw what follows from an apply that went well: it put drift back, or other files took its place."""
    if applied.goal is Goal.DESTROY:
        return _over(state, Ending.DESTROYED, at, run=attempt.run, by=attempt.by)
    same = state.applied is not None and state.applied.fingerprint == applied.fingerprint
    how = Ending.REPAIRED if same else Ending.SUPERSEDED
    over = _over(state, how, at, run=attempt.run, by=attempt.by)
    if not same or state.drift is None:
        return over
    repair = Repair(at=at, run=attempt.run, by=attempt.by)
    return replace(over, repairs=(*state.repairs, repair)[-MOST_REPAIRS:])


def ignoring(state: State, rule: Ignore) -> State:
    """Keep a rule in the place of one for the very same."""
    return replace(state, ignores=(*_without(state.ignores, rule.address, rule.path), rule))


def heeding(state: State, address: str, path: str) -> State:
    """Drop a rule."""
    return replace(state, ignores=_without(state.ignores, address, path))


def _over(state: State, how: Ending, at: float, *, run: int, by: str = "") -> State:
    return replace(state, drift=None, occurrences=ended(state.occurrences, how, at, run=run, by=by))


def _without(rules: tuple[Ignore, ...], address: str, path: str) -> tuple[Ignore, ...]:
    return tuple(one for one in rules if (one.address, one.path) != (address, path))

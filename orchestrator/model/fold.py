"""`fold`, which makes what is true out of what happened. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from adapters.contract import Goal
from orchestrator.model import drifted
from orchestrator.model.door_events import ActDenied, TokenMade, TokenRevoked
from orchestrator.model.drift import tried
from orchestrator.model.event import (
    ApplyEnded,
    ApplyRefused,
    ApplyStarted,
    Approved,
    Asked,
    AttemptDead,
    Converged,
    DriftCheckFailed,
    DriftGone,
    DriftHeeded,
    DriftIgnored,
    DriftRecurs,
    DriftSeen,
    DriftWitnessed,
    Event,
    Forgotten,
    FoundStanding,
    GateLifted,
    GateSet,
    Held,
    LockSeen,
    Moved,
    NotConverged,
    Outcome,
    PlanFailed,
    Planned,
    Rejected,
    Released,
    RepairsResumed,
    Returned,
    SavingFailed,
    StateKept,
    UnlockEnded,
    UnlockStarted,
    Vanished,
    Verified,
)
from orchestrator.model.intent import Intended
from orchestrator.model.observed import (
    Applied,
    Applying,
    Doubt,
    Failure,
    Phase,
    Proposal,
    State,
    TrackView,
    UnknownAttempt,
)
from orchestrator.model.pull_events import ButtonPressed, PullEnded, PullHeard, PullSeen, PullTrusted, TrackEnded
from orchestrator.model.stack import MAIN, is_scratch


def fold(state: State, event: Event, at: float) -> State:
    """Return what is true after ``event`` happened at ``at``. Pure; every kind of event is named here."""
    return replace(_fold(state, event, at), version=state.version + 1, last_event_at=at)


def _fold(state: State, event: Event, at: float) -> State:  # noqa: C901, PLR0911, PLR0912 -- one arm per kind
    match event:
        case Planned(proposal=proposal):
            return _planned(state, proposal)
        case PlanFailed() | ApplyRefused():
            return _failed(state, event, at)
        case NotConverged():
            return _not_converged(state, event, at)
        case Asked(track=track):
            return _on(state, track, lambda view: replace(view, asked=True))
        case Approved(track=track, consent=consent):
            return _on(
                state, track, lambda view: replace(view, consents=(*view.consents, consent), rejected="", voided=())
            )
        case Rejected(track=track):
            return _on(state, track, lambda view: _rejected(view, event))
        case ApplyStarted(attempt=attempt):
            return replace(state, applying=attempt, attempts=attempt.number, moved_to="")
        case Intended(run=run):
            return replace(state, intended_in=run)
        case ApplyEnded():
            return _ended(state, event, at)
        case AttemptDead(attempt=number):
            return _dead(state, number)
        case SavingFailed():
            return _unsaved(state, event)
        case Converged(track=track, applied=applied):
            return _settle(_on(drifted.proven(state, applied, at), track, lambda _: TrackView()), applied)
        case FoundStanding(applied=applied):
            return state if state.applied else replace(state, applied=applied)
        case Verified(ignored=ignored):
            return _verified(state, at, ignored=ignored)
        case DriftSeen():
            return drifted.found(state, event, at)
        case DriftWitnessed():
            return drifted.witnessed(state, event, at)
        case DriftGone():
            return drifted.gone(state, at)
        case DriftRecurs():
            return state
        case DriftIgnored(rule=rule):
            return drifted.ignoring(state, rule)
        case DriftHeeded(address=address, path=path):
            return drifted.heeding(state, address, path)
        case RepairsResumed():
            return replace(state, repairs=())
        case DriftCheckFailed(message=message):
            return replace(state, drift_check_error=message)
        case Held(hold=hold):
            return replace(state, hold=hold)
        case Released():
            return replace(state, hold=None)
        case Vanished():
            return replace(state, vanished_at=at)
        case Returned():
            return replace(state, vanished_at=None)
        case StateKept(sha256=sha256):
            return replace(state, kept=sha256)
        case LockSeen(lock_id=lock_id):
            return replace(state, tool_lock=lock_id)
        case UnlockStarted():
            return state
        case UnlockEnded(code=code):
            return state if code else replace(state, tool_lock="")
        case Moved(new=new, state=None):
            # Should the name come back it is a new stack's, beside the one that has what it made.
            return _emptied(state, moved_to=new)
        case Moved(state=taken_over):
            return _taken_over(state, taken_over or state)
        case Forgotten():
            return _emptied(state)
        case TrackEnded(track=track):
            return replace(state, tracks={name: view for name, view in state.tracks.items() if name != track})
        case PullSeen() | PullTrusted() | PullHeard() | ButtonPressed() | PullEnded():
            return state
        case GateSet() | GateLifted() | TokenMade() | TokenRevoked() | ActDenied():
            return state
        case _:
            assert_never(event)


def _on(state: State, track: str, change: Callable[[TrackView], TrackView]) -> State:
    # Of working trees only the last look is of interest: each has a track of its own, and there is no end of them.
    kept = {name: view for name, view in state.tracks.items() if not (is_scratch(track) and is_scratch(name))}
    return replace(state, tracks={**kept, track: change(state.tracks.get(track, TrackView()))})


def _planned(state: State, proposal: Proposal) -> State:
    def put(view: TrackView) -> TrackView:
        last = view.failure
        # A plan that could be made ends a row of plans that could not; failed applies keep counting.
        keep = last is not None and last.fingerprint == proposal.fingerprint and last.phase is not Phase.PLAN
        voided = tuple(dict.fromkeys(one.by for one in view.consents)) or view.voided
        return TrackView(proposal=proposal, failure=last if keep else None, voided=voided)

    doubts = _still_doubtful(state.doubts, proposal.fingerprint, proposal.creates)
    return replace(_on(state, proposal.track, put), proposals=proposal.number, doubts=doubts)


def _failed(state: State, event: PlanFailed | ApplyRefused, at: float) -> State:
    failure = Failure(
        phase=Phase.PLAN if isinstance(event, PlanFailed) else Phase.APPLY,
        fingerprint=event.fingerprint,
        code=event.code,
        message=event.message,
        transient=event.transient,
        at=at,
    )
    stale = isinstance(event, ApplyRefused) and event.stale

    def put(view: TrackView) -> TrackView:
        kept = TrackView() if stale else view
        return replace(kept, failure=_count(view.failure, failure))

    return _on(state, event.track, put)


def _not_converged(state: State, event: NotConverged, at: float) -> State:
    applied = state.applied
    if applied is None:
        return state
    unsettled = replace(state, applied=replace(applied, pending=event.pending))
    if applied.verified_at is not None or applied.pending:
        # It had converged, or was counted already: what its files read goes on moving.
        return unsettled
    failure = Failure(
        phase=Phase.VERIFY,
        fingerprint=event.fingerprint,
        code="HF-4020",
        message=event.message,
        transient=True,
        at=at,
    )
    return _on(unsettled, event.track, lambda view: replace(view, failure=_count(view.failure, failure)))


def _count(last: Failure | None, failure: Failure) -> Failure:
    if last and last.fingerprint == failure.fingerprint:
        return replace(failure, count=last.count + 1)
    return failure


def _rejected(view: TrackView, event: Rejected) -> TrackView:
    return replace(view, rejected=event.binding, rejected_because=f"{event.by}: {event.reason}", consents=())


def _ended(state: State, event: ApplyEnded, at: float) -> State:
    attempt = state.applying
    if attempt is None or attempt.number != event.attempt:
        # A late word about an attempt that is over changes nothing.
        return state
    ended = replace(state, applying=None)
    if event.outcome is Outcome.NOT_STARTED:
        # Nothing happened: the proposal, the people's word for it and an older unknown still stand.
        return ended
    # People said yes to one attempt; whatever came of it, the next one asks again.
    ended = _on(ended, attempt.proposal.track, _unproven)
    match event.outcome:
        case Outcome.SUCCEEDED:
            return (
                _succeeded(drifted.applied_over(ended, attempt, event.applied, at), attempt, event.applied)
                if event.applied
                else ended
            )
        case Outcome.UNKNOWN:
            ended = replace(ended, occurrences=tried(ended.occurrences, attempt.run, attempt.by))
            unknown = UnknownAttempt(attempt=attempt, why=event.message, at=at, started=event.started, dead=event.dead)
            return replace(ended, unknown=unknown, doubts=_doubting(ended.doubts, attempt.proposal, event.started))
        case Outcome.FAILED:
            left = tried(ended.occurrences, attempt.run, attempt.by)
            return _apply_failed(replace(ended, unknown=None, occurrences=left), attempt, event, at)
        case Outcome.STALE:
            # The tool did nothing: what an older attempt may have done is as unknown as it was.
            return _apply_failed(ended, attempt, event, at)
        case _:
            assert_never(event.outcome)


def _apply_failed(state: State, attempt: Applying, event: ApplyEnded, at: float) -> State:
    failure = Failure(
        phase=Phase.APPLY,
        fingerprint=attempt.proposal.fingerprint,
        code=event.code,
        message=event.message,
        transient=True,
        at=at,
    )
    return _on(state, attempt.proposal.track, lambda view: replace(view, failure=_count(view.failure, failure)))


def _dead(state: State, attempt: int) -> State:
    unknown = state.unknown
    if unknown is None or unknown.attempt.number != attempt:
        return state
    return replace(state, unknown=replace(unknown, dead=True))


def _unsaved(state: State, event: SavingFailed) -> State:
    if state.applying is None or state.applying.number != event.attempt:
        return state
    return replace(state, applying=replace(state.applying, unsaved=event.message))


def _unproven(view: TrackView) -> TrackView:
    """Forget the proposal and every word on it. Failures count on until something proves them over."""
    return TrackView(failure=view.failure)


def _succeeded(state: State, attempt: Applying, applied: Applied) -> State:
    def calm(view: TrackView) -> TrackView:
        # A success does not prove yet that it converges: only a look does.
        over = view.failure is not None and view.failure.phase is not Phase.VERIFY
        return replace(view, failure=None) if over else view

    made = set(attempt.proposal.creates)
    doubts = tuple(replace(one, addresses=_without(one.addresses, made)) for one in state.doubts)
    return _settle(replace(_on(state, attempt.proposal.track, calm), doubts=_not_empty(doubts)), applied)


def _doubting(doubts: tuple[Doubt, ...], proposal: Proposal, started: tuple[str, ...] | None) -> tuple[Doubt, ...]:
    """Add what an attempt may have made: it did nothing but its proposal."""
    doubt = Doubt(fingerprint=proposal.fingerprint, addresses=proposal.creates if started is None else started)
    return _not_empty((*doubts, doubt))


def _still_doubtful(doubts: tuple[Doubt, ...], fingerprint: str, creates: tuple[str, ...]) -> tuple[Doubt, ...]:
    """Drop what a plan for the very same files does not create: the tool knows it."""

    def left(doubt: Doubt) -> tuple[str, ...]:
        known = set(doubt.addresses) - set(creates) if doubt.fingerprint == fingerprint else set[str]()
        return _without(doubt.addresses, known)

    return _not_empty(tuple(replace(doubt, addresses=left(doubt)) for doubt in doubts))


def _without(addresses: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    return tuple(address for address in addresses if address not in known)


def _not_empty(doubts: tuple[Doubt, ...]) -> tuple[Doubt, ...]:
    return tuple(doubt for doubt in doubts if doubt.addresses)


def _verified(state: State, at: float, *, ignored: bool) -> State:
    applied = state.applied
    if applied is None:
        return state

    def calm(view: TrackView) -> TrackView:
        over = view.failure is not None and view.failure.fingerprint == applied.fingerprint
        return replace(view, failure=None) if over else view

    proven = replace(applied, verified_at=at, pending=())
    settled = replace(_on(state, MAIN, calm), applied=proven)
    return settled if ignored else drifted.gone(settled, at)


def _settle(state: State, applied: Applied) -> State:
    previous = state.previous_revision
    if state.applied and state.applied.revision != applied.revision:
        previous = state.applied.revision
    doubts = state.doubts
    if applied.goal is not Goal.DESTROY:
        doubts = _still_doubtful(doubts, applied.fingerprint, ())
    calm = replace(state, unknown=None, doubts=doubts, drift_check_error="", moved_to="")
    return replace(calm, applied=applied, previous_revision=previous)


def _emptied(state: State, *, moved_to: str = "") -> State:
    """Forget all but the numbers, which count on."""
    return State(version=state.version, proposals=state.proposals, attempts=state.attempts, moved_to=moved_to)


def _taken_over(state: State, left: State) -> State:
    proposals, attempts = max(state.proposals, left.proposals), max(state.attempts, left.attempts)
    return replace(left, version=state.version, moved_to="", proposals=proposals, attempts=attempts)

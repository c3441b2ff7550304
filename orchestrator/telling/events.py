"""One sentence for each kind of event. Pure."""

from __future__ import annotations

from typing import assert_never

from orchestrator.model.door_events import ActDenied, TokenMade, TokenRevoked
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
from orchestrator.model.moment import stamp
from orchestrator.model.pull import PullState
from orchestrator.model.pull_events import ButtonPressed, PullEnded, PullHeard, PullSeen, PullTrusted, TrackEnded
from orchestrator.rules.difference import Difference
from orchestrator.telling.counts import short
from orchestrator.telling.ignoring import told
from orchestrator.telling.intents import why
from orchestrator.telling.witnesses import by_whom


def sentence(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912, PLR0915 -- one arm per kind
    """Return what happened, in words for people."""
    match event:
        case Planned(proposal=proposal):
            return f"planned {short(proposal.counts)} at {proposal.revision[:7]} (proposal {proposal.number})"
        case PlanFailed(code=code, message=message):
            return f"could not be planned: {code} {message}"
        case Asked(proposal=number):
            return f"proposal {number} waits for approval"
        case Approved(consent=consent, proposal=number):
            return f"{consent.by} approved proposal {number}{_because(consent.reason)}"
        case Rejected(by=by, reason=reason, proposal=number):
            return f"{by} rejected proposal {number}{_because(reason)}"
        case ApplyRefused(code=code, message=message):
            return f"nothing was started: {code} {message}"
        case ApplyStarted(attempt=attempt):
            return f"attempt {attempt.number} started on {attempt.host} by {attempt.by}"
        case Intended(intent=intent):
            return f"why: {why(intent)}"
        case ApplyEnded():
            return _ended(event)
        case AttemptDead(attempt=number, by=by, reason=reason):
            return f"{f'{by} says that ' if by else ''}nothing of attempt {number} is alive any more{_because(reason)}"
        case SavingFailed(attempt=number, code=code, message=message):
            return f"what attempt {number} left could not be saved yet: {code} {message}"
        case Converged(applied=applied):
            return f"nothing to do at {applied.revision[:7]}"
        case FoundStanding():
            return "was made already; what it hands to others is known"
        case NotConverged(message=message):
            return f"did not converge: {message}"
        case Verified(ignored=ignored):
            return "verified: the world is as applied" + (", but for what is ignored" if ignored else "")
        case DriftSeen(items=items):
            return f"drift in {len(items)}: {', '.join(item.change.address for item in items[:3])}"
        case DriftWitnessed(testimonies=testimonies):
            return by_whom(testimonies)
        case DriftGone():
            return "drift is gone"
        case DriftCheckFailed(code=code, message=message):
            return f"drift could not be looked for: {code} {message}"
        case DriftRecurs(repairs=repairs, addresses=addresses):
            times = f"{repairs} time{'s' if repairs > 1 else ''}"
            return f"drift keeps coming back, repaired {times} and no longer by itself: {', '.join(addresses[:3])}"
        case DriftIgnored(rule=rule):
            return f"drift ignored: {told(rule)}"
        case DriftHeeded(address=address, path=path, by=by, reason=reason):
            return f"{by} has drift counted again: {Difference(address=address, path=path)}{_because(reason)}"
        case RepairsResumed(by=by, reason=reason):
            return f"{by} has drift repaired again{_because(reason)}"
        case Held(hold=hold):
            return f"{hold.by} holds it: {hold.kind.value} {hold.revision[:7]}{_because(hold.reason)}"
        case Released(by=by, reason=reason):
            return f"{by} lets it follow its source again{_because(reason)}"
        case Vanished(revision=revision):
            return f"gone from its source at {revision[:7]}; nothing was destroyed"
        case Returned(revision=revision):
            return f"back in its source at {revision[:7]}"
        case StateKept(note=note):
            return f"state copied aside {note}".rstrip()
        case LockSeen(lock_id=lock_id):
            return f"the tool's lock {lock_id} was left behind" if lock_id else "the tool's lock is free"
        case UnlockStarted(attempt=number, lock_id=lock_id, by=by):
            return f"{by} has the tool's lock {lock_id} freed, which attempt {number} left behind"
        case UnlockEnded(lock_id=lock_id, code=code, message=message):
            return (
                f"the tool's lock {lock_id} could not be freed: {code} {message}"
                if code
                else f"the tool's lock {lock_id} is free"
            )
        case Moved(old=old, new=new):
            return f"renamed from {old} to {new}"
        case Forgotten(by=by, reason=reason):
            return f"{by} gave up what it made; its kept state stays{_because(reason)}"
        case GateSet(gate=gate):
            return f"{gate.who} closed {gate.kind.value} {gate.id} for {gate.selector}{_because(gate.why)}"
        case GateLifted(gate=gate_id, by=by, reason=reason):
            return f"{by} lifted gate {gate_id}{_because(reason)}"
        case PullSeen() | PullTrusted() | PullHeard() | ButtonPressed() | PullEnded() | TrackEnded():
            return _of_pulls(event)
        case TokenMade() | TokenRevoked() | ActDenied():
            return _at_the_door(event)
        case _:
            assert_never(event)


def _of_pulls(event: PullSeen | PullTrusted | PullHeard | ButtonPressed | PullEnded | TrackEnded) -> str:
    match event:
        case PullSeen(pull=pull):
            stands = pull.state.value if pull.state is not PullState.OPEN else f"at {pull.head[:7]}"
            return f"pull request {pull.number} is {stands}"
        case PullTrusted(pull=number, commit=commit, by=by):
            return f"{by} lets {commit[:7]} of pull request {number} be planned, which comes from a fork"
        case PullHeard(pull=number, verb=verb, outcome=outcome):
            who = event.person or f"{event.login}, whom nobody here knows,"
            return f"{who} wrote {verb} below pull request {number}: {outcome}"
        case ButtonPressed(login=login, button=button, head=head):
            return f"{login} pressed {button} on a check of {head[:7]}"
        case PullEnded(pull=number):
            return f"pull request {number} is over"
        case TrackEnded(track=track):
            return f"{track} is over: nothing of it waits any more"
        case _:
            assert_never(event)


def _at_the_door(event: TokenMade | TokenRevoked | ActDenied) -> str:
    match event:
        case TokenMade(token=token, name=name, role=role, person=person, by=by, until=until):
            whose = f" of {person}" if person else ""
            end = f" until {stamp(until)}" if until else ""
            return f"{by} made the token {name} ({token}){whose}, which may do what {role} may{end}"
        case TokenRevoked(token=token, name=name, by=by):
            return f"{by} ended the token {name} ({token})"
        case ActDenied(by=by, what=what, code=code):
            return f"{by} was refused ({code}): {what}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _ended(event: ApplyEnded) -> str:
    adopted = " (found by another worker)" if event.adopted else ""
    why = f": {event.code} {event.message}" if event.message else ""
    match event.outcome:
        case Outcome.SUCCEEDED:
            return f"attempt {event.attempt} succeeded{adopted}"
        case Outcome.FAILED:
            return f"attempt {event.attempt} failed{adopted}{why}"
        case Outcome.UNKNOWN:
            return f"nobody can say how attempt {event.attempt} ended{why}"
        case Outcome.NOT_STARTED:
            return f"attempt {event.attempt} never started{why}"
        case Outcome.STALE:
            return f"attempt {event.attempt} did nothing, its plan was stale{why}"
        case _:
            assert_never(event.outcome)

"""How each stack of a pull request fares, read from record and files. Starts no tool, changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.contract import Plan
from orchestrator.engine.outside import Outside
from orchestrator.engine.planning import stored_plan
from orchestrator.engine.pulls.tending import LIMITS
from orchestrator.engine.survey import Asked
from orchestrator.engine.work import Limits
from orchestrator.errors import OrchestratorError
from orchestrator.model.action import Action, Apply, MakePlan, Reason, Rest
from orchestrator.model.observed import Applying, Proposal, TrackView
from orchestrator.model.review import Fare, Part
from orchestrator.rules.consent import in_words, lacking, standing, wanted
from orchestrator.rules.decide import decide

#: What policy would do with a plan here if the track were the source's own.
_UNASKED: Final = Limits(drift=False)
#: What a rest means for whoever reviews.
_FARES: Final = {
    Reason.APPLYING: Fare.APPLYING,
    Reason.UNKNOWN_ATTEMPT: Fare.UNKNOWN,
    Reason.DEFERRED: Fare.DEFERRED,
    Reason.UPSTREAM_MISSING: Fare.FAILED,
    Reason.STALLED: Fare.FAILED,
    Reason.BACKING_OFF: Fare.FAILED,
    Reason.NOTHING_TO_DO: Fare.EMPTY,
    Reason.CONVERGED: Fare.EMPTY,
    Reason.OBSERVED_ONLY: Fare.PLANNED,
    Reason.AWAITING_APPROVAL: Fare.PLANNED,
    Reason.MAY_DUPLICATE: Fare.PLANNED,
}
_SETTLED: Final = frozenset({Reason.CONVERGED, Reason.NOTHING_TO_DO, Reason.DRIFTED, Reason.UNCONFIRMED})


def proposed_part(outside: Outside, asked: Asked, *, turn: int = 0) -> Part:
    """Return how a stack fares on the track of a pull request.

    ``turn`` is the other pull request that it has to wait for, 0 where it need not.
    """
    action = decide(asked.desired, asked.observed, LIMITS.allow(asked.stack.policy), outside.clock.now())
    part = _part(outside, asked, action)
    if part.fare is not Fare.PLANNED or part.proposal is None:
        return part
    then = decide(asked.desired, asked.observed, _UNASKED.allow(asked.stack.policy), outside.clock.now())
    view, proposal = asked.state.tracks.get(asked.observed.track, TrackView()), part.proposal
    binding = proposal.binding(str(asked.stack.key))
    approved = tuple(dict.fromkeys(one.by for one in view.consents if one.binding == binding))
    part = replace(part, approved_by=approved, voided=bool(view.voided) and not approved, why="")
    if isinstance(then, Rest) and then.reason in {Reason.OVER_LIMIT, Reason.REJECTED}:
        return replace(part, fare=Fare.DENIED, why=then.why)
    if turn:
        return replace(part, fare=Fare.QUEUED, why=f"pull request #{turn} has it; its turn comes once that is done")
    return replace(part, asks=_asks(outside, asked, proposal, then))


def merged_part(outside: Outside, asked: Asked) -> Part:
    """Return how a stack fares on the source's own track, once the pull request is merged."""
    action = decide(asked.desired, asked.observed, asked.stack.policy, outside.clock.now())
    applied = asked.observed.applied
    if asked.settled and applied is not None and (not isinstance(action, Rest) or action.reason in _SETTLED):
        fare = Fare.APPLIED if applied.attempt else Fare.EMPTY
        return replace(_part(outside, asked, action), fare=fare, why="", proposal=None, plan=None)
    part = _part(outside, asked, action)
    if isinstance(action, Apply):
        return replace(part, fare=Fare.APPLYING, why="")
    if part.fare is not Fare.PLANNED or part.proposal is None:
        return part
    return replace(part, asks=_asks(outside, asked, part.proposal, action), why="")


def _asks(outside: Outside, asked: Asked, proposal: Proposal, action: Action) -> str:
    """Say what a plan waits for before it may be applied; empty where it waits for nothing."""
    if isinstance(action, Apply):
        return ""
    if action.reason is not Reason.AWAITING_APPROVAL:
        return action.why
    desired, seen, policy = asked.desired, asked.observed, asked.stack.policy
    words = standing(desired, seen, proposal, policy, outside.clock.now())
    return in_words(lacking(seen, words, wanted(desired, seen, policy)))


def _part(outside: Outside, asked: Asked, action: Action) -> Part:
    stack, proposal, failure = asked.stack, asked.observed.progress, asked.observed.failure
    fare = _fare(asked, action)
    shown = proposal if isinstance(proposal, Proposal) and fare in {Fare.PLANNED, Fare.EMPTY, Fare.DENIED} else None
    failed = fare is Fare.FAILED and failure is not None
    return Part(
        key=stack.key,
        tool=stack.tool,
        fare=fare,
        why=action.why if isinstance(action, Rest) else "",
        code=failure.code if failed and failure else "",
        proposal=shown,
        plan=_plan(outside, shown),
        path=str(stack.path),
    )


def _fare(asked: Asked, action: Action) -> Fare:
    if isinstance(asked.observed.progress, Applying):
        return Fare.APPLYING
    if isinstance(action, Rest):
        return _FARES.get(action.reason, Fare.DENIED)
    if isinstance(action, MakePlan) and asked.observed.unknown is not None:
        return Fare.UNKNOWN
    return Fare.PLANNING if isinstance(action, MakePlan) else Fare.PLANNED


def _plan(outside: Outside, proposal: Proposal | None) -> Plan | None:
    if proposal is None:
        return None
    try:
        return stored_plan(outside, proposal)
    except OrchestratorError:
        # Its figures are known all the same.
        return None

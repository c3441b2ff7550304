"""Takes the plan that people said yes to on a pull request over to the source's own track.

What is applied is then the very plan that was approved, and not one that looks like it. It is taken over only where a
plan made now would be for exactly the same: files, settings, inputs, versions of secrets, goal and policy.

Not that of a fork: the code that made it was nobody's whom the repository lets write, and it ran where the plan was
written. What such a plan says it does need not be what it does. It is made anew of what was merged, and asked about.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.station import Case
from orchestrator.errors import OrchestratorError
from orchestrator.model.event import Approved, Event, Planned
from orchestrator.model.observed import Proposal, TrackView
from orchestrator.model.stack import MAIN, is_foreign


def carry(case: Case) -> bool:
    """Have an approved plan of a pull request stand in the place of one to be made; False where there is none such.

    Raises Conflict where the record moved.
    """
    asked = case.asked
    if asked.observed.track != MAIN or asked.observed.unknown is not None:
        return False
    approved = _approved(case)
    if approved is None or approved.proposal is None or not _kept(case, approved.proposal):
        return False
    proposal = replace(
        approved.proposal,
        number=asked.state.proposals + 1,
        run=case.run.number,
        track=MAIN,
        # Recorded, not bound: the commit that brought it here.
        revision=asked.desired.revision,
    )
    binding = proposal.binding(case.key)
    words = [
        Approved(track=MAIN, proposal=proposal.number, consent=one)
        for one in approved.consents
        if one.binding == binding
    ]
    events: list[Event] = [Planned(proposal=proposal), *words]
    case.outside.record.append(case.key, events, expected=asked.state.version, run=case.run.number)
    return True


def _approved(case: Case) -> TrackView | None:
    """Return the pull request's view whose proposal is for what is asked for now, the newest of several."""
    desired, state = case.asked.desired, case.asked.state
    failure, oldest = case.asked.observed.failure, case.outside.clock.now() - case.asked.stack.policy.plan_ttl_s
    if failure is not None and failure.fingerprint == desired.fingerprint:
        # It was tried: people said yes to one attempt.
        return None
    now = (desired.fingerprint, desired.goal, desired.policy_digest)
    found = [
        view
        for track, view in state.tracks.items()
        if is_foreign(track)
        and view.proposal is not None
        and not view.proposal.empty
        and not view.proposal.strange
        and (view.proposal.fingerprint, view.proposal.goal, view.proposal.policy_digest) == now
        and any(one.binding == view.proposal.binding(case.key) for one in view.consents)
        # What drifted since is in no plan from before.
        and not (state.drift and view.proposal.made_at < max(state.drift.first_seen, state.drift.changed_at))
        and view.proposal.made_at > max(oldest, state.applied.at if state.applied else 0.0)
    ]
    return max(found, key=lambda view: view.proposal.made_at if view.proposal else 0.0, default=None)


def _kept(case: Case, proposal: Proposal) -> bool:
    """Whether all that the plan is made of is still there."""
    names = filter(None, (proposal.artifact, proposal.detail, proposal.inputs, proposal.secrets))
    try:
        for name in names:
            case.outside.artifacts.get(name)
    except OrchestratorError:
        return False
    return True

"""The one decision: what to do about a stack now, and why. Pure: the whole world is in the arguments.

An ordered list of rules, first match wins. Each has the reason it exists above it.
"""

from __future__ import annotations

from dataclasses import replace

from adapters.contract import Goal
from orchestrator.model.action import Action, Apply, Ask, CheckDrift, MakePlan, Reason, Rest
from orchestrator.model.desired import Desired, Missing, Pending
from orchestrator.model.gate import Act
from orchestrator.model.observed import Applying, Observed, Proposal
from orchestrator.model.policy import DriftAnswer, Mode, Policy
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.rules.consent import in_words, lacking, lapsed, needed, standing, undoing, wanted
from orchestrator.rules.drifted import recurring, repeats, restorable

#: Seconds after an apply at which the first drift check is due: the state is fresh, nobody waits for it.
FIRST_LOOK_S = 60.0
#: Seconds after which what one look saw is looked at again, where policy wants it confirmed.
CONFIRM_S = 60.0
#: The wait after the first failure in seconds; doubles with each further one, up to the second figure.
BACKOFF_S = (30.0, 3600.0)


def decide(desired: Desired, observed: Observed, policy: Policy, now: float) -> Action:
    """Return what to do about ``observed`` in the face of ``desired``; ``now`` is seconds since the epoch."""
    action = (
        _held_back(desired, observed, now)
        or _look(desired, observed, policy, now)
        or _failing(desired, observed, policy, now)
        or _settled(desired, observed, policy, now)
        or _to_plan(desired, observed, policy, now)
        or _to_apply(desired, observed, policy, now)
    )
    return _in_time(action, _next_look(desired, observed, policy))


def applied_as_asked(desired: Desired, observed: Observed) -> bool:
    """Whether exactly what is asked for was applied, and nobody has doubts about how that ended."""
    applied = observed.applied
    return (
        applied is not None
        and observed.unknown is None
        and applied.goal is desired.goal
        and applied.fingerprint == desired.fingerprint
    )


def settled(desired: Desired, observed: Observed) -> bool:
    """Whether the world was brought to exactly what is asked for, as far as anybody has looked."""
    return applied_as_asked(desired, observed) and observed.applied is not None and not observed.applied.pending


def _held_back(desired: Desired, observed: Observed, now: float) -> Rest | None:
    # Lifetimes of processes that change the world never overlap.
    if isinstance(observed.progress, Applying):
        return Rest(reason=Reason.APPLYING, why=f"attempt {observed.progress.number} {observed.progress.doing}")
    # A process that may still be alive may still be creating things.
    if observed.unknown and not observed.unknown.dead:
        way_out = f"once nothing of it is alive: holdfast resolve {StackKey.parse(observed.stack).short}"
        return Rest(reason=Reason.UNKNOWN_ATTEMPT, why=f"{observed.unknown.why}; {way_out}")
    return _gated(desired, Act.PLAN, now) or _waits_upstream(desired)


def _gated(desired: Desired, act: Act, now: float) -> Rest | None:
    for gate in desired.gates:
        if gate.stands(act, now):
            return Rest(reason=Reason.GATED, why=gate.why, until=gate.until)
    return None


def _waits_upstream(desired: Desired) -> Rest | None:
    for upstream in desired.upstream:
        if isinstance(upstream, Missing):
            why = f"{upstream.stack} has no output {upstream.ref.key}"
            return Rest(reason=Reason.UPSTREAM_MISSING, why=why)
    # A plan with invented values is not the real plan: wait for the real ones.
    for upstream in desired.upstream:
        if isinstance(upstream, Pending):
            return Rest(reason=Reason.DEFERRED, why=f"waits for {upstream.ref}: {upstream.why}")
    return None


def _look(desired: Desired, observed: Observed, policy: Policy, now: float) -> CheckDrift | None:
    # Before all that waits for people or for better times: what is there may change while they think.
    due_at = _next_look(desired, observed, policy)
    if due_at is not None and now >= due_at:
        return CheckDrift(reason=Reason.DRIFT_DUE, why="it is time to see whether the world still is as applied")
    return None


def _next_look(desired: Desired, observed: Observed, policy: Policy) -> float | None:
    """Return when drift is to be looked for, None where that would mean nothing.

    A stack that is gone by intent has nothing that could drift; pull requests and working trees look at what they
    would change, not at the world's own ways.
    """
    looks = applied_as_asked(desired, observed) and desired.goal is not Goal.DESTROY and observed.track == MAIN
    return drift_due_at(observed, policy) if looks else None


def _in_time(action: Action, look_at: float | None) -> Action:
    """Have a rest end in time for the next look."""
    times = [at for at in (getattr(action, "until", None), look_at) if at is not None]
    return replace(action, until=min(times)) if isinstance(action, Rest) and times else action


def _failing(desired: Desired, observed: Observed, policy: Policy, now: float) -> Rest | None:
    failure = observed.failure
    # What failed for other files says nothing about these.
    if failure is None or failure.fingerprint != desired.fingerprint:
        return None
    # The cause and its remedy; what a tool said beyond is shown with the run.
    cause = "; ".join(failure.message.splitlines()[:2])
    times = "once" if failure.count == 1 else f"{failure.count} times"
    why = f"failed {times}: {cause}"
    # Trying again what cannot pass only fills logs; people must act.
    if not failure.transient or failure.count > policy.retries:
        return Rest(reason=Reason.STALLED, why=why)
    retry_at = failure.at + backoff(failure.count)
    if now < retry_at:
        return Rest(reason=Reason.BACKING_OFF, why=why, until=retry_at)
    return None


def backoff(count: int) -> float:
    """Return the seconds to wait after the ``count``-th failure in a row."""
    first, most = BACKOFF_S
    return min(most, first * 2.0 ** min(count - 1, 20))


def _settled(desired: Desired, observed: Observed, policy: Policy, now: float) -> Rest | None:
    if not settled(desired, observed):
        return None
    if desired.goal is Goal.DESTROY:
        return Rest(reason=Reason.DESTROYED, why="destroyed as asked; resume builds it again")
    # Main's drift is main's to answer.
    if observed.track != MAIN:
        return Rest(reason=Reason.CONVERGED, why="nothing differs from what is applied")
    return _drifted(desired, observed, policy, now) if observed.drift else _at_rest(observed, policy)


def _drifted(desired: Desired, observed: Observed, policy: Policy, now: float) -> Rest | None:
    """Return why nothing is done about drift; None where policy answers it."""
    assert observed.drift is not None  # noqa: S101 -- _settled asked
    why = f"{_differing(len(observed.drift.items))} from what was applied"
    if policy.drift.answer is DriftAnswer.REPORT:
        return Rest(reason=Reason.DRIFTED, why=why)
    # A plan would find nothing to do, and the next look the same again.
    if not restorable(observed.drift.items):
        return Rest(reason=Reason.DRIFTED, why=f"{why}, and no apply puts it back: change the files, or ignore it")
    # Repairing for ever would hide that somebody, or a program, keeps changing it.
    if policy.drift.answer is DriftAnswer.REPAIR and recurring(observed, policy.drift.limit):
        return Rest(reason=Reason.RECURRING, why=_keeps_coming(observed, policy))
    return _gated(desired, Act.REPAIR, now)


def _keeps_coming(observed: Observed, policy: Policy) -> str:
    assert observed.drift is not None  # noqa: S101 -- nothing else recurs
    assert policy.drift.limit is not None  # noqa: S101 -- without one nothing is too often
    name = StackKey.parse(observed.stack).short
    times = repeats(observed, policy.drift.limit)
    what = ", ".join(item.change.address for item in observed.drift.items[:3])
    return (
        f"repaired {times} time{'s' if times > 1 else ''} and drifted again: {what}; holdfast drift --history {name} "
        f"lists each time, holdfast resume {name} has it repaired again"
    )


def _at_rest(observed: Observed, policy: Policy) -> Rest:
    # One look may have met a change that was under way, or a reply that was wrong.
    if observed.unconfirmed:
        why = f"{_differing(len(observed.unconfirmed))}; it counts once {policy.drift.confirm} looks in a row saw it"
        return Rest(reason=Reason.UNCONFIRMED, why=why)
    known = f", but for {len(observed.ignored)} ignored" if observed.ignored else ""
    return Rest(reason=Reason.CONVERGED, why=f"the world is as asked for{known}")


def _differing(count: int) -> str:
    return f"{count} resource{'s differ' if count > 1 else ' differs'}"


def drift_due_at(observed: Observed, policy: Policy) -> float | None:
    """Return when drift is to be looked for next (seconds since the epoch), None for never."""
    applied = observed.applied
    if applied is None or policy.drift.every_s <= 0:
        return None
    looked_at = observed.drift_at
    if looked_at <= applied.at:
        return applied.at + min(FIRST_LOOK_S, policy.drift.every_s)
    if observed.unconfirmed:
        return looked_at + min(CONFIRM_S, policy.drift.every_s)
    return looked_at + policy.drift.every_s


def _to_plan(desired: Desired, observed: Observed, policy: Policy, now: float) -> MakePlan | None:
    unknown = observed.unknown
    proposal = observed.progress if isinstance(observed.progress, Proposal) else None
    # After an end that nobody saw, only a fresh look says what is there.
    if unknown and (proposal is None or proposal.looked_after != unknown.attempt.number):
        return MakePlan(reason=Reason.LOOK_AFTER_UNKNOWN, why=f"attempt {unknown.attempt.number} ended unknown")
    repairing = settled(desired, observed) and observed.drift is not None
    if proposal is None:
        if repairing:
            return MakePlan(reason=Reason.DRIFT_REPAIR, why="drift was found and policy answers it")
        # Applied to the letter, and yet the same files would change something.
        if applied_as_asked(desired, observed):
            return MakePlan(reason=Reason.NOT_CONVERGED, why="what was applied did not bring it to rest")
        return MakePlan(reason=Reason.NO_PLAN, why="what is asked for was never planned")
    # People must never say yes to something other than what would be done.
    if (proposal.fingerprint, proposal.goal, proposal.policy_digest) != (
        desired.fingerprint,
        desired.goal,
        desired.policy_digest,
    ):
        return MakePlan(reason=Reason.OUTDATED, why=_what_changed(desired, proposal))
    # A plan from before the drift does not know of it.
    if repairing and observed.drift and proposal.made_at < max(observed.drift.first_seen, observed.drift.changed_at):
        return MakePlan(reason=Reason.DRIFT_REPAIR, why="the plan is from before the drift")
    # The world moves on without telling us.
    if now - proposal.made_at > policy.plan_ttl_s:
        return MakePlan(reason=Reason.TOO_OLD, why="the plan is older than policy allows")
    return None


def _what_changed(desired: Desired, proposal: Proposal) -> str:
    parts = desired.parts.changed_since(proposal.parts)
    if not parts:
        return "its policy changed since it was planned"
    return f"changed since it was planned: {', '.join(parts)}"


def _to_apply(desired: Desired, observed: Observed, policy: Policy, now: float) -> Action:
    proposal = observed.progress
    assert isinstance(proposal, Proposal)  # noqa: S101 -- _to_plan returned None only with one at hand
    return (
        _barred(desired, observed, policy, proposal)
        or _unanswered(desired, observed, policy, proposal, now)
        or _gated(desired, _act(desired, observed), now)
        or _go(desired, observed, policy)
    )


def _act(desired: Desired, observed: Observed) -> Act:
    """Name what applying would be: a freeze may stop changes and still let people go back."""
    repairing = settled(desired, observed) and observed.drift is not None
    return Act.REPAIR if repairing else Act.ROLLBACK if desired.held else Act.APPLY


def _barred(desired: Desired, observed: Observed, policy: Policy, proposal: Proposal) -> Rest | None:
    if proposal.empty:
        return Rest(reason=Reason.NOTHING_TO_DO, why="it would change nothing")
    if policy.mode is Mode.OBSERVE:
        return Rest(reason=Reason.OBSERVED_ONLY, why="this track is only looked at")
    # What is not committed cannot be found again, by nobody.
    if not desired.committed:
        return Rest(reason=Reason.NOT_COMMITTED, why="the working tree is not committed")
    if observed.rejected == proposal.binding(observed.stack):
        return Rest(reason=Reason.REJECTED, why=f"rejected by {observed.rejected_because or 'somebody'}")
    limit = policy.delete_limit
    if limit is not None and proposal.counts.destructive > limit:
        why = f"{proposal.counts.destructive} deletions or replacements, at most {limit} allowed"
        return Rest(reason=Reason.OVER_LIMIT, why=why)
    return None


def _unanswered(desired: Desired, observed: Observed, policy: Policy, proposal: Proposal, now: float) -> Action | None:
    # A creation that an attempt of unknown end had begun may be there without the tool's knowing.
    hazards = observed.hazards(proposal)
    # A yes to a plan that is older than policy allows would apply nothing: by then it is made anew.
    stale_at = proposal.made_at + policy.plan_ttl_s
    consents = standing(desired, observed, proposal, policy, now)
    if hazards and not any(consent.accepts_duplicates for consent in consents):
        return Rest(
            reason=Reason.MAY_DUPLICATE, why=f"may create a second time: {', '.join(hazards[:3])}", until=stale_at
        )
    places = wanted(desired, observed, policy)
    empty = lacking(observed, consents, places)
    if not empty:
        return None
    has = sum(one.at_least for one in places) - sum(one.at_least for one in empty)
    # Which of several kinds is still to be asked.
    more = f", lacks {in_words(empty)}" if len(places) > 1 and has else ""
    # Who lets a stack apply by itself wonders why it asks.
    undone = undoing(observed, policy) if policy.mode is Mode.AUTO else ""
    gone = "".join(f"; {one}" for one in lapsed(observed, proposal, policy, now))
    why = f"needs {in_words(places)}, has {has}{more}{undone and f': {undone}'}{gone}"
    if observed.asked:
        return Rest(reason=Reason.AWAITING_APPROVAL, why=why, until=stale_at)
    return Ask(reason=Reason.AWAITING_APPROVAL, why=why)


def _go(desired: Desired, observed: Observed, policy: Policy) -> Apply:
    if needed(desired, observed, policy):
        return Apply(reason=Reason.APPROVED, why="the people it needs have said yes")
    return Apply(reason=Reason.AUTOMATIC, why="policy applies it by itself")

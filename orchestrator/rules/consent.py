"""Whose word counts for a proposal, and how many words it needs. Pure."""

from __future__ import annotations

from adapters.contract import Goal
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Consent, Observed, Proposal
from orchestrator.model.policy import DriftAnswer, Mode, Policy


def needed(desired: Desired, observed: Observed, policy: Policy) -> int:
    """Return how many people must say yes before this may be applied."""
    by_policy = policy.approvals.required
    if policy.mode is not Mode.AUTO:
        return max(1, by_policy)
    # Taking down and putting back what somebody changed on purpose are never a machine's own idea. The drift may be
    # undone by the plan for a new commit, too: only who asked for repairs is spared the question.
    if desired.goal is Goal.DESTROY or (observed.drift and policy.drift.answer is not DriftAnswer.REPAIR):
        return max(1, by_policy)
    return by_policy


def standing(observed: Observed, proposal: Proposal, policy: Policy, author: str) -> tuple[Consent, ...]:
    """Return the consents that count: to this very binding, by eligible people, one word each."""
    binding = proposal.binding(observed.stack)
    found: dict[str, Consent] = {}
    for consent in observed.consents:
        if consent.binding == binding and may_approve(consent, policy, author):
            # The latest word of a person counts: it may accept a duplicate that the first did not.
            found[consent.by] = consent
    return tuple(found.values())


def may_approve(consent: Consent, policy: Policy, author: str) -> bool:
    """Whether policy counts this person's word."""
    approvals = policy.approvals
    if not approvals.allow_author and author and consent.by == author:
        return False
    if not approvals.eligible:
        return True
    names = {f"user:{consent.by}", *(f"team:{team}" for team in consent.teams)}
    return not names.isdisjoint(approvals.eligible)


def enough(desired: Desired, observed: Observed, policy: Policy, count: int) -> bool:
    """Whether ``count`` standing consents suffice."""
    return count >= needed(desired, observed, policy)

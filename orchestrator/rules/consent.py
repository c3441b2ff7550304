"""Whose word counts for a proposal, and how many words it needs. Pure."""

from __future__ import annotations

from adapters.contract import Goal
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Consent, Observed, Proposal
from orchestrator.model.policy import DriftAnswer, Mode, Policy
from orchestrator.rules.drifted import recurring


def needed(desired: Desired, observed: Observed, policy: Policy) -> int:
    """Return how many people must say yes before this may be applied."""
    by_policy = policy.approvals.required
    if policy.mode is not Mode.AUTO:
        return max(1, by_policy)
    # Taking down is never a machine's own idea.
    if desired.goal is Goal.DESTROY or undoing(observed, policy):
        return max(1, by_policy)
    return by_policy


def undoing(observed: Observed, policy: Policy) -> str:
    """Say what an apply may put back, for whatever reason it is made, that no machine was let repair; else empty."""
    # What people have ignored is to stay as it is, whatever is done about the rest.
    if any(one.item.will_be_reverted for one in observed.ignored):
        return "it may put back what is ignored as drift"
    # Only who asked for repairs is spared the question, and not once they keep being undone.
    asks = policy.drift.answer is not DriftAnswer.REPAIR or recurring(observed, policy.drift.limit)
    return "it may put back what drifted" if observed.drift is not None and asks else ""


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

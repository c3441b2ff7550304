"""Who may say yes to a stack's plans, in words, and whether somebody is one of them. Pure."""

from __future__ import annotations

from orchestrator.config.operator import Operator
from orchestrator.model.observed import Consent
from orchestrator.model.policy import Policy
from orchestrator.rules.consent import may_approve

_TEAM = "team:"


def may(operator: Operator, policy: Policy, person: str, author: str) -> bool:
    """Whether policy counts this person's word for a revision that ``author`` wrote."""
    consent = Consent(by=person, at=0.0, binding="", teams=operator.teams_of(person))
    return may_approve(consent, policy, author)


def who(operator: Operator, policy: Policy, author: str) -> list[str]:
    """Return, in words, everybody whose word counts."""
    approvals = policy.approvals
    named = [_named(operator, one) for one in approvals.eligible] or ["anybody who may apply"]
    barred = author and not approvals.allow_author
    return [*named, *([f"not {author}, who wrote the revision"] if barred else [])]


def _named(operator: Operator, eligible: str) -> str:
    if not eligible.startswith(_TEAM):
        return eligible
    team = eligible.removeprefix(_TEAM)
    if team not in operator.teams:
        return f"{eligible} (nobody: the operator's file, holdfast.yaml, has no team of that name)"
    return f"{eligible} ({', '.join(operator.teams[team]) or 'nobody'})"

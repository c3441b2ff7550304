"""Who may say yes to a stack's plans, in words, and whether somebody is one of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.model.observed import Consent
from orchestrator.model.policy import Policy
from orchestrator.rules.consent import may_approve

_TEAM = "team:"


def may(policy: Policy, person: str, teams: Sequence[str], author: str) -> bool:
    """Whether policy counts the word of a person of these teams for a revision that ``author`` wrote."""
    return may_approve(Consent(by=person, at=0.0, binding="", teams=tuple(teams)), policy, author)


def who(teams: Mapping[str, tuple[str, ...]], policy: Policy, author: str) -> list[str]:
    """Return, in words, everybody whose word counts; ``teams`` are each team's members."""
    approvals = policy.approvals
    named = [_named(teams, one) for one in approvals.eligible] or ["anybody who may apply"]
    barred = author and not approvals.allow_author
    return [*named, *([f"not {author}, who wrote the revision"] if barred else [])]


def _named(teams: Mapping[str, tuple[str, ...]], eligible: str) -> str:
    if not eligible.startswith(_TEAM):
        return eligible
    team = eligible.removeprefix(_TEAM)
    if team not in teams:
        return f"{eligible} (nobody: the operator's file, holdfast.yaml, has no team of that name)"
    return f"{eligible} ({', '.join(teams[team]) or 'nobody'})"

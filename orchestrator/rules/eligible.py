"""Who may say yes to a stack's plans, in words, and whether somebody is one of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchestrator.model.policy import Group, Policy
from orchestrator.rules.consent import may_approve, places

_TEAM = "team:"


def may(policy: Policy, person: str, teams: Collection[str], authors: Collection[str]) -> bool:
    """Whether policy counts the word of a person of these teams on what ``authors`` wrote."""
    return may_approve(person, teams, policy, authors)


def who(teams: Mapping[str, tuple[str, ...]], policy: Policy, authors: Collection[str]) -> list[str]:
    """Return, in words, everybody whose word counts; ``teams`` are each team's members."""
    approvals = policy.approvals
    groups = places(approvals, asks=True)
    # Which of them how many must come from is of no interest where all are of one kind.
    found = [line for group in groups for line in _of(teams, group, numbered=bool(approvals.groups))]
    barred = ", ".join(sorted(filter(None, authors))) if not approvals.allow_author else ""
    return [*found, *([f"not {barred}, who wrote what is new"] if barred else [])]


def _of(teams: Mapping[str, tuple[str, ...]], group: Group, *, numbered: bool) -> list[str]:
    named = [_named(teams, one) for one in group.of] or ["anybody who may apply"]
    return [f"{group.at_least} of {' or '.join(named)}"] if numbered else named


def _named(teams: Mapping[str, tuple[str, ...]], eligible: str) -> str:
    if not eligible.startswith(_TEAM):
        return eligible
    team = eligible.removeprefix(_TEAM)
    if team not in teams:
        return f"{eligible} (nobody: the operator's file, holdfast.yaml, has no team of that name)"
    return f"{eligible} ({', '.join(teams[team]) or 'nobody'})"

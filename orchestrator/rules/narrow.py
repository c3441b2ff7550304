"""`narrow`: what two sides allow together. A repository may tighten what the operator allows, never loosen it.

It is a meet: commutative, idempotent, associative, and never above either side.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final, TypeVar

from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Group, Ignore, Mode, Policy, RepairLimit
from orchestrator.rules.windows import ALL_OF

#: Allows everything: what an operator who says nothing allows.
UNLIMITED: Final = Policy(
    mode=Mode.AUTO,
    approvals=Approvals(required=0),
    drift=DriftPolicy(every_s=0.0, answer=DriftAnswer.REPAIR, limit=None),
    retries=sys.maxsize,
    timeout_s=float("inf"),
    plan_ttl_s=float("inf"),
)

#: The one eligible approver where two lists have nobody in common: no person bears this name.
NOBODY: Final = "nobody"

_Amount = TypeVar("_Amount", int, float)

_ANSWERS = (DriftAnswer.REPORT, DriftAnswer.PROPOSE, DriftAnswer.REPAIR)


def narrow(ceiling: Policy, wish: Policy) -> Policy:
    """Return the stricter of each field.

    Looking for drift more often is the stricter: less goes unseen. So is being surer before acting on it, and leaving
    alone what either side has ignored.
    """
    return Policy(
        mode=min(ceiling.mode, wish.mode),
        approvals=_approvals(ceiling.approvals, wish.approvals),
        windows=_windows(ceiling.windows, wish.windows),
        delete_limit=_limit(ceiling.delete_limit, wish.delete_limit),
        drift=_drift(ceiling.drift, wish.drift),
        retries=min(ceiling.retries, wish.retries),
        timeout_s=min(ceiling.timeout_s, wish.timeout_s),
        plan_ttl_s=min(ceiling.plan_ttl_s, wish.plan_ttl_s),
    )


def _drift(one: DriftPolicy, other: DriftPolicy) -> DriftPolicy:
    return DriftPolicy(
        every_s=min(one.every_s or other.every_s, other.every_s or one.every_s),
        answer=min(one.answer, other.answer, key=_ANSWERS.index),
        confirm=max(one.confirm, other.confirm),
        limit=_repairs(one.limit, other.limit),
        ignore=_ignored(one.ignore, other.ignore),
    )


def _repairs(one: RepairLimit | None, other: RepairLimit | None) -> RepairLimit | None:
    if one is None or other is None:
        return one or other
    return RepairLimit(repairs=min(one.repairs, other.repairs), within_s=max(one.within_s, other.within_s))


def _ignored(one: tuple[Ignore, ...], other: tuple[Ignore, ...]) -> tuple[Ignore, ...]:
    return in_order({*one, *other})


def in_order(rules: Iterable[Ignore]) -> tuple[Ignore, ...]:
    """Return rules in the one order in which they are asked, wherever they were written."""
    return tuple(sorted(rules, key=lambda rule: (rule.address, rule.path, rule.owner, rule.reason, rule.until or 0.0)))


def _limit(one: _Amount | None, other: _Amount | None) -> _Amount | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _approvals(one: Approvals, other: Approvals) -> Approvals:
    return Approvals(
        required=max(one.required, other.required),
        eligible=_eligible(set(one.eligible), set(other.eligible)),
        groups=in_groups((*one.groups, *other.groups)),
        allow_author=one.allow_author and other.allow_author,
        valid_s=_limit(one.valid_s, other.valid_s),
    )


def in_groups(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Return every group once, with the most that is asked of it, in the one order that they have."""
    most: dict[tuple[str, ...], int] = {}
    for group in groups:
        of = tuple(sorted(set(group.of)))
        most[of] = max(most.get(of, 0), group.at_least)
    return tuple(Group(of=of, at_least=most[of]) for of in sorted(most))


def _eligible(one: set[str], other: set[str]) -> tuple[str, ...]:
    if not one or not other:
        return tuple(sorted(one | other))
    return tuple(sorted(one & other)) or (NOBODY,)


def _windows(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return windows that are open exactly while both sides are: each pair, joined."""
    pairs = {
        frozenset(left.split(ALL_OF)) | frozenset(right.split(ALL_OF))
        for left in one or other
        for right in other or one
    }
    # A & B says nothing new beside A.
    kept = {pair for pair in pairs if not any(less < pair for less in pairs)}
    return tuple(sorted(ALL_OF.join(sorted(pair)) for pair in kept))

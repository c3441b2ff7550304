"""How the stacks of a change stand: which is worst, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from adapters.contract import ChangeKind
from orchestrator.model.observed import Counts
from orchestrator.model.review import Fare, Part, Review
from orchestrator.model.stack import StackKey
from orchestrator.telling import counts

#: The environment of stacks that have none.
NO_ENVIRONMENT: Final = "default"


class Risk(IntEnum):
    """The order in which stacks are shown, worst first."""

    FAILED = 0
    UNKNOWN = 1
    DENIED = 2
    LOSES = 3
    DEFERRED = 4
    QUEUED = 5
    UNTRUSTED = 6
    CHANGES = 7
    PLANNING = 8
    APPLYING = 9
    APPLIED = 10
    NOTHING = 11


class Sign(NamedTuple):
    """How a stack's standing looks and reads: no symbol stands without its word."""

    symbol: str
    word: str


SIGNS: Final[dict[Risk, Sign]] = {
    Risk.FAILED: Sign("❌", "failed"),
    Risk.UNKNOWN: Sign("❓", "nobody knows how it ended"),
    Risk.DENIED: Sign("❌", "denied"),
    Risk.LOSES: Sign("⚠️", "would lose something"),
    Risk.DEFERRED: Sign("⌛", "deferred"),
    Risk.QUEUED: Sign("🔒", "queued"),
    Risk.UNTRUSTED: Sign("✋", "needs a trusted yes to be planned"),
    Risk.CHANGES: Sign("✅", "planned"),
    Risk.PLANNING: Sign("⏳", "being planned"),
    Risk.APPLYING: Sign("🔄", "being applied"),
    Risk.APPLIED: Sign("🏁", "applied"),
    Risk.NOTHING: Sign("➖", "no changes"),  # noqa: RUF001 -- a sign
}

_OF: Final[dict[Fare, Risk]] = {
    Fare.PLANNING: Risk.PLANNING,
    Fare.PLANNED: Risk.CHANGES,
    Fare.EMPTY: Risk.NOTHING,
    Fare.DEFERRED: Risk.DEFERRED,
    Fare.QUEUED: Risk.QUEUED,
    Fare.UNTRUSTED: Risk.UNTRUSTED,
    Fare.DENIED: Risk.DENIED,
    Fare.FAILED: Risk.FAILED,
    Fare.APPLYING: Risk.APPLYING,
    Fare.APPLIED: Risk.APPLIED,
    Fare.UNKNOWN: Risk.UNKNOWN,
}
#: What was planned and is not over: what it would do is still ahead.
_AHEAD: Final = frozenset({Fare.PLANNED, Fare.DENIED, Fare.APPLYING})


def risk_of(part: Part) -> Risk:
    """Return where a stack stands among the others."""
    if part.fare is Fare.PLANNED and counts_of(part).destructive:
        return Risk.LOSES
    return _OF[part.fare]


def worst_first(parts: Iterable[Part]) -> list[Part]:
    """Return stacks as they are shown: the worst first, then what loses most, then in the order given."""
    return sorted(parts, key=lambda part: (risk_of(part), -counts_of(part).destructive))


def counts_of(part: Part) -> Counts:
    """Return how many resources a stack's plan touches: as it was recorded, else as the plan itself says."""
    if part.proposal is not None:
        return part.proposal.counts
    return counts.of_plan(part.plan) if part.plan else Counts()


def loses(part: Part) -> bool:
    """Whether something would be lost, and can be kept from it yet."""
    return part.fare in _AHEAD and bool(counts_of(part).destructive)


def environments(review: Review) -> tuple[str, ...]:
    """Return the environments that a change touches, in the order of its stacks."""
    named = [part.key.environment for part in review.parts]
    return tuple(dict.fromkeys(named or [edit.key.environment for edit in review.edits]))


def namer(review: Review) -> Callable[[StackKey], str]:
    """Return how a stack is called here, and typed: without its environment where all share one."""
    if len(environments(review)) == 1:
        return lambda key: key.name
    return lambda key: key.short


def tally(parts: Iterable[Part]) -> list[str]:
    """Return in words how these stacks stand, worst first: ``2 to destroy``, ``1 denied``, ``1 deferred``."""
    every = list(parts)
    sums = counts.total(counts_of(part) for part in every if part.fare in _AHEAD)
    number = {risk: sum(risk_of(part) is risk for part in every) for risk in Risk}
    found = [
        (sums.delete, f"{sums.delete} to {counts.WORDS[ChangeKind.DELETE]}"),
        (sums.replace, f"{sums.replace} to {counts.WORDS[ChangeKind.REPLACE]}"),
        (sums.unknown, f"{sums.unknown} unknown until apply"),
        (number[Risk.FAILED], f"{number[Risk.FAILED]} failed"),
        (number[Risk.UNKNOWN], f"{number[Risk.UNKNOWN]} ended unknown"),
        (number[Risk.DENIED], f"{number[Risk.DENIED]} denied"),
        (number[Risk.DEFERRED], f"{number[Risk.DEFERRED]} deferred"),
        (number[Risk.QUEUED], f"{number[Risk.QUEUED]} queued"),
        (number[Risk.UNTRUSTED], f"{number[Risk.UNTRUSTED]} not trusted yet"),
        (sums.update, f"{sums.update} to {counts.WORDS[ChangeKind.UPDATE]}"),
        (sums.create, f"{sums.create} to {counts.WORDS[ChangeKind.CREATE]}"),
        (number[Risk.PLANNING], f"{number[Risk.PLANNING]} being planned"),
        (number[Risk.APPLYING], f"{number[Risk.APPLYING]} being applied"),
        (number[Risk.APPLIED], f"{number[Risk.APPLIED]} applied"),
    ]
    return [words for how_many, words in found if how_many]

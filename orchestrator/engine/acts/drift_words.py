"""A person's word on drift: that it is left alone until a time, that it counts again, that it is repaired again."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.engine.acts.caller import Caller, begun
from orchestrator.engine.acts.until import Until
from orchestrator.engine.acts.words import append, nudge
from orchestrator.engine.judging import judged_of
from orchestrator.engine.outside import Outside, Reading
from orchestrator.errors import UsageError
from orchestrator.model.drift import parts
from orchestrator.model.event import DriftHeeded, DriftIgnored, RepairsResumed
from orchestrator.model.policy import Ignore
from orchestrator.model.stack import StackKey
from orchestrator.rules.difference import Difference
from orchestrator.rules.drifted import covers


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A difference that somebody wants left alone, until when and why."""

    of: Difference
    until: Until
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """A rule that somebody made, and what it means now."""

    rule: Ignore
    #: Whether anything that is known to differ is meant by it.
    met: bool
    #: Whether an apply for another reason would still put it back.
    reverted: bool


def leave_alone(outside: Outside, reading: Reading, caller: Caller, key: StackKey, wish: Exemption) -> LeftAlone:
    """Have a difference left alone until a time. Raises UsageError (HF-1908) where that is over already."""
    end = wish.until.still_to_come(outside.clock.now(), "30d")
    rule = Ignore(address=wish.of.address, path=wish.of.path, owner=caller.actor, reason=wish.reason, until=end)
    with begun(outside, caller, reading, "ignore") as run:
        append(outside, key, lambda _: DriftIgnored(rule=rule), run=run.number)
    row = outside.record.row(str(key))
    drifted = row.state.drift.items if row.state.drift else ()
    ignored = judged_of(outside, reading, key, row).ignored
    return LeftAlone(
        rule=rule,
        met=any(covers(rule, part) for item in drifted for part in parts(item)),
        reverted=any(one.rule == rule and one.item.will_be_reverted for one in ignored),
    )


def heed_again(
    outside: Outside, reading: Reading, caller: Caller, key: StackKey, of: Difference, *, reason: str
) -> None:
    """Take such a word back. Raises UsageError (HF-1933) where nobody gave it."""
    state = outside.record.row(str(key)).state
    given = [Difference(address=one.address, path=one.path) for one in state.ignores]
    if of not in given:
        hint = ", ".join(map(str, given)) or "what stacks.yaml ignores stands there"
        raise UsageError(f"{of} of {key.short} is not ignored by word", code="HF-1933", hint=hint)
    event = DriftHeeded(address=of.address, path=of.path, by=caller.actor, reason=reason)
    with begun(outside, caller, reading, "heed") as run:
        append(outside, key, lambda _: event, run=run.number)
    nudge(outside, key, "heeded again")


def repair_again(outside: Outside, reading: Reading, caller: Caller, key: StackKey, reason: str) -> bool:
    """Have drift that keeps coming back repaired again; False where nothing had stopped that."""
    if not judged_of(outside, reading, key, outside.record.row(str(key))).recurring:
        return False
    event = RepairsResumed(by=caller.actor, reason=reason)
    with begun(outside, caller, reading, "resume") as run:
        append(outside, key, lambda _: event, run=run.number)
    nudge(outside, key, "repairs resumed")
    return True

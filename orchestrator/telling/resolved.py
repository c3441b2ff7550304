"""What became of an attempt that a person says is dead, for programs. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract import Json
from orchestrator.model.event import AttemptDead, Outcome
from orchestrator.model.observed import State
from orchestrator.model.stack import StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What was said, and what is true after it."""

    key: StackKey
    said: AttemptDead
    #: Why nobody could prove it.
    why: str
    state: State

    @property
    def outcome(self) -> str:
        """How the attempt ended, as far as its folder tells; empty where there was none, and a hold was freed."""
        unknown, applied = self.state.unknown, self.state.applied
        if not self.said.attempt:
            return ""
        if unknown and unknown.attempt.number == self.said.attempt:
            return Outcome.UNKNOWN.value
        succeeded = applied is not None and applied.attempt == self.said.attempt
        return (Outcome.SUCCEEDED if succeeded else Outcome.FAILED).value


def value(it: Resolved) -> dict[str, Json]:
    """Return what became of it; see `resolve` in docs/json.md."""
    return {
        "stack": it.key.short,
        "key": str(it.key),
        "attempt": it.said.attempt or None,
        "outcome": it.outcome or None,
        "by": it.said.by,
        "reason": it.said.reason,
        "why": it.why,
    }

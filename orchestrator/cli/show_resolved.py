"""What became of an attempt that a person says is dead."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from adapters.contract import Json
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
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


def page(it: Resolved) -> Page:
    """Return what became of it in every form."""
    return Page(
        value=lambda: _value(it),
        records=lambda: [(it.key.short, str(it.said.attempt), it.outcome, it.said.by, it.said.reason)],
        view=lambda _: Text(printable(_words(it))),
    )


def _words(it: Resolved) -> str:
    if not it.said.attempt:
        return f"{it.key.short} is free: its holder counts as gone"
    ended = {
        Outcome.UNKNOWN.value: "nobody can say how it ended; the next plan looks at what is there",
        Outcome.SUCCEEDED.value: "it had succeeded",
        Outcome.FAILED.value: "it had failed",
    }
    return f"{it.key.short}: attempt {it.said.attempt} counts as dead; {ended[it.outcome]}"


def _value(it: Resolved) -> Json:
    return {
        "stack": it.key.short,
        "key": str(it.key),
        "attempt": it.said.attempt or None,
        "outcome": it.outcome or None,
        "by": it.said.by,
        "reason": it.said.reason,
        "why": it.why,
    }

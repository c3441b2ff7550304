"""What became of each stack of a run, in a word and all that is said beside it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.contract import Plan
from orchestrator.model.observed import Counts, Proposal
from orchestrator.model.stack import StackKey


class Mark(StrEnum):
    """What became of one stack."""

    CHANGES = "changes"
    NONE = "none"
    DEFERRED = "deferred"
    HELD = "held"
    DENIED = "denied"
    FAILED = "failed"
    APPLIED = "applied"
    UNKNOWN = "unknown"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One stack in a list of plans."""

    key: StackKey
    tool: str
    mark: Mark
    #: The sentence that says why it stands where it stands.
    why: str = ""
    #: Whether somebody suspended or holds it: then the sentence is told even where nothing would change.
    kept: bool = False
    proposal: Proposal | None = None
    #: The masked plan; None where nothing was planned or its detail is gone.
    plan: Plan | None = None
    #: Code of what failed.
    code: str = ""
    #: What people should know before they say yes.
    warnings: tuple[str, ...] = ()
    #: Whether it would go back: its revision is not known to contain the one that is applied.
    backwards: bool = False

    @property
    def counts(self) -> Counts:
        """How many resources the proposal touches."""
        return self.proposal.counts if self.proposal else Counts()

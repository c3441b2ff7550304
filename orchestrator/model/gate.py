"""One value for every reason to wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GateKind(StrEnum):
    """Where the reason comes from."""

    WINDOW = "window"
    FREEZE = "freeze"
    LOCK = "lock"
    HOLD = "hold"
    PROMOTION = "promotion"
    SUSPENSION = "suspension"
    UNKNOWN_ATTEMPT = "unknown_attempt"
    CONSENT = "consent"
    UPSTREAM = "upstream"
    MISSING = "missing"


class Act(StrEnum):
    """What a gate may stop. One that stops nothing is an announcement."""

    PLAN = "plan"
    APPLY = "apply"
    REPAIR = "repair"
    ROLLBACK = "rollback"


ALL_ACTS = frozenset(Act)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A reason to wait: what it stops, for which stacks, since when, until when, who and why."""

    kind: GateKind
    why: str
    #: Glob over full stack keys; a gate computed for one stack bears that stack's key.
    selector: str = "*"
    stops: frozenset[Act] = frozenset({Act.APPLY, Act.REPAIR, Act.ROLLBACK})
    #: Seconds since the epoch; None means until somebody lifts it.
    since: float = 0.0
    until: float | None = None
    who: str = ""
    #: Number in the record, 0 for a gate that is computed.
    id: int = 0

    def stands(self, act: Act, now: float) -> bool:
        """Whether the gate stops ``act`` at ``now``."""
        return act in self.stops and (self.until is None or now < self.until)

"""A stack's drift judged by policy: what counts, and all that is known beside it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.contract import DriftItem
from adapters.testimony import Testimony
from orchestrator.model.drift import Ignored, Occurrence, parts
from orchestrator.model.observed import Drift, Looks, Observed, State
from orchestrator.model.policy import DriftAnswer, DriftPolicy, Ignore
from orchestrator.model.stack import MAIN
from orchestrator.rules.drifted import expired, recurring, weigh
from orchestrator.rules.witnessing import said_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to be said of one stack's drift now."""

    drift: Drift | None = None
    unconfirmed: tuple[DriftItem, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    #: Rules that have ended and would still hide something.
    expired: tuple[Ignore, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    repairs: int = 0
    #: Whether it was put back too often already, so that policy no longer does it.
    recurring: bool = False
    policy: DriftPolicy = field(default_factory=DriftPolicy)

    def times(self, item: DriftItem, looks: Looks) -> int:
        """Return how many looks in a row have seen an item, the part of it that was seen most often."""
        counts = {one.place: one.count for one in looks.sightings}
        return max((counts.get(part.place, 1) for part in parts(item)), default=1)

    def since(self, item: DriftItem) -> float:
        """Return when the look was that first saw an item as it is now."""
        marks = {part.mark for part in parts(item)}
        other = self.drift.first_seen if self.drift else 0.0
        return min((one.since for one in self.occurrences if one.mark in marks and not one.ended), default=other)

    def witnessed(self, item: DriftItem) -> tuple[Testimony, ...] | None:
        """Return what witnesses said of an item as it is now, None where nobody was asked."""
        marks = {part.mark for part in parts(item)}
        asked = [one for one in self.occurrences if one.mark in marks and not one.ended and one.asked_at]
        return said_of(asked) if asked else None

    def occasions(self, item: DriftItem) -> int:
        """Return how many occurrences are known of what drifts in an item, this one among them."""
        places = {(part.address, part.path) for part in parts(item)}
        each = [sum((one.address, one.path) == place for one in self.occurrences) for place in places]
        return max(1, *each)


def judged(stack: str, state: State, looks: Looks, policy: DriftPolicy, now: float) -> Judged:
    """Judge a stack's drift at ``now`` (seconds since the epoch)."""
    times = tuple(one.at for one in state.repairs)
    seen = weigh(Observed(stack=stack, track=MAIN, repaired_at=times), state, looks, policy, now)
    return Judged(
        drift=seen.drift,
        unconfirmed=seen.unconfirmed,
        ignored=seen.ignored,
        expired=expired(state, policy, now),
        occurrences=state.occurrences,
        repairs=len(state.repairs),
        recurring=policy.answer is DriftAnswer.REPAIR and recurring(seen, policy.limit),
        policy=policy,
    )

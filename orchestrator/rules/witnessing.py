"""What witnesses are to be asked after a look: each difference once, while its traces are fresh. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from adapters.contract import DriftItem
from adapters.testimony import Confidence, Testimony
from orchestrator.model.drift import Occurrence, lasting, parts, seen
from orchestrator.model.inquiry import Inquiry
from orchestrator.model.observed import Applied, Looks, State
from orchestrator.model.policy import DriftPolicy
from orchestrator.model.stack import StackKey
from orchestrator.rules.drifted import covers

#: A witness that hears of things late has heard of all of them after this (seconds).
LATE_S: Final = 1200.0
#: A look takes its time, and what is changed behind its back is found by the next one.
_LOOK_S: Final = 600.0

_RANK: Final = (Confidence.CERTAIN, Confidence.LIKELY, Confidence.HINT)


def inquiries(
    stack: StackKey, state: State, looks: Looks, items: Sequence[DriftItem], policy: DriftPolicy, now: float
) -> tuple[Inquiry, ...]:
    """Return what to ask about ``items``, which a look found just now; ``state`` is what was known before it.

    One inquiry for all that was last seen as applied at the same time. Nobody asks about what is ignored.
    """
    applied = state.applied
    if applied is None:
        return ()
    known = {one.mark for one in lasting(state.occurrences)}
    rules = [rule for rule in (*state.ignores, *policy.ignore) if rule.holds(now)]
    differing = {part.mark: (part, item) for item in items for part in parts(item)}
    asked: dict[float, list[tuple[Occurrence, DriftItem]]] = {}
    for one in lasting(seen(state.occurrences, items, applied.revision, now)):
        part, item = differing[one.mark]
        if due(one, now) and not any(covers(rule, part) for rule in rules):
            fresh = one.mark not in known
            since = unseen(state, applied, looks) if fresh else one.unseen_at or applied.at
            asked.setdefault(since, []).append((one, item))
    return tuple(
        Inquiry(
            stack=stack,
            items=tuple({item.change.address: item for _, item in some}.values()),
            marks=tuple(one.mark for one, _ in some),
            since=since,
            until=max(one.since for one, _ in some),
            applied=applied,
        )
        for since, some in sorted(asked.items())
    )


def due(one: Occurrence, now: float) -> bool:
    """Whether witnesses are to be asked about a difference: once, and once more where one of them may know later."""
    if not one.asked_at:
        return True
    later = one.since + LATE_S
    return one.asked_at < later <= now and any(word.late for word in one.testimonies)


def unseen(state: State, applied: Applied, looks: Looks) -> float:
    """Return when what a look finds for the first time was last known not to be there."""
    looked = [applied.verified_at or 0.0, looks.drift_seen_at, 0.0 if state.drift_check_error else looks.drift_at]
    return max(applied.at, max(looked) - _LOOK_S)


def ranked(testimonies: Iterable[Testimony]) -> tuple[Testimony, ...]:
    """Return testimonies, those that name somebody first, then by how much they prove, then the newest."""
    return tuple(
        sorted(testimonies, key=lambda one: (not one.who, _RANK.index(one.confidence), -(one.at or 0.0), one.source))
    )


def said_of(occurrences: Iterable[Occurrence]) -> tuple[Testimony, ...]:
    """Return what was said of several differences of one thing, each word once, the newest difference's first."""
    newest = sorted(occurrences, key=lambda one: -one.since)
    return tuple(dict.fromkeys(word for one in newest for word in one.testimonies))

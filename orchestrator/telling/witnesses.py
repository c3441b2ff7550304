"""Who changed what drifted, as people and programs are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import Json
from adapters.testimony import Confidence, Testimony
from orchestrator.model.moment import stamp

_WORDS = {
    Confidence.CERTAIN: "changed by {who}",
    Confidence.LIKELY: "changed by {who}",
    Confidence.HINT: "perhaps changed by {who}",
}


def by_whom(testimonies: Sequence[Testimony]) -> str:
    """Return in one line who changed something: the best answer with its evidence, or why nobody knows."""
    best = next((one for one in testimonies if one.who), None)
    if best is None:
        why = "; ".join(dict.fromkeys(f"{one.source}: {one.what}" for one in testimonies))
        return f"by whom: unknown ({why or 'no witness knows of it'})"
    return _told(best)


def beside(testimonies: Sequence[Testimony]) -> list[str]:
    """Return what is to be said beside `by_whom`, each in one line."""
    best = next((one for one in testimonies if one.who), None)
    if best is None:
        return []
    return [_told(one) for one in testimonies if one is not best]


def _told(one: Testimony) -> str:
    if not one.who:
        return f"{one.source}: {one.what}"
    at = f" at {stamp(one.at)}" if one.at else ""
    return f"{_WORDS[one.confidence].format(who=one.who)}{at} ({one.source}: {one.what}, {one.confidence.value})"


def value(one: Testimony) -> Json:
    """Return a testimony for programs."""
    return {
        "who": one.who or None,
        "at": stamp(one.at or 0.0) or None,
        "what": one.what,
        "source": one.source,
        "confidence": one.confidence.value,
    }

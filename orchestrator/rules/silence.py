"""Whether a source has been silent for too long: nobody hears of what no longer happens, so it is said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestrator.model.moment import stamp

#: A source may miss so many looks before it counts as silent.
_MISSED: Final = 10.0
#: However often it is looked at, it is given so long, in seconds.
_LEAST_S: Final = 3600.0
#: Seconds after which it is said once more.
_AGAIN_S: Final = 86400.0
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What is known of one source from the looks at it. Times are seconds since the epoch, 0 for never."""

    source: str
    every_s: float
    read_at: float
    looked_at: float
    #: Why the last look came to nothing, empty where it did not.
    code: str = ""


def silent_for(glimpse: Glimpse, now: float, *, watched_since: float) -> float | None:
    """Return for how many seconds a source has told nothing, None where that is not too long yet.

    One that could never be read is silent since ``watched_since`` (seconds since the epoch): since somebody first
    waited for it.
    """
    silence = now - (glimpse.read_at or watched_since)
    return silence if silence > max(_MISSED * glimpse.every_s, _LEAST_S) else None


def tellings(silence_s: float) -> int:
    """Return how often a silence that long is told by then: at once, and again with each day that it lasts."""
    return 1 + int(silence_s // _AGAIN_S)


def lasting(seconds: float) -> str:
    """Return a length of time as people say it: ``26 h``, ``3 days``."""
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if seconds < 3 * _DAY:
        return f"{int(seconds // _HOUR)} h"
    return f"{int(seconds // _DAY)} days"


def word_of(glimpse: Glimpse, silence_s: float, now: float) -> str:
    """Return in a sentence that a source has told nothing for so many seconds."""
    code = f" ({glimpse.code})" if glimpse.code else ""
    if glimpse.read_at:
        ago = lasting(now - glimpse.read_at)
        return f"source {glimpse.source}: last success {ago} ago, {stamp(glimpse.read_at)}{code}"
    return f"source {glimpse.source}: never read, for {lasting(silence_s)}{code}"

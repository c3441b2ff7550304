"""Whether what is known of a source is recent enough to work by. Pure."""

from __future__ import annotations

from typing import Final

#: A source may miss so many looks before it counts as silent.
_MISSED: Final = 3
#: However often it is looked at, it is given so long, in seconds.
_LEAST_S: Final = 300.0


def read_lately(read_at: float, every_s: float, now: float) -> bool:
    """Whether a source that is looked at every ``every_s`` seconds was last read lately; times since the epoch."""
    return read_at > 0 and now - read_at <= max(_MISSED * every_s, _LEAST_S)

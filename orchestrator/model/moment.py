"""A point in time as it is written for people and programs alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

#: The first and the last second that can be written, in seconds since the epoch.
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def stamp(at: float) -> str:
    """Return a time (seconds since the epoch) in ISO 8601 with offset Z, empty for none.

    What lies beyond every calendar is written as its first or last second: whoever named such a time may do so, and
    must not keep everybody from reading what else there is.
    """
    if not at:
        return ""
    written = datetime.fromtimestamp(min(max(at, _FIRST), _LAST), UTC)
    return written.isoformat(timespec="seconds").replace("+00:00", "Z")


def moment_of(text: str | None) -> float:
    """Return the time that `stamp` wrote, 0 for none. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0

"""A point in time as it is written for people and programs alike."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: float) -> str:
    """Return a time (seconds since the epoch) in ISO 8601 with offset Z, empty for none."""
    if not at:
        return ""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment_of(text: str | None) -> float:
    """Return the time that `stamp` wrote, 0 for none. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0

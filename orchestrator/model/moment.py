"""A point in time as it is written for people and programs alike."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: float) -> str:
    """Return a time (seconds since the epoch) in ISO 8601 with offset Z, empty for none."""
    if not at:
        return ""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""Times as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: float) -> str | None:
    """Return seconds since the epoch in ISO 8601 with offset Z, None for never."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None

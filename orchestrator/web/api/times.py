"""Times as the API writes them."""

from __future__ import annotations

from orchestrator.model import moment


def stamp(at: float) -> str | None:
    """Return seconds since the epoch in ISO 8601 with offset Z, None for never."""
    return moment.stamp(at) or None

"""Times and durations as people write and read them."""

from __future__ import annotations

import re
from datetime import datetime

from orchestrator.errors import UsageError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"^(\d+)\s*([smhdw])$")
#: Below the first figure (seconds) an age reads in the unit, divided by the second.
_AGES = ((60.0, 1.0, "s"), (3600.0, 60.0, "min"), (172800.0, 3600.0, "h"), (float("inf"), 86400.0, "d"))


def duration(text: str) -> float:
    """Return the seconds that ``90s``, ``30m``, ``12h``, ``7d`` or ``2w`` stand for. Raises UsageError."""
    found = _DURATION.match(text.strip())
    if not found:
        raise UsageError(f'"{text}" is no duration', code="HF-1908", hint="write 90s, 30m, 12h, 7d or 2w")
    return int(found[1]) * _UNITS[found[2]]


def moment(text: str, now: float) -> float:
    """Return the time that ``text`` names: ISO 8601, a date, or a duration from ``now``. Raises UsageError.

    A time without an offset is local time, as people mean it.
    """
    if _DURATION.match(text.strip()):
        return now + duration(text)
    return _written_out(text)


def since(text: str, now: float) -> float:
    """Return the time that ``text`` names, a duration counting back from ``now``. Raises UsageError."""
    if _DURATION.match(text.strip()):
        return now - duration(text)
    return _written_out(text)


def _written_out(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f'"{text}" is no time', code="HF-1908", hint='write 2026-11-30, "2026-11-30 18:00", or 12h'
        ) from error


def age(seconds: float) -> str:
    """Return how long ago something was, in one unit: ``42 s``, ``5 min``, ``3 h``, ``4 d``."""
    seconds = max(0.0, seconds)
    below, divisor, unit = next(step for step in _AGES if seconds < step[0])
    del below
    return f"{int(seconds / divisor)} {unit}"

"""How much the service does at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many stacks of a kind are worked at once."""

    #: Glob over ``source/name@environment``.
    stacks: str
    #: None sets no limit.
    at_once: int | None = None
    #: The same of looks for drift alone.
    drift_at_once: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """How much the service does at once, and how long it lets what runs end."""

    count: int = 4
    limits: tuple[Limit, ...] = ()
    #: Seconds that applies get to end in once the service is told to stop.
    grace_s: float = 840.0

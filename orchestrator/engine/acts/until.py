"""The end that a person gives to what they say."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """When a word ends."""

    #: Seconds since the epoch.
    at: float
    #: As the person gave it, to name it where it will not do: ``--until 30d``.
    said: str

    def still_to_come(self, now: float, example: str) -> float:
        """Return the end. Raises UsageError (HF-1908) where it is over at ``now``; ``example`` is a duration."""
        if self.at <= now:
            hint = f"name a time to come, or {example}"
            raise UsageError(f"{self.said} is over already", code="HF-1908", hint=hint)
        return self.at

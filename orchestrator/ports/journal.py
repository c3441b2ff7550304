"""What the service says of itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    """How loudly something is said."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Journal(Protocol):
    """What the service says of itself while it works, for whoever reads its log. The record is another thing."""

    def say(self, level: Level, what: str, **about: object) -> None:
        """Say one thing, with what it is about; secrets in it are masked."""
        ...

"""Which runs are at work on this host."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Running(Protocol):
    """Which runs are at work on this host, and which of them somebody wants to stop."""

    def working(self, run: int) -> AbstractContextManager[None]:
        """Say that this process works a run, for as long as the block runs."""
        ...

    def ask_to_stop(self, run: int) -> None:
        """Ask whoever works a run to stop."""
        ...

    def asked_to_stop(self, run: int) -> bool:
        """Whether somebody asked for that."""
        ...

    def over(self, run: int) -> None:
        """Forget what was asked of a run that has ended."""
        ...

"""The system's clock: the one place where the time is read and waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemClock:
    """`ports.Clock` on the host's own clock."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; a negative wait is none."""
        time.sleep(max(0.0, seconds))

"""All readers that tell somebody something, as one thing that begins and ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from orchestrator.report.reading import Reading

#: Seconds that all of them get to send what has just happened; what is left is sent by the next service.
_LAST_S: Final = 5.0


class Reporters:
    """The readers of one service. Each works in a thread of its own: a receiver that hangs costs nobody anything."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = tuple(readings)

    def start(self) -> None:
        """Begin to tell."""
        for one in self.readings:
            one.start()

    def stop(self, within_s: float = _LAST_S) -> None:
        """End within so many seconds. Nothing is lost by it."""
        for one in self.readings:
            one.stopping.set()
        until = time.monotonic() + within_s
        for one in self.readings:
            one.stop(max(0.0, until - time.monotonic()))

"""The clocks: the one place where the time is read and waited for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from orchestrator.effects.database import Database
from orchestrator.errors import OrchestratorError

#: Seconds after which the database is asked again, and how long its answer may take to be believed.
_AGAIN_S: Final = 5.0
_PROMPT_S: Final = 0.5

_ASKED: Final = text("SELECT extract(epoch FROM clock_timestamp())")


@dataclass(frozen=True, slots=True)
class SystemClock:
    """`ports.Clock` on the host's own clock."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; a negative wait is none."""
        time.sleep(max(0.0, seconds))


@dataclass(slots=True)
class DatabaseClock:
    """`ports.Clock` on the clock of a PostgreSQL server: what many hosts compare, one of them tells.

    Between two answers it goes on by itself; while the server is away, too. A host's own time of day is never asked.
    """

    database: Database
    _told: float = 0.0
    _told_at: float = 0.0
    _ask_at: float = -1.0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        """Return seconds since the epoch. Raises RecordError where the server never answered."""
        with self._turn:
            if _since_boot() > self._ask_at:
                self._ask()
            return self._told + _since_boot() - self._told_at

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; a negative wait is none."""
        time.sleep(max(0.0, seconds))

    def _ask(self) -> None:
        begun = _since_boot()
        try:
            with self.database.reading() as connection:
                asked = _since_boot()
                told = float(connection.execute(_ASKED).scalar_one())
        except OrchestratorError:
            if not self._told:
                raise
        else:
            answered = _since_boot()
            if not self._told or answered - asked < _PROMPT_S:
                self._told, self._told_at = told, (asked + answered) / 2
        # Where that took long, nobody is to wait as long for each look at the clock.
        self._ask_at = _since_boot() + _AGAIN_S + (_since_boot() - begun)


def clock_of(database: Database) -> SystemClock | DatabaseClock:
    """Return the clock by which those who share a database compare times."""
    return SystemClock() if database.engine.dialect.name == "sqlite" else DatabaseClock(database)


def _since_boot() -> float:
    """Return seconds on a clock that nobody sets and that goes on while the host sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)

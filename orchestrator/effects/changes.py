"""Says when anybody wrote to a SQLite database: a thread of ours, or another process.

SQLite wakes nobody up. What it has is a number that a connection sees move when somebody else commits
(``PRAGMA data_version``, https://sqlite.org/pragma.html#pragma_data_version): asking for it takes
microseconds and locks nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError

#: Seconds between two looks. Half of it is what a wake-up costs on average.
_TICK: Final = 0.02


@dataclass(slots=True)
class Changes:
    """Counts the commits of others, those of our own other connections among them. Safe to share between threads."""

    engine: Engine
    #: Of the threads that wait one asks the database, for all of them.
    _news: threading.Condition = field(default_factory=threading.Condition)
    _asked: bool = False
    #: The number means something to one connection only, so one is kept.
    _line: PoolProxiedConnection | None = None
    #: Its cursor: at fifty looks a second even making one shows.
    _cursor: DBAPICursor | None = None
    _version: int = -1
    _count: int = 0

    def count(self) -> int:
        """Return a number that grows whenever something was written since it was asked for last."""
        with self._news:
            return self._ask()

    def wait(self, seen: int, timeout_s: float) -> int:
        """Return the count once it is not ``seen`` any more, or ``timeout_s`` seconds have passed."""
        end = time.monotonic() + timeout_s
        with self._news:
            while (left := end - time.monotonic()) > 0 and self._count == seen:
                if self._asked:
                    self._news.wait(left)
                elif self._ask() == seen:
                    self._sleep(min(_TICK, left))
            # Whoever asked has what he wanted: the next one asks.
            self._news.notify()
            return self._count

    def _sleep(self, seconds: float) -> None:
        """Let the others in meanwhile. Nobody has to wake whoever sleeps for so short; waiting for it costs twice."""
        self._asked = True
        self._news.release()
        try:
            time.sleep(seconds)
        finally:
            self._news.acquire()
            self._asked = False

    def close(self) -> None:
        """Let go of the connection."""
        with self._news:
            if self._line is not None:
                self._line.close()
                self._line = self._cursor = None

    def _ask(self) -> int:
        try:
            if self._line is None or self._cursor is None:
                self._line = self.engine.raw_connection()
                # Not the pool's any more: it belongs to whoever waits, whichever thread that is.
                self._line.detach()
                self._cursor = self._line.cursor()
            self._cursor.execute("PRAGMA data_version")
            (version,) = self._cursor.fetchone() or (self._version,)
        except (sqlite3.Error, SQLAlchemyError):
            # Whoever reads next says in words what is wrong; here it only means: look.
            version = self._version - 1
        if version != self._version:
            self._version = version
            self._count += 1
            self._news.notify_all()
        return self._count

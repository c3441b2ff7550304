"""What an agenda on many hosts does beside the work: it says that this process is alive, and hears what is queued.

Two threads, each started when it is first needed: a command that holds one stack has to renew its lease
and to hear nothing. Neither ever ends because the database is away; both come back with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.effects.database import Database
from orchestrator.errors import OrchestratorError

#: Pauses between two tries to reach the database, in seconds.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
#: How soon a listener notices that it is to end, in seconds.
_NOTICE_S: Final = 0.5


class Beat:
    """Calls something at regular intervals, from a thread of its own, until it is told to end."""

    def __init__(self, beat: Callable[[], None], every_s: float) -> None:
        """``beat`` may fail with an OrchestratorError: the next one may not."""
        self._beat = beat
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holdfast-beat", daemon=True)
        self._starting = threading.Lock()

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()

    def end(self) -> None:
        """End, and wait for a beat that is under way."""
        self._ended.set()
        with self._starting:
            if self._thread.ident is not None:
                self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self._beat()
            except OrchestratorError:
                # Whoever works finds out, and says it; a lease outlasts several beats.
                continue


class Ear:
    """Listens on a channel of PostgreSQL and counts what it hears, for any number of waiting threads."""

    def __init__(self, database: Database, channel: str) -> None:
        """Connects to nothing before `start`."""
        self._database = database
        self._channel = channel
        self._count = 0
        self._news = threading.Condition()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holdfast-ear", daemon=True)

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._news:
            if self._thread.ident is None:
                self._thread.start()

    def end(self) -> None:
        """End, and let everybody go who waits."""
        self._ended.set()
        self._ring()
        if self._thread.ident is not None:
            self._thread.join()

    def count(self) -> int:
        """Return how often something was heard."""
        with self._news:
            return self._count

    def wait(self, seen: int, timeout_s: float) -> int:
        """Return the count once it is not ``seen`` any more, or ``timeout_s`` seconds have passed."""
        with self._news:
            self._news.wait_for(lambda: self._count != seen, timeout_s)
            return self._count

    def _ring(self) -> None:
        with self._news:
            self._count += 1
            self._news.notify_all()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.is_set():
            try:
                with psycopg_line(self._database) as line:
                    line.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(self._channel)))
                    # Whatever was said while nobody listened.
                    self._ring()
                    pause = _FIRST_PAUSE
                    self._listen(line)
            except (psycopg.Error, SQLAlchemyError, OSError):
                self._ended.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _listen(self, line: psycopg.Connection[object]) -> None:
        while not self._ended.is_set():
            for _ in line.notifies(timeout=_NOTICE_S, stop_after=1):
                self._ring()


def psycopg_line(database: Database) -> psycopg.Connection[object]:
    """Return a connection of its own, outside of the pool and of every transaction; closing it is up to the caller."""
    pooled = database.engine.raw_connection()
    line = pooled.driver_connection
    pooled.detach()
    if not isinstance(line, psycopg.Connection):
        raise TypeError(f"{database.name} is not reached through psycopg")
    line.set_autocommit(True)
    return line

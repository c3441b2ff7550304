"""One door to the database: transactions that are stored or refused, and errors in words.

SQLite (WAL, one host) and PostgreSQL speak through the same Core statements. Whoever writes holds the
only write lock from the first statement on (``BEGIN IMMEDIATE``; on PostgreSQL a row lock that the
record takes), so no transaction ever has to be undone because another was quicker.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from orchestrator.effects.mounts import NETWORK, file_system
from orchestrator.errors import Conflict, OrchestratorError, RecordAway, RecordError

_T = TypeVar("_T")

#: What makes a reading transaction see one snapshot. SQLite's always do; PostgreSQL's see a new one with each
#: statement unless told: the gates' version would then not be that of the gates read beside it.
_SNAPSHOT: Final[dict[str, dict[str, Any]]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}

#: A cut is noticed within six seconds, by the server (which then frees its locks) and by us: measured with the defaults
#: of Linux, either may go on for two hours. For a server on this host they mean nothing.
_NOTICING: Final = {"keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3, "tcp_user_timeout": 5000}
#: After so long the server ends a transaction whose process stands still: it may have the write lock that all others
#: wait for, and they do not wait much longer.
_STANDSTILL_MS: Final = 8_000
#: How long a server that was there is waited for, in seconds: it starts anew in less.
_PATIENCE_S: Final = 10.0
#: Pauses between two tries to reach it, in seconds.
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
#: What a server answers that is there and takes nobody yet: it starts, or stops.
_NOT_NOW: Final = "57P03"

#: For so long after its last use a connection counts as alive, in seconds: no server starts anew within it.
_FRESH_S: Final = 0.1
#: Under which name a connection bears when that was.
_USED: Final = "holdfast_used_at"

#: How often a transaction is begun anew where the database asks for it (serialization, lost connection).
_TRIES: Final = 5

_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_READONLY, _SQLITE_IOERR = 5, 6, 8, 10
_SQLITE_CORRUPT, _SQLITE_FULL, _SQLITE_CANTOPEN, _SQLITE_NOTADB = 11, 13, 14, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database whose schema is the present one; `record_schema.open_database` makes it."""

    engine: Engine
    #: The URL without its password.
    name: str
    #: The record's own key, read once.
    key: bytes = b""
    #: How long an unreachable server is waited for, in seconds.
    patience_s: float = 0.0
    #: Threads of one process take turns here: SQLite would have them sleep and try again.
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one snapshot, however many statements read it. Raises RecordError, Conflict."""
        with spoken(self.name), self._patiently(self.engine.connect) as connection:
            yield connection.execution_options(**_SNAPSHOT[self.engine.dialect.name])

    def write(self, work: Callable[[Connection], _T], *, durable: bool = True) -> _T:
        """Run ``work`` in one transaction and return its result once it is stored.

        ``work`` runs again where the database asks for it, and where the connection was lost during the
        commit: then nobody knows whether it was stored, and ``work`` must find its own traces (see `new_nonce`).
        Without ``durable`` a loss of power may forget the transaction, never a killed process.
        Raises RecordError where it is not stored, Conflict (HF-4204) where another writer does not end.
        """
        with spoken(self.name):
            for _ in range(_TRIES - 1):
                try:
                    return self._patiently(lambda: self._once(work, durable=durable))
                except DBAPIError as error:
                    if not _worth_another_try(error):
                        raise
            return self._patiently(lambda: self._once(work, durable=durable))

    def _patiently(self, reach: Callable[[], _T]) -> _T:
        """Do what needs the server; where that is not to be reached try again, until patience has run out."""
        end, pause = time.monotonic() + self.patience_s, _FIRST_PAUSE
        while True:
            try:
                return reach()
            except DBAPIError as error:
                if not self._unreachable(error) or time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _unreachable(self, error: DBAPIError) -> bool:
        """Whether no connection came about; one that was lost may have done its work."""
        if self.engine.dialect.name == "sqlite" or error.connection_invalidated:
            return False
        return getattr(error.orig, "sqlstate", "") in {None, _NOT_NOW}

    def _once(self, work: Callable[[Connection], _T], *, durable: bool) -> _T:
        writes = "full" if durable else "normal"
        with (
            self._turn,
            self.engine.connect().execution_options(writes=writes) as connection,
            connection.begin(),
        ):
            return work(connection)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


def new_nonce() -> str:
    """Return a mark of one's own for a row, by which work that runs again knows what it has stored already."""
    return secrets.token_hex(16)


def patience(url: URL) -> float:
    """Return how long a server of this kind is waited for once it was there, in seconds; a file has none."""
    return 0.0 if url.get_backend_name() == "sqlite" else _PATIENCE_S


def make_engine(url: URL, *, busy_s: float) -> Engine:
    """Return an engine whose transactions begin as this module promises. Connects to nothing."""
    # Ctrl-C while a connection is closed is logged by the pool, and would be shown with a traceback.
    logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, busy_s)
    asked = {
        "lock_timeout": int(busy_s * 1000),
        "idle_in_transaction_session_timeout": _STANDSTILL_MS,
        **{name if name.startswith("tcp") else f"tcp_{name}": value for name, value in _NOTICING.items()},
    }
    limits = " ".join(f"-c {name}={value}" for name, value in asked.items())
    given = url.query.get("options", "")
    ours: dict[str, Any] = {"connect_timeout": 10, **_NOTICING}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        # What the operator's URL says counts.
        connect_args={name: value for name, value in ours.items() if name not in url.query}
        | {"options": f"{limits} {given}".rstrip()},
        # The one that was used last, which need not be asked whether it is still there.
        pool_use_lifo=True,
    )
    _ask_whether_alive(engine)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes") == "normal":
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")

    return engine


def _ask_whether_alive(engine: Engine) -> None:
    """Have a connection that nobody used for a moment asked whether its server is there; another is made where not.

    Asked at each use, a fifth of all that goes to the server and back would be that question.
    """

    @event.listens_for(engine, "checkin")
    def left(_raw: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def reached(raw: Any, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info.get(_USED, math.inf) <= _FRESH_S:
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def read_url(text: str) -> URL:
    """Read ``sqlite:////absolute/path`` or ``postgresql://…``. Raises RecordError for anything else."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise RecordError(
            "the record's address is no database URL", hint="sqlite:////path or postgresql://…"
        ) from error
    backend = url.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise RecordError(f"no record can be kept in {backend}", hint="use sqlite:////path or postgresql://…")
    if backend == "sqlite" and not Path(url.database or "").is_absolute():
        raise RecordError("the record's path is not absolute", hint="write sqlite:////path, with four slashes")
    return url


def prepare_file(path: Path, mounts: Path) -> None:
    """Make the folder and the empty file, readable by the owner alone; ``mounts`` is the kernel's table of mounts.

    Raises RecordError.
    """
    kind = file_system(path, mounts)
    if kind in NETWORK:
        raise RecordError(
            f"{path} lies on a network file system ({kind}), on which SQLite's locks do not hold",
            code="HF-4303",
            hint="keep the record on a local disk, or in PostgreSQL",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise RecordError(
            f"the record {path} cannot be opened: {error.strerror}", hint="check the folder's owner and free space"
        ) from error


@contextmanager
def spoken(name: str) -> Iterator[None]:
    """Turn the database's errors into ours, with one line of cause and none of SQL."""
    try:
        yield
    except DBAPIError as error:
        raise in_words(name, error.orig) from error
    except SQLAlchemyError as error:
        raise RecordAway(f"the record {name} cannot be used: {type(error).__name__}") from error


def _sqlite(url: URL, busy_s: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": busy_s})

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _: object) -> None:
        # The driver's own idea of when a transaction begins is replaced by ours.
        raw.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        if writes:
            connection.exec_driver_sql(f"PRAGMA synchronous={writes}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _worth_another_try(error: DBAPIError) -> bool:
    return error.connection_invalidated or getattr(error.orig, "sqlstate", "") in {"40001", "40P01"}


def in_words(name: str, cause: BaseException | None) -> OrchestratorError:
    """Return our error for a driver's: what is full, busy or closed is not damaged."""
    # SQLite's extended codes hold the plain one in their low byte.
    number = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    state = getattr(cause, "sqlstate", None) or ""
    if number in {_SQLITE_BUSY, _SQLITE_LOCKED} or state == "55P03":
        return Conflict(
            f"another process keeps writing to the record {name}", code="HF-4204", hint="run the command again"
        )
    if number == _SQLITE_FULL or state.startswith("53"):
        return RecordAway(
            f"the record {name} has no room left: its disk is full", code="HF-4301", hint="free space, then try again"
        )
    if number in {_SQLITE_CORRUPT, _SQLITE_NOTADB}:
        return RecordError(f"{name} is damaged, or no record at all", hint="put the last backup in its place")
    if number in {_SQLITE_READONLY, _SQLITE_CANTOPEN}:
        return RecordAway(f"the record {name} cannot be written", hint="check the owner of the file and its folder")
    if number == _SQLITE_IOERR:
        # A file that cannot grow is reported so, too: that of the shared memory, for one.
        hint = "free some space; where there is enough, check the disk before anything else"
        return RecordAway(f"the disk under the record {name} is full, or fails", hint=hint)
    line = str(cause).strip().partition("\n")[0]
    return RecordAway(f"the record {name} cannot be used: {line}", hint="check the database, then holdfast doctor")

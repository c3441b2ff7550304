"""Procrastinate's queue inside a transaction of ours: what stands in it is stored with what it stands for, or not.

Its own connectors keep a pool and an event loop. This one runs the same queries (https://procrastinate.readthedocs.io,
``JobManager``) on the connection that the agenda writes on, so that no queue entry is ever lost between two commits.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import AlreadyEnqueued, NoResult, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, JobManager, get_channel_for_queues
from procrastinate.schema import SchemaManager
from procrastinate.types import JSONDict
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from orchestrator.effects.database import Database
from orchestrator.effects.record_tables import meta
from orchestrator.errors import RecordError
from orchestrator.ports import Due

_T = TypeVar("_T")

#: The queue's name, and what an entry of it asks for: look at this stack.
QUEUE: Final = "holdfast"
LOOK: Final = "holdfast.look"
#: On this channel PostgreSQL says that something was queued.
CHANNEL: Final = next(iter(get_channel_for_queues([QUEUE])))

#: When an entry may be begun with that may be begun with now: no clock but the database's has a say in it.
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)
#: Workers that were not heard of for so long are forgotten, in seconds.
_FORGOTTEN_S: Final = 86400.0
#: Where the record keeps the number of the newest migration of the queue that ran.
_MARK: Final = "queue"
#: Two processes that bring the queue's schema up to date at once: the second waits for the first.
_MAKING: Final = 7_350_417_020_114


class Queue:
    """The queue, seen from one transaction. An entry is only "look at this stack": repeating one does no harm."""

    def __init__(self, connection: Connection) -> None:
        """Everything happens on ``connection``, whose transaction holds the record's write lock."""
        self._connection = connection
        self._jobs = JobManager(_Within(connection))

    def add(self, dues: Sequence[Due]) -> Sequence[int]:
        """Queue each and return their numbers. What anybody else queued under the same name makes way."""
        wanted = [_entry(due) for due in dues]
        if not wanted:
            return ()
        try:
            with self._connection.begin_nested():
                return self._add(wanted)
        except AlreadyEnqueued:
            for one in wanted:
                for other in self._jobs.list_jobs(queueing_lock=one.queueing_lock, status=Status.TODO.value):
                    self.withdraw(_number(other))
            return self._add(wanted)

    def fetch(self, worker: int) -> int | None:
        """Have ``worker`` begin with the most urgent entry that nothing is in the way of; returns its number."""
        found = _at_once(self._jobs.fetch_job(queues=[QUEUE], worker_id=worker))
        return None if found is None else _number(found)

    def withdraw(self, number: int) -> None:
        """Remove an entry that nobody has begun with; one that is gone already is none."""
        self._jobs.cancel_job_by_id(number, delete_job=True)

    def finish(self, number: int) -> None:
        """Remove an entry, whether somebody has begun with it or not; one that is gone already is none."""
        if self._jobs.list_jobs(id=number):
            _at_once(self._jobs.finish_job_by_id_async(number, status=Status.SUCCEEDED, delete_job=True))

    def begin_again(self, numbers: Iterable[int]) -> None:
        """Let others begin with what somebody has begun with who is gone."""
        for number in numbers:
            self._jobs.retry_job_by_id(number, retry_at=_LONG_AGO)

    def entries(self) -> Mapping[int, bool]:
        """Return each entry's number, and whether somebody has begun with it; what has ended is none."""
        live = {Status.TODO.value: False, Status.DOING.value: True}
        found = self._jobs.list_jobs(queue=QUEUE)
        return {_number(one): live[one.status] for one in found if one.status in live}

    def begun(self) -> frozenset[int]:
        """Return the numbers of what somebody has begun with."""
        return frozenset(map(_number, self._jobs.list_jobs(queue=QUEUE, status=Status.DOING.value)))

    def register(self) -> int:
        """Make this process known as a worker and return its number."""
        _at_once(self._jobs.prune_stalled_workers(_FORGOTTEN_S))
        return _at_once(self._jobs.register_worker())

    def beat(self, worker: int) -> None:
        """Say that a worker is alive."""
        _at_once(self._jobs.update_heartbeat(worker))

    def unregister(self, worker: int) -> None:
        """Forget a worker that has ended."""
        _at_once(self._jobs.unregister_worker(worker))

    def _add(self, wanted: list[Job]) -> Sequence[int]:
        return [_number(one) for one in self._jobs.batch_defer_jobs(wanted)]


def bring_queue(database: Database) -> None:
    """Make the queue's tables beside the record's, or bring them up to the installed release.

    Raises RecordError (HF-4302) where a newer release has brought them further than this one knows.
    """
    known = sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    newest = known[-1]
    stored = select(meta.c.value).where(meta.c.name == _MARK)
    with database.reading() as connection:
        if connection.execute(stored).scalar() == newest:
            return

    def work(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:making)").bindparams(making=_MAKING))
        found = connection.execute(stored).scalar()
        if found is None:
            _run(connection, SchemaManager.get_schema())
            connection.execute(insert(meta).values(name=_MARK, value=newest))
            return
        if found > newest:
            raise RecordError(
                f"the queue was brought up to date by a newer release ({found}, this one knows {newest})",
                code="HF-4302",
                hint="update Holdfast on this host",
            )
        for name in known:
            if name > found:
                _run(connection, (Path(SchemaManager.get_migrations_path()) / name).read_text(encoding="utf-8"))
        connection.execute(update(meta).where(meta.c.name == _MARK).values(value=newest))

    database.write(work)


class _Within(BaseAsyncConnector):
    """Runs Procrastinate's queries on a connection of SQLAlchemy's, in the transaction that is open there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_sync_connector(self) -> _Within:
        return self

    def execute_query(self, query: str, **arguments: Any) -> None:
        self._execute(query, arguments)

    def execute_query_one(self, query: str, **arguments: Any) -> dict[str, Any]:
        found = self._execute(query, arguments)
        if not found:
            raise NoResult
        return found[0]

    def execute_query_all(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        return self._execute(query, arguments)

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        self._execute(query, arguments)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        return self.execute_query_one(query, **arguments)

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        return self._execute(query, arguments)

    def _execute(self, query: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        adapted = {name: _adapted(value) for name, value in arguments.items()}
        try:
            found = self._connection.exec_driver_sql(query, adapted)
        except IntegrityError as error:
            constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
            if constraint != QUEUEING_LOCK_CONSTRAINT:
                raise
            raise UniqueViolation(constraint_name=constraint, queueing_lock=None) from error
        return [dict(row) for row in found.mappings()] if found.returns_rows else []


def _adapted(value: Any) -> Any:
    """Return a value as psycopg stores it: a mapping as JSON, a named tuple as a row."""
    if isinstance(value, dict):
        return Jsonb(value)
    if isinstance(value, list):
        return [_adapted(one) for one in value]
    if isinstance(value, tuple):
        return tuple(_adapted(one) for one in value)
    return value


def _at_once(asked: Coroutine[Any, Any, _T]) -> _T:
    """Run to its end what never waits: `_Within` answers each query before it returns."""
    try:
        asked.send(None)
    except StopIteration as ended:
        answer: _T = ended.value
        return answer
    asked.close()
    raise AssertionError("a query of the queue waited for an event loop")


def _entry(due: Due) -> Job:
    kwargs: JSONDict = {"stack": due.stack, "track": due.track}
    return Job(
        queue=QUEUE,
        task_name=LOOK,
        # Ours begins with the smallest, Procrastinate with the greatest.
        priority=-due.priority,
        lock=due.stack,
        queueing_lock=f"{due.stack}|{due.track}",
        task_kwargs=kwargs,
    )


def _number(one: Job) -> int:
    if one.id is None:
        raise AssertionError("the queue gave an entry no number")
    return one.id


def _run(connection: Connection, script: str) -> None:
    """Run a script of many statements as it stands."""
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})

"""The agenda of many hosts: the same rows and holds in PostgreSQL, and Procrastinate's queue to hand them out.

- Due dates live in the rows. What is due, is free and has no entry in the queue gets one: at once where
  somebody nudges it or gives its stack back, else by the sweep that begins every `take`. All that
  happens under the record's write lock, one transaction each: no entry is ever lost or left over.
- The queue says who goes first and never has two begin with one stack; the hold says so to a command
  line, too. Where somebody has a stack in hold, its rows have no entry: leaving the hold queues them.
- A worker is alive while it renews its leases. Who is proven dead is replaced at once, of whom nothing
  can be proven once the lease has run out. He may not know it: his record is fenced (see `holds`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select, update

from orchestrator.effects import agenda_rows
from orchestrator.effects.agenda_rows import Sought
from orchestrator.effects.database import Database, new_nonce
from orchestrator.effects.holder import Holder, this_process
from orchestrator.effects.holds import Holds
from orchestrator.effects.procrastinate_queue import CHANNEL, Queue, bring_queue
from orchestrator.effects.pulse import Beat, Ear
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import agenda
from orchestrator.errors import OrchestratorError
from orchestrator.ports import Clock, Due

#: After so many seconds without a sign a holder of whom nothing can be proven counts as gone.
LEASE_S: Final = 60.0
#: So often within a lease it is renewed: five signs may get lost.
_BEATS: Final = 6
#: Seconds after which a waiting worker looks again though nothing was said: a date came, or a holder died.
_LOOK_S: Final = 1.0
#: Seconds between two comparisons of rows and queue, where something is due and the queue has nothing.
_COMPARE_S: Final = 1.0
#: Before everything that has an urgency of its own.
_FIRST: Final = -1000
#: So many entries at most are passed over in one try, because whoever takes has no place for them.
_REFUSALS: Final = 100
#: So many rows at most get their entries in one transaction: nobody is to wait long for the write lock.
_AT_ONCE: Final = 500


@dataclass(slots=True)
class _Worker:
    """What Procrastinate knows this process as."""

    number: int | None = None
    beaten_at: float = 0.0
    compared_at: float = -_COMPARE_S
    turn: threading.Lock = field(default_factory=threading.Lock)
    #: Whether the thread that asks has just waited and seen something due: it need not look twice.
    seen: threading.local = field(default_factory=threading.local)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One try to begin with something."""

    connection: Connection
    held: Mapping[str, RowMapping]
    worker: int
    now: float
    admits: Callable[[Due], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcrastinateAgenda:
    """`ports.Agenda` in PostgreSQL. Safe to share between threads; `close` it."""

    database: Database
    clock: Clock
    #: Seconds without a sign after which a holder of whom nothing can be proven counts as gone.
    lease_s: float = LEASE_S
    me: Holder = field(default_factory=this_process)
    _holds: Holds = field(init=False)
    _beat: Beat = field(init=False)
    _ear: Ear = field(init=False)
    _worker: _Worker = field(init=False, default_factory=_Worker)

    def __post_init__(self) -> None:
        bring_queue(self.database)
        held = Holds(
            database=self.database,
            clock=self.clock,
            lease_s=self.lease_s,
            me=self.me,
            durable=True,
            freed=self._queue_due,
        )
        object.__setattr__(self, "_holds", held)
        object.__setattr__(self, "_beat", Beat(self._give_sign, self.lease_s / _BEATS))
        object.__setattr__(self, "_ear", Ear(self.database, CHANNEL))

    def nudge(self, *dues: Due) -> None:
        """Pull due dates forward, in one transaction; never pushes one back. What is overdue only gets more urgent.

        What is due and free is queued in the same transaction: once this returns, no crash loses it.
        """

        def work(connection: Connection) -> None:
            lock_head(connection)
            self._pull_forward(connection, dues)
            self._queue_due(connection)

        if dues:
            self._holds.write(work)

    def take(self, now: float, admits: Callable[[Due], bool] = lambda _: True, *, within: str = "") -> Due | None:
        """Return the most urgent row that is due, free and admitted, and hold its stack until `rest`.

        A row whose taker is gone is due at once, whatever its date. The same process may enter the hold with `hold`.
        """
        seen, self._worker.seen.due = getattr(self._worker.seen, "due", False), False
        sought = Sought(now=now, admits=admits, within=within, most=_AT_ONCE)
        if not (seen and not within) and not self._holds.owes and not self._seems_due(sought, otherwise=True):
            return None
        self._beat.start()
        worker, nonce = self._registered(), new_nonce()

        def work(connection: Connection) -> Due | None:
            lock_head(connection)
            held = self._holds.living(connection)
            mine = [stack for stack, one in held.items() if one["nonce"] == nonce]
            if mine:
                # The connection was lost in the middle of the commit, and the commit had gone through.
                return self._taken(connection, mine[0])
            queue = Queue(connection)
            row = self._next(queue, _Round(connection=connection, held=held, worker=worker, now=now, admits=admits))
            if row is None:
                return None
            self._holds.take(connection, row["stack"], nonce)
            return agenda_rows.take(connection, row, self.me.proof())

        return self._holds.write(work)

    def wait(self, timeout_s: float) -> None:
        """Wait until something may be due, or ``timeout_s`` seconds have passed.

        Returns within milliseconds of a nudge on any host, and within a second of a date or of a holder's death.
        """
        self._ear.start()
        end = time.monotonic() + timeout_s
        count = self._ear.count()
        while (left := end - time.monotonic()) > 0 and not self._seems_due(
            Sought(now=self.clock.now()), otherwise=False
        ):
            count = self._ear.wait(count, min(left, _LOOK_S))
        self._worker.seen.due = left > 0

    def hold(self, stack: str, *, doubted: bool = False) -> AbstractContextManager[None]:
        """Hold a stack for as long as the block runs; inside what this process took, share its hold.

        ``doubted`` takes a holder of whom nothing can be proven for gone, without waiting for its lease to run out.
        Raises Conflict (HF-4203) naming the holder where it is held.
        """
        self._beat.start()
        return self._holds.hold(stack, doubted=doubted)

    def doubtful(self, stack: str) -> str:
        """Return who holds a stack of whom nothing can be proven from here, empty where there is no such holder."""
        return self._holds.doubtful(stack)

    def is_held(self, stack: str) -> bool:
        """Whether somebody holds a stack who is not known to be gone. Only looks."""
        return self._holds.is_held(stack)

    def others_wait(self, due: Due) -> bool:
        """Whether another row, as urgent and due as long as this one or more, is one that nobody works on."""
        with self.database.reading() as connection:
            return agenda_rows.others_wait(connection, due)

    def rest(self, due: Due) -> None:
        """Give back a taken row with its next due date; a nudge that came meanwhile keeps its earlier one.

        Of a row that this process did not take only the date is pulled forward.
        """

        def work(connection: Connection) -> None:
            lock_head(connection)
            row = agenda_rows.find(connection, due)
            if row is None or row["taken_by"] != self.me.proof():
                self._pull_forward(connection, [due])
                self._queue_due(connection)
                return
            agenda_rows.come_to_rest(connection, row, due, self.clock.now())
            if row["job"] is not None:
                Queue(connection).finish(row["job"])
                _unqueue(connection, row["job"])
            self._holds.give_back(connection, due.stack)

        self._holds.write(work)

    def waiting(self) -> Sequence[Due]:
        """Return every row, soonest first; among them those that somebody works on."""
        with self.database.reading() as connection:
            return agenda_rows.waiting(connection)

    def close(self) -> None:
        """End the threads beside the work, and be a worker no more. What was taken is held while the process lives."""
        self._ear.end()
        self._beat.end()
        number = self._worker.number
        if number is not None:
            with suppress(OrchestratorError):
                self.database.write(lambda connection: Queue(connection).unregister(number), durable=False)

    def _seems_due(self, sought: Sought, *, otherwise: bool) -> bool:
        """Whether something may be due; ``otherwise`` where the database does not say: who writes waits for it."""
        try:
            with self.database.reading() as connection:
                return agenda_rows.may_be_due(connection, self._holds, sought)
        except OrchestratorError:
            return otherwise

    def _registered(self) -> int:
        """Return this process's number as a worker, which it gets with its first `take`."""
        worker = self._worker
        with worker.turn:
            if worker.number is None:
                worker.number = self.database.write(lambda connection: Queue(connection).register(), durable=False)
                worker.beaten_at = time.monotonic()
            return worker.number

    def _give_sign(self) -> None:
        """Renew what this process holds; and say to Procrastinate that it is alive, for those who look there."""
        worker = self._worker

        def work(connection: Connection) -> None:
            self._holds.renew(connection)
            if worker.number is not None:
                Queue(connection).beat(worker.number)

        self.database.write(work, durable=False)
        with worker.turn:
            if worker.number is not None and time.monotonic() - worker.beaten_at > self.lease_s:
                # Not heard of for so long, it may have been forgotten: the next `take` introduces it again.
                worker.number = None
            worker.beaten_at = time.monotonic()

    def _next(self, queue: Queue, round_: _Round) -> RowMapping | None:
        """Begin with the most urgent entry that can be worked, and return its row."""
        _sweep(round_.connection, queue, round_.held, round_.now)
        if not _bring_forward(queue, round_):
            return None
        row = _fetch(queue, round_)
        if row is None and time.monotonic() - self._worker.compared_at > _COMPARE_S:
            self._worker.compared_at = time.monotonic()
            _compare(round_.connection, queue)
            _sweep(round_.connection, queue, round_.held, round_.now)
            row = _fetch(queue, round_)
        return row

    def _pull_forward(self, connection: Connection, dues: Sequence[Due]) -> None:
        for wish in agenda_rows.pull_forward(connection, dues, self.clock.now()):
            before = wish.before or {}
            job = before.get("job")
            if job is not None and not wish.taken and before["priority"] != wish.after.priority:
                # An entry keeps its urgency: another one takes its place.
                Queue(connection).withdraw(job)
                _unqueue(connection, job)

    def _queue_due(self, connection: Connection, _freed: str = "") -> None:
        """Queue what is due and free and has no entry: what was just made so, and, before it, what was so already."""
        rows = _rows(connection, _lacking(self.clock.now()))
        if rows:
            _queue(connection, Queue(connection), self._holds.living(connection), rows)

    def _taken(self, connection: Connection, stack: str) -> Due | None:
        mine = and_(agenda.c.stack == stack, agenda.c.taken_by == self.me.proof())
        row = connection.execute(select(agenda).where(mine)).mappings().first()
        return agenda_rows.due_of(row) if row else None


def _lacking(now: float) -> ColumnElement[bool]:
    return and_(agenda.c.at <= now, agenda.c.job.is_(None))


def _sweep(connection: Connection, queue: Queue, held: Mapping[str, RowMapping], now: float) -> None:
    """Queue what is due and free and has no entry, and have begun anew what somebody began with who is gone."""
    rows = _rows(connection, or_(_lacking(now), agenda_rows.TAKEN))
    _queue(connection, queue, held, rows)
    forsaken = {row["job"] for row in rows if row["taken_by"] and row["stack"] not in held} - {None}
    if forsaken:
        queue.begin_again(forsaken & queue.begun())


def _rows(connection: Connection, wanted: ColumnElement[bool]) -> Sequence[RowMapping]:
    return connection.execute(agenda_rows.urgent(wanted).limit(_AT_ONCE)).mappings().all()


def _queue(connection: Connection, queue: Queue, held: Mapping[str, RowMapping], rows: Sequence[RowMapping]) -> None:
    """Give entries to those rows that lack one and that nobody holds."""
    dues = [agenda_rows.due_of(row) for row in rows if row["job"] is None and row["stack"] not in held]
    for due, number in zip(dues, queue.add(dues), strict=True):
        key = agenda.c.stack == due.stack, agenda.c.track == due.track
        connection.execute(update(agenda).where(*key).values(job=number))


def _bring_forward(queue: Queue, round_: _Round) -> bool:
    """Have the queue give out next what is the most urgent of what is admitted; False where nothing is.

    Whatever stands before it would be begun with and given back, one by one, while everybody waits for the write lock.
    """
    passed = False
    wanted = agenda_rows.urgent(agenda_rows.due(round_.now))
    for row in agenda_rows.by_and_by(round_.connection, wanted, _AT_ONCE):
        if row["stack"] in round_.held:
            continue
        due = agenda_rows.due_of(row)
        if round_.admits(due):
            if passed and row["job"] is not None:
                queue.withdraw(row["job"])
                (number,) = queue.add([replace(due, priority=_FIRST)])
                key = agenda.c.stack == due.stack, agenda.c.track == due.track
                round_.connection.execute(update(agenda).where(*key).values(job=number))
            return True
        passed = True
    return False


def _fetch(queue: Queue, round_: _Round) -> RowMapping | None:
    """Have the worker begin with the most urgent entry that can be worked, and return its row."""
    refused: list[int] = []
    found: RowMapping | None = None
    while found is None and len(refused) < _REFUSALS and (number := queue.fetch(round_.worker)) is not None:
        wanted = select(agenda).where(agenda.c.job == number)
        row = round_.connection.execute(wanted).mappings().one_or_none()
        if row is None or row["stack"] in round_.held or not (row["at"] <= round_.now or row["taken_by"]):
            # Somebody came before: a command line holds it, or it was pushed back. Its row knows when it is due.
            queue.finish(number)
            _unqueue(round_.connection, number)
        elif round_.admits(agenda_rows.due_of(row)):
            found = row
        else:
            refused.append(number)
    # Others may have a place for them. After an error nothing has happened: the transaction is undone.
    queue.begin_again(refused)
    return found


def _unqueue(connection: Connection, number: int) -> None:
    connection.execute(update(agenda).where(agenda.c.job == number).values(job=None))


def _compare(connection: Connection, queue: Queue) -> None:
    """Make queue and rows agree again: somebody may have removed an entry, or a row with its entry."""
    entries = queue.entries()
    known = set(connection.execute(select(agenda.c.job).where(agenda.c.job.is_not(None))).scalars())
    for number in known - entries.keys():
        _unqueue(connection, number)
    for number in entries.keys() - known:
        queue.finish(number)

"""The embedded agenda: who works on what, and when, in the record's own database.

The service and a person's command line share it. A hold is a row with its holder's proof of life: a
holder that is proven dead is replaced at once, a living one never, and of one on another host nothing
can be proven before its lease has run out. Nothing here has to be renewed. The record's versions fence
what a hold cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from orchestrator.effects.database import Database, new_nonce
from orchestrator.effects.holder import Holder, this_process
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import agenda, holds
from orchestrator.errors import Conflict, OrchestratorError
from orchestrator.ports import Clock, Due

_T = TypeVar("_T")

#: Longer than any run is allowed to take: counts only for holders of whom nothing can be proven.
LEASE_S: Final = 6 * 3600.0

_HELD: Final = select(holds).where(holds.c.stack == bindparam("stack"))
_MINE: Final = holds.c.nonce == bindparam("mine")
_LEAVE: Final = delete(holds).where(_MINE, holds.c.taken.is_(False))
#: What was taken stays held until `rest`.
_STEP_OUT: Final = update(holds).where(_MINE).values(entered=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAgenda:
    """`ports.Agenda` in the record's database. Safe to share between threads."""

    database: Database
    clock: Clock
    #: Seconds after which a holder on another host counts as gone.
    lease_s: float = LEASE_S
    me: Holder = field(default_factory=this_process)
    #: Nonces of blocks that have ended while the record could not be written: the next one to write gives them back.
    _over: set[str] = field(default_factory=set)

    def nudge(self, *dues: Due) -> None:
        """Pull due dates forward, in one transaction; never pushes one back. What is overdue only gets more urgent."""

        def work(connection: Connection) -> None:
            for due in dues:
                self._pull_forward(connection, due)

        if dues:
            self._write(work)

    def take(self, now: float, admits: Callable[[Due], bool] = lambda _: True) -> Due | None:
        """Return the most urgent row that is due, free and admitted, and hold its stack until `rest`.

        A row whose taker died is due at once, whatever its date. The same process may enter the hold with `hold`.
        """
        wanted = (
            select(agenda)
            .where(or_(agenda.c.at <= now, agenda.c.taken_by != ""))
            .order_by(agenda.c.priority, agenda.c.at, agenda.c.stack, agenda.c.track)
        )
        with self.database.reading() as connection:
            # Whoever only asks does not keep the writers waiting.
            if not self._over and connection.execute(wanted.limit(1)).first() is None:
                return None
        nonce = new_nonce()

        def work(connection: Connection) -> Due | None:
            lock_head(connection)
            held = {one["stack"]: one for one in connection.execute(select(holds)).mappings()}
            rows = connection.execute(wanted).mappings().all()
            mine = {stack for stack, one in held.items() if one["nonce"] == nonce}
            if mine:
                # The connection was lost in the middle of the commit, and the commit had gone through.
                return next(
                    (_due(row) for row in rows if row["stack"] in mine and row["taken_by"] == self.me.proof()), None
                )
            for row in rows:
                holder = held.get(row["stack"])
                free = holder is None or self._gone(holder)
                if free and (row["at"] <= now or row["taken_by"]) and admits(_due(row)):
                    self._take(connection, row, nonce)
                    return _due(row)
            return None

        return self._write(work)

    def wait(self, timeout_s: float) -> None:
        """Wait until a row may be due that was not before, or ``timeout_s`` seconds have passed."""
        self.clock.sleep(min(timeout_s, 0.05))

    @contextmanager
    def hold(self, stack: str, *, doubted: bool = False) -> Iterator[None]:
        """Hold a stack for as long as the block runs; inside what this process took, share its hold.

        ``doubted`` takes a holder of whom nothing can be proven for gone, without waiting for its lease to run out.
        Raises Conflict (HF-4203) naming the holder where it is held.
        """
        nonce = new_nonce()
        # A loss of power ends every holder with it: nothing here has to outlive one.
        self._write(lambda connection: self._enter(connection, stack, nonce, doubted=doubted), durable=False)
        try:
            yield
        finally:
            self._over.add(nonce)
            # What came of the block must not be lost because the record is busy or full just now.
            with suppress(OrchestratorError):
                self._write(lambda _: None, durable=False)

    def doubtful(self, stack: str) -> str:
        """Return who holds a stack of whom nothing can be proven from here, empty where there is no such holder."""
        with self.database.reading() as connection:
            held = connection.execute(_HELD, {"stack": stack}).mappings().one_or_none()
        if held is None or self._gone(held):
            return ""
        holder = Holder.parse(held["holder"])
        return "" if holder.gone(self.me) is False else str(holder)

    def is_held(self, stack: str) -> bool:
        """Whether somebody holds a stack who is not known to be gone. Only looks."""
        with self.database.reading() as connection:
            held = connection.execute(_HELD, {"stack": stack}).mappings().one_or_none()
        return held is not None and not self._gone(held)

    def rest(self, due: Due) -> None:
        """Give back a taken row with its next due date; a nudge that came meanwhile keeps its earlier one.

        Of a row that this process did not take only the date is pulled forward.
        """

        def work(connection: Connection) -> None:
            lock_head(connection)
            row = _find(connection, due)
            if row is None or row["taken_by"] != self.me.proof():
                self._pull_forward(connection, due)
                return
            kept = _earlier(_due(row), due, self.clock.now()) if row["nudged"] else due
            _put(connection, kept, taken_by="", nudged=False)
            mine = holds.c.stack == due.stack, holds.c.holder == self.me.proof(), holds.c.taken.is_(True)
            connection.execute(delete(holds).where(*mine, holds.c.entered.is_(False)))
            connection.execute(update(holds).where(*mine).values(taken=False))

        self._write(work)

    def waiting(self) -> Sequence[Due]:
        """Return every row, soonest first; among them those that somebody works on."""
        wanted = select(agenda).order_by(agenda.c.at, agenda.c.priority, agenda.c.stack, agenda.c.track)
        with self.database.reading() as connection:
            return tuple(_due(row) for row in connection.execute(wanted).mappings())

    def _write(self, work: Callable[[Connection], _T], *, durable: bool = True) -> _T:
        """Run ``work`` in one transaction, after giving back what was not given back when its block ended."""
        over = tuple(self._over)

        def all_of_it(connection: Connection) -> _T:
            if over:
                lock_head(connection)
            for nonce in over:
                _leave(connection, nonce)
            return work(connection)

        result = self.database.write(all_of_it, durable=durable)
        self._over.difference_update(over)
        return result

    def _pull_forward(self, connection: Connection, due: Due) -> None:
        lock_head(connection)
        row = _find(connection, due)
        if row is None:
            connection.execute(insert(agenda).values(**_columns(due), taken_by="", nudged=False))
        elif row["taken_by"] and not row["nudged"]:
            # Its present date is being worked off; what is asked for now is another look.
            _put(connection, due, taken_by=row["taken_by"], nudged=True)
        else:
            _put(
                connection,
                _earlier(_due(row), due, self.clock.now()),
                taken_by=row["taken_by"],
                nudged=row["nudged"],
            )

    def _take(self, connection: Connection, row: RowMapping, nonce: str) -> None:
        _put(connection, _due(row), taken_by=self.me.proof(), nudged=False)
        self._make_hold(connection, row["stack"], nonce, taken=True)

    def _enter(self, connection: Connection, stack: str, nonce: str, *, doubted: bool) -> None:
        lock_head(connection)
        held = connection.execute(_HELD, {"stack": stack}).mappings().one_or_none()
        unproven = held is not None and Holder.parse(held["holder"]).gone(self.me) is None
        if held is None or self._gone(held) or (unproven and doubted):
            self._make_hold(connection, stack, nonce, taken=False)
        elif held["holder"] == self.me.proof() and held["taken"] and not held["entered"]:
            connection.execute(update(holds).where(holds.c.stack == stack).values(entered=True, nonce=nonce))
        elif held["nonce"] != nonce:
            # Our own nonce means that we hold it: the commit had gone through when its connection was lost.
            way_out = f", or may be; once that process is dead: holdfast resolve {stack}" if unproven else ""
            raise Conflict(
                f"{stack} is held by {Holder.parse(held['holder'])}{way_out}",
                code="HF-4203",
                hint="wait for it to end, or see holdfast runs",
            )

    def _make_hold(self, connection: Connection, stack: str, nonce: str, *, taken: bool) -> None:
        now = self.clock.now()
        connection.execute(delete(holds).where(holds.c.stack == stack))
        connection.execute(
            insert(holds).values(
                stack=stack,
                holder=self.me.proof(),
                since=now,
                lease_until=now + self.lease_s,
                taken=taken,
                entered=not taken,
                nonce=nonce,
            )
        )

    def _gone(self, held: RowMapping) -> bool:
        gone = Holder.parse(held["holder"]).gone(self.me)
        return held["lease_until"] <= self.clock.now() if gone is None else gone


def _leave(connection: Connection, nonce: str) -> None:
    if not connection.execute(_LEAVE, {"mine": nonce}).rowcount:
        connection.execute(_STEP_OUT, {"mine": nonce})


def _earlier(kept: Due, asked: Due, now: float) -> Due:
    """Merge two wishes: the earlier date, and of two that are due the greater urgency with its reason."""
    at = min(kept.at, asked.at)
    sooner = asked.at < kept.at
    more_urgent = asked.priority < kept.priority and asked.at <= max(kept.at, now)
    return Due(
        stack=kept.stack,
        track=kept.track,
        at=at,
        why=asked.why if sooner or more_urgent else kept.why,
        priority=asked.priority if more_urgent or (sooner and kept.at > now) else kept.priority,
    )


def _find(connection: Connection, due: Due) -> RowMapping | None:
    wanted = select(agenda).where(agenda.c.stack == due.stack, agenda.c.track == due.track)
    return connection.execute(wanted).mappings().one_or_none()


def _put(connection: Connection, due: Due, *, taken_by: str, nudged: bool) -> None:
    connection.execute(
        update(agenda)
        .where(agenda.c.stack == due.stack, agenda.c.track == due.track)
        .values(at=due.at, why=due.why, priority=due.priority, taken_by=taken_by, nudged=nudged)
    )


def _columns(due: Due) -> dict[str, str | float | int]:
    return {"stack": due.stack, "track": due.track, "at": due.at, "why": due.why, "priority": due.priority}


def _due(row: RowMapping) -> Due:
    return Due(stack=row["stack"], track=row["track"], at=row["at"], why=row["why"], priority=row["priority"])

"""The embedded agenda: who works on what, and when, in the record's own file.

The service and a person's command line share it. Nothing in it has to be renewed: on one host a holder
can be proven dead or alive, and only containers that cannot see each other depend on a lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, RowMapping

from orchestrator.effects import agenda_rows
from orchestrator.effects.agenda_rows import Sought
from orchestrator.effects.changes import Changes
from orchestrator.effects.database import Database, new_nonce
from orchestrator.effects.holder import Holder, this_process
from orchestrator.effects.holds import Holds
from orchestrator.effects.record_chain import lock_head
from orchestrator.ports import Clock, Due

#: Longer than any run is allowed to take: counts only for holders of whom nothing can be proven.
LEASE_S: Final = 6 * 3600.0
#: Seconds after which a waiting worker looks again though nobody wrote anything: a date came, or a holder died.
_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAgenda:
    """`ports.Agenda` in the record's SQLite file. Safe to share between threads."""

    database: Database
    clock: Clock
    #: Seconds after which a holder of whom nothing can be proven counts as gone.
    lease_s: float = LEASE_S
    me: Holder = field(default_factory=this_process)
    _holds: Holds = field(init=False)
    _changes: Changes = field(init=False)

    def __post_init__(self) -> None:
        held = Holds(database=self.database, clock=self.clock, lease_s=self.lease_s, me=self.me)
        object.__setattr__(self, "_holds", held)
        object.__setattr__(self, "_changes", Changes(self.database.engine))

    def nudge(self, *dues: Due) -> None:
        """Pull due dates forward, in one transaction; never pushes one back. What is overdue only gets more urgent."""

        def work(connection: Connection) -> None:
            lock_head(connection)
            agenda_rows.pull_forward(connection, dues, self.clock.now())

        if dues:
            self._holds.write(work)

    def take(self, now: float, admits: Callable[[Due], bool] = lambda _: True, *, within: str = "") -> Due | None:
        """Return the most urgent row that is due, free and admitted, and hold its stack until `rest`.

        A row whose taker died is due at once, whatever its date. The same process may enter the hold with `hold`.
        """
        if not self._holds.owes and not self._may_be_due(Sought(now=now, admits=admits, within=within)):
            return None
        wanted = agenda_rows.urgent(agenda_rows.due(now))
        nonce = new_nonce()

        def work(connection: Connection) -> Due | None:
            lock_head(connection)
            held = self._holds.living(connection)
            rows = connection.execute(wanted).mappings()
            mine = {stack for stack, one in held.items() if one["nonce"] == nonce}
            if mine:
                # The connection was lost in the middle of the commit, and the commit had gone through.
                return next((agenda_rows.due_of(row) for row in rows if self._is_mine(row, mine)), None)
            for row in rows:
                due = agenda_rows.due_of(row)
                if row["stack"] not in held and admits(due):
                    self._holds.take(connection, due.stack, nonce)
                    return agenda_rows.take(connection, row, self.me.proof())
            return None

        # A loss of power ends whoever works, and makes its row due: nothing here has to outlive one.
        return self._holds.write(work, durable=False)

    def wait(self, timeout_s: float) -> None:
        """Wait until something may be due, or ``timeout_s`` seconds have passed."""
        end = time.monotonic() + timeout_s
        count = self._changes.count()
        while (left := end - time.monotonic()) > 0 and not self._may_be_due(Sought(now=self.clock.now())):
            count = self._changes.wait(count, min(left, _LOOK_S))

    def hold(self, stack: str, *, doubted: bool = False) -> AbstractContextManager[None]:
        """Hold a stack for as long as the block runs; inside what this process took, share its hold.

        ``doubted`` takes a holder of whom nothing can be proven for gone, without waiting for its lease to run out.
        Raises Conflict (HF-4203) naming the holder where it is held.
        """
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
                agenda_rows.pull_forward(connection, [due], self.clock.now())
                return
            agenda_rows.come_to_rest(connection, row, due, self.clock.now())
            self._holds.give_back(connection, due.stack)

        self._holds.write(work, durable=False)

    def waiting(self) -> Sequence[Due]:
        """Return every row, soonest first; among them those that somebody works on."""
        with self.database.reading() as connection:
            return agenda_rows.waiting(connection)

    def close(self) -> None:
        """Let go of what waiting needed."""
        self._changes.close()

    def _may_be_due(self, sought: Sought) -> bool:
        with self.database.reading() as connection:
            return agenda_rows.may_be_due(connection, self._holds, sought)

    def _is_mine(self, row: RowMapping, stacks: set[str]) -> bool:
        return row["stack"] in stacks and row["taken_by"] == self.me.proof()

"""Holds: who works on which stack. One implementation for every agenda, in the record's own database.

A hold is a row with its holder's proof of life: a holder that is proven dead is replaced at once, a
living one never, and of one on another host nothing can be proven before its lease has run out. The
record's versions fence what a hold cannot: whoever lost his without knowing it starts nothing, because
`Record.append` of its start is refused as soon as somebody else has done anything to the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from orchestrator.effects.database import Database, new_nonce
from orchestrator.effects.holder import Holder
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import holds
from orchestrator.errors import Conflict, OrchestratorError
from orchestrator.ports import Clock

_T = TypeVar("_T")

_HELD: Final = select(holds).where(holds.c.stack == bindparam("stack"))
_MINE: Final = holds.c.nonce == bindparam("mine")
_LEAVE: Final = delete(holds).where(_MINE, holds.c.taken.is_(False))
#: What was taken stays held until it is given back.
_STEP_OUT: Final = update(holds).where(_MINE).values(entered=False)


def _nothing(_connection: Connection, _stack: str) -> None:
    """What an agenda does that keeps nothing beside its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The holds of one process, and what it may know of everybody else's. Safe to share between threads."""

    database: Database
    clock: Clock
    #: Seconds after which a holder of whom nothing can be proven counts as gone.
    lease_s: float
    me: Holder
    #: Whether holders outlive a crash of the database: on one host a loss of power ends them with it.
    durable: bool = False
    #: Called with each stack that nobody holds any more, in the transaction that freed it.
    freed: Callable[[Connection, str], None] = _nothing
    #: Nonce and stack of blocks that have ended while the record could not be written: the next one to write gives
    #: them back.
    _over: set[tuple[str, str]] = field(default_factory=set)

    @property
    def owes(self) -> bool:
        """Whether something is still to be given back."""
        return bool(self._over)

    def write(self, work: Callable[[Connection], _T], *, durable: bool = True) -> _T:
        """Run ``work`` in one transaction, after giving back what was not given back when its block ended."""
        over = tuple(self._over)

        def all_of_it(connection: Connection) -> _T:
            if over:
                lock_head(connection)
            for nonce, stack in over:
                self._leave(connection, nonce, stack)
            return work(connection)

        result = self.database.write(all_of_it, durable=durable)
        self._over.difference_update(over)
        return result

    @contextmanager
    def hold(self, stack: str, *, doubted: bool = False) -> Iterator[None]:
        """Hold a stack for as long as the block runs; inside what this process took, share its hold.

        ``doubted`` takes a holder of whom nothing can be proven for gone, without waiting for its lease to run out.
        Raises Conflict (HF-4203) naming the holder where it is held.
        """
        nonce = new_nonce()
        taken = self.write(
            lambda connection: self._enter(connection, stack, nonce, doubted=doubted), durable=self.durable
        )
        try:
            yield
        finally:
            self._over.add((nonce, stack))
            # What was taken is given back soon, and what is owed goes with it: the stack stays ours until then anyway.
            # What came of the block must not be lost because the record is busy or full just now.
            with suppress(OrchestratorError):
                if not taken:
                    self.write(lambda _: None, durable=self.durable)

    def doubtful(self, stack: str) -> str:
        """Return who holds a stack of whom nothing can be proven from here, empty where there is no such holder."""
        with self.database.reading() as connection:
            held = connection.execute(_HELD, {"stack": stack}).mappings().one_or_none()
        if held is None or self.gone(held):
            return ""
        holder = Holder.parse(held["holder"])
        return "" if holder.gone(self.me) is False else str(holder)

    def is_held(self, stack: str) -> bool:
        """Whether somebody holds a stack who is not known to be gone. Only looks."""
        with self.database.reading() as connection:
            held = connection.execute(_HELD, {"stack": stack}).mappings().one_or_none()
        return held is not None and not self.gone(held)

    def living(self, connection: Connection) -> Mapping[str, RowMapping]:
        """Return the holds whose holders are not known to be gone, by stack."""
        return {one["stack"]: one for one in connection.execute(select(holds)).mappings() if not self.gone(one)}

    def take(self, connection: Connection, stack: str, nonce: str) -> None:
        """Make the hold of a taken row: it lasts until `give_back`, and one block at a time may enter it."""
        self._make(connection, stack, nonce, taken=True)

    def give_back(self, connection: Connection, stack: str) -> None:
        """End what `take` made; a block that runs inside keeps the stack until it ends."""
        mine = holds.c.stack == stack, holds.c.holder == self.me.proof(), holds.c.taken.is_(True)
        if connection.execute(delete(holds).where(*mine, holds.c.entered.is_(False))).rowcount:
            self.freed(connection, stack)
        else:
            connection.execute(update(holds).where(*mine).values(taken=False))

    def renew(self, connection: Connection) -> None:
        """Begin the lease of everything that this process holds anew; what it has lost stays lost."""
        mine = update(holds).where(holds.c.holder == self.me.proof())
        connection.execute(mine.values(lease_until=self.clock.now() + self.lease_s))

    def gone(self, held: RowMapping | Mapping[str, Any]) -> bool:
        """Whether the holder of a row is gone: proven, or of whom nothing can be proven with its lease at an end."""
        gone = Holder.parse(held["holder"]).gone(self.me)
        if gone is None:
            return bool(held["lease_until"] <= self.clock.now())
        return gone

    def _enter(self, connection: Connection, stack: str, nonce: str, *, doubted: bool) -> bool:
        """Make a hold, or enter what was taken; True where it lasts until `give_back`."""
        lock_head(connection)
        held = connection.execute(_HELD, {"stack": stack}).mappings().one_or_none()
        unproven = held is not None and Holder.parse(held["holder"]).gone(self.me) is None
        if held is None or self.gone(held) or (unproven and doubted):
            self._make(connection, stack, nonce, taken=False)
            return False
        if held["holder"] == self.me.proof() and held["taken"] and not held["entered"]:
            connection.execute(update(holds).where(holds.c.stack == stack).values(entered=True, nonce=nonce))
        elif held["nonce"] != nonce:
            # Our own nonce means that we hold it: the commit had gone through when its connection was lost.
            way_out = f", or may be; once that process is dead: holdfast resolve {stack}" if unproven else ""
            raise Conflict(
                f"{stack} is held by {Holder.parse(held['holder'])}{way_out}",
                code="HF-4203",
                hint="wait for it to end, or see holdfast runs",
            )
        return bool(held["taken"])

    def _leave(self, connection: Connection, nonce: str, stack: str) -> None:
        if connection.execute(_LEAVE, {"mine": nonce}).rowcount:
            self.freed(connection, stack)
        else:
            connection.execute(_STEP_OUT, {"mine": nonce})

    def _make(self, connection: Connection, stack: str, nonce: str, *, taken: bool) -> None:
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

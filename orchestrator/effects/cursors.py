"""The places of the record's readers, beside the marks of its chain: what vanishes with a cache would be told again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from orchestrator.effects.database import Database
from orchestrator.effects.record_chain import Link, chain_head, lock_head, proof_of
from orchestrator.effects.record_tables import marks
from orchestrator.ports import Spot

#: No mark of the chain itself begins so.
_OURS: Final = "reader "
_AT: Final = select(marks.c.number, marks.c.digest).where(marks.c.name == bindparam("of"))
_MOVE: Final = update(marks).where(marks.c.name == bindparam("of"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCursors:
    """`ports.Cursors` in the record's own database."""

    database: Database

    def begin(self, reader: str) -> tuple[Spot, bool]:
        """Return the entry that a reader has come to, and whether it is new here. Raises RecordError, Conflict."""
        with self.database.reading() as connection:
            known = _at(connection, reader)
            head = chain_head(connection)
            if known is not None and proof_of(connection, Link(known.number, known.proof)) is not False:
                return known, False
            if known == Spot(0):
                # Nothing was in the record yet when it began.
                return known, False
        spot = Spot(head.seq, head.digest)
        self.keep(reader, spot)
        return spot, True

    def at(self, name: str) -> Spot | None:
        """Return what was kept under a name, None where nothing was. Raises RecordError."""
        with self.database.reading() as connection:
            return _at(connection, name)

    def keep(self, name: str, spot: Spot, *, durable: bool = True) -> None:
        """Keep a place. Raises RecordError, Conflict."""
        values = {"number": spot.number, "digest": spot.proof}

        def work(connection: Connection) -> None:
            lock_head(connection)
            if not connection.execute(_MOVE.values(**values), {"of": _OURS + name}).rowcount:
                connection.execute(insert(marks).values(name=_OURS + name, **values))

        self.database.write(work, durable=durable)


def _at(connection: Connection, name: str) -> Spot | None:
    found = connection.execute(_AT, {"of": _OURS + name}).one_or_none()
    return Spot(found.number, found.digest) if found else None

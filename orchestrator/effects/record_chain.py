"""The chain over the record's entries: each digest covers its entry and the digest before it.

Whoever edits, deletes, reorders or cuts off entries breaks it at the first of them. Pruning keeps a
checkpoint, so that what is left still proves itself.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, NamedTuple

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from adapters.contract import Json
from orchestrator.effects.record_fold import fold_rows, ground_of, text_of
from orchestrator.effects.record_tables import events, marks, stacks

#: What the chain covers, in this order.
_COVERED: Final = ("seq", "stack", "version", "run", "at", "actor", "kind", "body")


class Link(NamedTuple):
    """A place in the chain."""

    seq: int
    digest: str


def link(before: str, entry: dict[str, Json] | RowMapping) -> str:
    """Return the hex SHA-256 over ``before`` and every column of ``entry``."""
    covered = [before, *(entry[name] for name in _COVERED)]
    return hashlib.sha256(json.dumps(covered, separators=(",", ":")).encode()).hexdigest()


_HEAD: Final = select(marks.c.number, marks.c.digest).where(marks.c.name == "chain").with_for_update()


def lock_head(connection: Connection) -> Link:
    """Return the chain's end and keep every other writer out until the transaction ends."""
    row = connection.execute(_HEAD).one()
    return Link(row.number, row.digest)


def set_mark(connection: Connection, name: str, at: Link) -> None:
    """Move the mark ``chain`` or ``pruned``."""
    connection.execute(update(marks).where(marks.c.name == name).values(number=at.seq, digest=at.digest))


def is_stored(connection: Connection, at: Link) -> bool:
    """Whether exactly this entry is in the record."""
    found = connection.execute(select(events.c.chain).where(events.c.seq == at.seq)).scalar()
    return found == at.digest


def chain_head(connection: Connection) -> Link:
    """Return the chain's end without locking anybody out."""
    return _mark(connection, "chain")


def proof_of(connection: Connection, at: Link) -> bool | None:
    """Whether this very entry is where it was, None where it was pruned and nobody can say."""
    pruned = _mark(connection, "pruned")
    if at.seq < pruned.seq:
        return None
    return pruned == at or is_stored(connection, at)


def first_broken(connection: Connection) -> int | None:
    """Return the first sequence number whose entry is altered, missing or out of place; None where all hold."""
    last, end = _mark(connection, "pruned"), _mark(connection, "chain")
    columns = [events.c[name] for name in _COVERED]
    found = connection.execution_options(yield_per=1000).execute(
        select(*columns, events.c.chain).order_by(events.c.seq)
    )
    for row in found.mappings():
        if row["seq"] != last.seq + 1 or row["chain"] != link(last.digest, row):
            return last.seq + 1
        last = Link(row["seq"], row["chain"])
    return None if last == end else last.seq + 1


def prune(connection: Connection, before: float) -> int:
    """Remove the entries that are older than ``before`` (seconds since the epoch); return how many.

    What they folded to stays as the ground on which a stack's state can be rebuilt, and their end as a checkpoint.
    """
    head = lock_head(connection)
    first_kept = connection.execute(select(func.min(events.c.seq)).where(events.c.at >= before)).scalar()
    cut = head.seq if first_kept is None else first_kept - 1
    digest = connection.execute(select(events.c.chain).where(events.c.seq == cut)).scalar()
    if digest is None:
        return 0
    touched = connection.execute(select(events.c.stack).where(events.c.seq <= cut).distinct()).scalars().all()
    for stack in touched:
        ground = fold_rows(connection, stack, ground_of(connection, stack), until=cut)
        connection.execute(update(stacks).where(stacks.c.key == stack).values(ground=text_of(ground)))
    set_mark(connection, "pruned", Link(cut, digest))
    return connection.execute(delete(events).where(events.c.seq <= cut)).rowcount


def _mark(connection: Connection, name: str) -> Link:
    row = connection.execute(select(marks.c.number, marks.c.digest).where(marks.c.name == name)).one()
    return Link(row.number, row.digest)

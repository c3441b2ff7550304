"""Whoever bends the record is found at the first bent place."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_tables import events, marks
from orchestrator.model.event import Vanished

NET = "acme/net@prod"


@pytest.fixture
def five(record: SqlRecord) -> SqlRecord:
    record.append(NET, [Vanished(revision=str(n)) for n in range(5)], expected=0, run=1)
    return record


def edit_body(connection: Connection) -> None:
    connection.execute(update(events).where(events.c.seq == 3).values(body='{"kind":"vanished","revision":"x"}'))


def edit_actor(connection: Connection) -> None:
    connection.execute(update(events).where(events.c.seq == 3).values(actor="user:mallory"))


def edit_time(connection: Connection) -> None:
    connection.execute(update(events).where(events.c.seq == 3).values(at=events.c.at + 0.5))


def drop_from_the_middle(connection: Connection) -> None:
    connection.execute(delete(events).where(events.c.seq == 3))


def exchange_two(connection: Connection) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        connection.execute(update(events).where(events.c.seq == old).values(seq=new, version=new))


def cut_off_the_end(connection: Connection) -> None:
    connection.execute(delete(events).where(events.c.seq >= 3))


def slip_one_in(connection: Connection) -> None:
    row = dict(connection.execute(select(events).where(events.c.seq == 5)).mappings().one())
    connection.execute(insert(events).values(**{**row, "seq": 6, "version": 6}))


@pytest.mark.parametrize(
    ("tamper", "first"),
    [
        (edit_body, 3),
        (edit_actor, 3),
        (edit_time, 3),
        (drop_from_the_middle, 3),
        (exchange_two, 3),
        (cut_off_the_end, 3),
        (slip_one_in, 6),
    ],
)
def test_each_way_of_tampering_is_found_at_its_first_place(five: SqlRecord, database: Database, tamper, first: int):
    assert five.verify() is None
    database.write(tamper)
    assert five.verify() == first


def test_a_moved_checkpoint_is_found(five: SqlRecord, database: Database):
    database.write(lambda c: c.execute(update(marks).where(marks.c.name == "pruned").values(number=2, digest="0" * 64)))
    assert five.verify() == 3

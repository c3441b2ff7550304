"""Pages of a stack's history, on both databases: whole, in order, and without a sort of all that ever happened."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import event

from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.model.event import DriftCheckFailed
from orchestrator.ports import Entry

NET, APP = "acme/net@prod", "acme/app@prod"


@pytest.fixture
def filled(record: SqlRecord, clock) -> SqlRecord:
    """Ninety entries, of which every third is another stack's."""
    for number in range(90):
        clock.at += 1.0
        stack = APP if number % 3 == 2 else NET
        said = DriftCheckFailed(code="HF-2004", message=f"try {number}")
        record.append(stack, [said], expected=record.row(stack).state.version, run=1 + number // 10)
    return record


def seqs(entries: Sequence[Entry]) -> list[int]:
    return [one.seq for one in entries]


NETS = [number + 1 for number in range(90) if number % 3 != 2]


@pytest.mark.parametrize("size", [1, 7, 60, 100])
def test_pages_of_one_stack_hold_each_entry_once_and_in_order(filled: SqlRecord, size: int):
    found: list[int] = []
    while page := filled.events(stack=NET, after=found[-1] if found else 0, limit=size):
        assert len(page) <= size
        found += seqs(page)
    assert found == NETS


@pytest.mark.parametrize("after", [-1, 0, 1, 2, 3, 44, 45, 46, 89, 90, 91, 10_000])
def test_a_page_may_begin_after_any_number_also_after_another_stacks(filled: SqlRecord, after: int):
    assert seqs(filled.events(stack=NET, after=after)) == [one for one in NETS if one > after]
    assert seqs(filled.events(stack=NET, after=after, run=5)) == [
        one for one in NETS if one > after and 41 <= one <= 50
    ]


def test_a_page_may_begin_where_what_was_named_is_pruned(filled: SqlRecord, clock):
    filled.prune(before=clock.at - 44.5)
    assert seqs(filled.events(stack=NET, after=20)) == [one for one in NETS if one > 45]
    assert seqs(filled.events(stack=NET)) == [one for one in NETS if one > 45]
    assert not filled.events(stack="acme/nobody@prod", after=50)


def test_the_last_run_of_a_stack_is_where_something_happened_to_it_last(filled: SqlRecord):
    assert filled.last_run(NET) == filled.last_run(APP) == 9
    said = DriftCheckFailed(code="HF-2004", message="outside of every run")
    filled.append(NET, [said], expected=filled.row(NET).state.version, run=0)
    filled.append(APP, [said], expected=filled.row(APP).state.version, run=12)
    assert (filled.last_run(NET), filled.last_run(APP)) == (9, 12)
    assert filled.last_run("acme/nobody@prod") == 0


@pytest.mark.parametrize("after", [0, 1, 40])
def test_a_page_of_a_stack_is_read_off_its_index(sqlite_url: str, clock, after: int):
    database = open_database(sqlite_url)
    asked: list[tuple[str, object]] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _k, text, values, *_: asked.append((text, values))
    )
    SqlRecord(database=database, clock=clock, actor="ana").events(stack=NET, after=after)
    text, values = next(one for one in asked if "FROM events" in one[0])
    with database.reading() as connection:
        told = " ".join(str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))
    database.close()
    assert "stack=? AND version>?" in told
    assert "TEMP B-TREE" not in told
    assert "SCAN events" not in told

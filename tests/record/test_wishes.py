"""Many wishes at once, as a look at a source of thousands of stacks has them, and how rows end, on each agenda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import event

from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.effects.changes import Changes
from orchestrator.effects.record_schema import open_database
from orchestrator.ports import Agenda, Due

NOW = 1_000_000.0


def due(stack: str, at: float, why: str = "a commit") -> Due:
    return Due(stack=stack, track="main", at=at, why=why)


@pytest.fixture(params=["sqlite_url", "postgresql_database"])
def agenda(request: pytest.FixtureRequest, clock) -> Iterator[Agenda]:
    with (
        closing(open_database(request.getfixturevalue(request.param))) as database,
        closing(open_agenda(database, clock)) as made,
    ):
        yield made


def wishes(prefix: str) -> list[Due]:
    """Sixty rows, some of which are wished for again: later, sooner, more urgently."""
    first = [due(f"acme/{prefix}{one}@x", NOW + 10.0 * one, "first") for one in range(60)]
    later = [replace(one, at=one.at + 100.0, why="too late") for one in first[:20]]
    sooner = [replace(one, at=one.at - 5.0, why="sooner") for one in first[10:30]]
    urgent = [replace(one, at=NOW, why="a yes", priority=0) for one in first[25:40]]
    return [*first, *later, *sooner, *urgent]


def rows(agenda: Agenda, prefix: str) -> dict[str, Due]:
    """Return the rows of a prefix by what follows it."""
    found = [one for one in agenda.waiting() if one.stack.startswith(f"acme/{prefix}")]
    return {one.stack.removeprefix(f"acme/{prefix}"): replace(one, stack="") for one in found}


def test_many_wishes_at_once_come_to_the_same_as_one_after_the_other(agenda: Agenda):
    for one in wishes("one"):
        agenda.nudge(one)
    agenda.nudge(*wishes("all"))
    agenda.nudge(*wishes("two")[:60])
    agenda.nudge(*wishes("two")[60:])
    expected = rows(agenda, "one")
    assert len(expected) == 60
    assert len({one.why for one in expected.values()}) == 3
    assert rows(agenda, "all") == expected
    assert rows(agenda, "two") == expected


def test_many_wishes_find_what_somebody_works_on_and_ask_for_another_look(agenda: Agenda):
    agenda.nudge(due("acme/s7@x", NOW - 1.0))
    taken = agenda.take(NOW)
    assert taken
    agenda.nudge(*(due(f"acme/s{one}@x", NOW + one, "again") for one in range(30)))
    agenda.rest(replace(taken, at=NOW + 1e6, why="at rest"))
    found = {one.stack: (one.at, one.why) for one in agenda.waiting()}
    assert found["acme/s7@x"] == (NOW + 7, "again")
    assert len(found) == 30


def test_a_wish_that_alters_nothing_writes_nothing(sqlite_url, clock):
    with (
        closing(open_database(sqlite_url)) as database,
        closing(open_agenda(database, clock)) as agenda,
        closing(Changes(database.engine)) as changes,
    ):
        dues = [due(f"acme/s{one}@x", NOW + one) for one in range(50)]
        agenda.nudge(*dues)
        before = changes.count()
        agenda.nudge(*dues)
        agenda.nudge(dues[0])
        assert changes.count() == before
        agenda.nudge(replace(dues[0], at=NOW - 1.0))
        assert changes.count() > before


def test_others_wait_that_are_as_urgent_and_have_been_due_as_long(agenda: Agenda) -> None:
    first, second = "acme/a@x", "acme/b@x"
    agenda.nudge(due(first, NOW), due(second, NOW))
    taken = agenda.take(NOW)
    assert taken
    assert taken.stack == first
    assert agenda.others_wait(taken)
    assert not agenda.others_wait(replace(taken, at=NOW - 1)), "the other one came later"
    assert not agenda.others_wait(replace(taken, priority=0)), "the other one is less urgent"
    with agenda.hold(second):
        assert not agenda.others_wait(taken), "somebody works on the other one"
    assert agenda.take(NOW)
    assert not agenda.others_wait(taken)


def test_where_nothing_is_due_no_row_is_put_in_order(agenda: LocalAgenda | ProcrastinateAgenda) -> None:
    agenda.nudge(due("acme/a@x", NOW + 60), due("acme/b@x", NOW + 60))
    asked: list[str] = []

    @event.listens_for(agenda.database.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    assert agenda.take(NOW) is None
    assert asked
    assert not [one for one in asked if "ORDER BY" in one]
    event.remove(agenda.database.engine, "before_cursor_execute", note)
    assert agenda.take(NOW + 60)


def test_a_row_that_is_due_never_again_is_dropped_and_a_nudge_makes_it_anew(agenda: Agenda):
    of_a_pull = replace(due("acme/web@x", NOW), track="pull/7")
    agenda.nudge(of_a_pull, due("acme/db@x", NOW))
    for _ in range(2):
        taken = agenda.take(NOW)
        assert taken
        agenda.rest(replace(taken, at=float("inf") if taken.track == "pull/7" else NOW + 60))
    assert [one.stack for one in agenda.waiting()] == ["acme/db@x"]
    agenda.nudge(of_a_pull)
    again = agenda.take(NOW)
    assert again
    agenda.nudge(replace(of_a_pull, at=NOW + 5))
    agenda.rest(replace(again, at=float("inf")))
    assert [(one.stack, one.at) for one in agenda.waiting()] == [("acme/web@x", NOW + 5), ("acme/db@x", NOW + 60)]

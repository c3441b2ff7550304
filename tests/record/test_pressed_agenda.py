"""A shared agenda under pressure: much is due, little is admitted, sessions end, somebody stands still with the lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import text

from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.effects.clock import DatabaseClock
from orchestrator.effects.database import Database
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_schema import open_database
from orchestrator.ports import Due

NET, APP = "acme/net@prod", "acme/app@prod"


@pytest.fixture
def database(postgresql_database: str) -> Iterator[Database]:
    opened = open_database(postgresql_database, busy_s=30)
    yield opened
    opened.close()


@pytest.fixture
def agenda(database: Database) -> Iterator[ProcrastinateAgenda]:
    opened = ProcrastinateAgenda(database=database, clock=DatabaseClock(database))
    yield opened
    opened.close()


@pytest.fixture
def now(agenda: ProcrastinateAgenda) -> Callable[[], float]:
    return agenda.clock.now


def at(time_: float, stack: str = NET) -> Due:
    return Due(stack=stack, track="main", at=time_, why="a commit", priority=10)


def test_a_session_that_ends_while_entries_are_passed_over_costs_a_try_and_no_error(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    agenda.nudge(at(now(), NET), at(now(), APP))
    asked: list[Due] = []

    def admits(due: Due) -> bool:
        asked.append(due)
        # At first it is only asked whether it is worth while; the third time its entry has been begun with.
        if len(asked) == 3:
            with psycopg.connect(postgresql_database, autocommit=True) as line:
                line.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'")
            return False
        return True

    assert agenda.take(now(), admits)
    assert len(asked) > 3


def test_to_whom_nothing_is_admitted_nothing_is_written_however_much_is_due(
    agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    agenda.nudge(*(at(now(), f"acme/s{number}@prod") for number in range(20)))
    with agenda.database.engine.connect() as line:
        before = line.execute(text("SELECT pg_current_xact_id_if_assigned(), txid_current()")).one()[1]
    for _ in range(5):
        assert agenda.take(now(), lambda _: False) is None
    with agenda.database.engine.connect() as line:
        # One more is the question itself.
        assert line.execute(text("SELECT txid_current()")).scalar_one() == before + 1


def test_who_stands_still_with_the_write_lock_keeps_the_others_waiting_for_seconds_only(
    database: Database, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    still = database.engine.connect()
    lock_head(still)
    begun = time.monotonic()
    agenda.nudge(at(now()))
    assert 5 < time.monotonic() - begun < 20
    still.invalidate()
    still.close()


def test_what_is_admitted_is_found_behind_any_number_of_others(agenda: ProcrastinateAgenda, now: Callable[[], float]):
    agenda.nudge(*(at(now(), f"acme/s{number:03}@prod") for number in range(150)))
    agenda.nudge(at(now(), NET))
    later = now() + 1.0
    begun: list[Due] = []

    def admits(due: Due) -> bool:
        begun.append(due)
        return due.stack == NET

    taken = agenda.take(later, admits)
    assert taken
    assert taken.stack == NET
    # Each is asked for twice at most, and none is begun with and given back.
    assert len(begun) <= 2 * 151 + 1
    assert agenda.take(later, admits) is None

"""The queue that hosts share is made once, brought up to date, and left alone where a newer release made it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.clock import DatabaseClock
from orchestrator.effects.database import Database
from orchestrator.effects.procrastinate_queue import bring_queue
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import RecordError


@pytest.fixture
def database(postgresql_database: str) -> Iterator[Database]:
    opened = open_database(postgresql_database, busy_s=30)
    yield opened
    opened.close()


def test_a_queue_of_an_older_release_is_brought_up_to_date(database: Database):
    """As far as one release can be undone: its last step is made to run again."""
    bring_queue(database)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER procrastinate_trigger_status_events_update_v1 ON procrastinate_jobs"))
        connection.execute(text("UPDATE meta SET value = '03.04.00_49' WHERE name = 'queue'"))
    bring_queue(database)
    with database.reading() as connection:
        assert connection.execute(
            text("SELECT count(*) FROM pg_trigger WHERE tgname = 'procrastinate_trigger_status_events_update_v1'")
        ).scalar()
        mark = connection.execute(text("SELECT value FROM meta WHERE name = 'queue'")).scalar()
    assert mark == max(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def test_a_queue_of_a_newer_release_is_left_alone(database: Database):
    bring_queue(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = '99.00.00_01' WHERE name = 'queue'"))
    with pytest.raises(RecordError) as refused:
        open_agenda(database, DatabaseClock(database))
    assert refused.value.code == "HF-4302"


def test_many_that_open_the_agenda_at_once_make_one_queue(postgresql_database: str):
    failed: list[Exception] = []

    def make() -> None:
        try:
            opened = open_database(postgresql_database)
            bring_queue(opened)
            opened.close()
        except Exception as error:  # noqa: BLE001 -- shown by the test
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []


def test_without_its_queue_the_error_says_what_to_install(postgresql_database: str):
    program = """
import sys
sys.modules["procrastinate"] = None
from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.clock import clock_of
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import RecordError
database = open_database(sys.argv[1])
try:
    open_agenda(database, clock_of(database))
except RecordError as error:
    print(error.code, error.hint)
"""
    said = subprocess.run(
        [sys.executable, "-c", program, postgresql_database], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "HF-4304 pip install 'holdfast[postgresql]'"

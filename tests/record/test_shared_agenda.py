"""What the agenda of many hosts promises beyond `test_agenda`: workers that die, stop or lose their database."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text, update

from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.effects.clock import DatabaseClock, SystemClock
from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.record_tables import agenda as rows
from orchestrator.errors import Conflict, RecordError
from orchestrator.model.event import Vanished
from orchestrator.ports import Due

NET, APP = "acme/net@prod", "acme/app@prod"
CHILD = Path(__file__).with_name("child_works.py")


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
    """The agenda's own clock: two of them differ by as much as the server takes to answer."""
    return agenda.clock.now


@contextmanager
def worker(url: str, *argv: str, host: str = "", lease_s: float = 60.0) -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, str(CHILD), url, host, str(lease_s), *argv]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
        try:
            yield child
        finally:
            child.kill()
            child.send_signal(signal.SIGCONT)


def hear(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str]) -> None:
    assert child.stdin
    child.stdin.write("go\n")
    child.stdin.flush()


def at(time_: float, stack: str = NET, track: str = "main", priority: int = 10) -> Due:
    return Due(stack=stack, track=track, at=time_, why="a commit", priority=priority)


def until_taken(agenda: ProcrastinateAgenda, now: Callable[[], float]) -> Due:
    end = time.monotonic() + 30
    while (taken := agenda.take(now())) is None:
        assert time.monotonic() < end, "nobody took it over"
        agenda.wait(1.0)
    return taken


def test_two_processes_that_work_two_hundred_rows_of_twenty_stacks_never_overlap(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float], tmp_path: Path
):
    argv = ("work", str(tmp_path), "200")
    with worker(postgresql_database, *argv) as one, worker(postgresql_database, *argv, host="far") as two:
        assert [hear(one), hear(two)] == ["ready", "ready"]
        agenda.nudge(*(at(now(), f"acme/s{n % 20}@prod", f"pr-{n // 20}", priority=n % 3 * 10) for n in range(200)))
        tell(one)
        tell(two)
        assert [hear(one), hear(two)] == ["ended", "ended"]
    assert len(list(tmp_path.glob("done-*"))) == 200
    assert not list(tmp_path.glob("inside-*"))
    assert entries(agenda.database) == []


def test_what_a_killed_worker_of_this_host_had_taken_is_worked_at_once(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    agenda.nudge(at(now()))
    with worker(postgresql_database, "take") as child:
        assert hear(child) == NET
        assert agenda.take(now()) is None
        child.kill()
        child.wait()
    assert until_taken(agenda, now).stack == NET
    with agenda.hold(NET):
        pass


def test_what_a_killed_worker_of_another_host_had_taken_is_worked_after_its_lease(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    agenda.nudge(at(now()))
    with worker(postgresql_database, "take", host="far", lease_s=2.0) as child:
        assert hear(child) == NET
        child.kill()
        child.wait()
    killed_at = now()
    # Of another host nothing is proven, until it has given no sign for as long as it said it would.
    lease = holds_until(agenda.database)
    assert agenda.take(killed_at) is None
    assert agenda.doubtful(NET)
    assert until_taken(agenda, now).stack == NET
    assert now() >= lease


def test_a_living_worker_of_another_host_renews_its_lease(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    agenda.nudge(at(now()))
    with worker(postgresql_database, "take", host="far", lease_s=0.9) as child:
        assert hear(child) == NET
        first = holds_until(agenda.database)
        while holds_until(agenda.database) < first + 1.0:
            assert agenda.take(now()) is None
            agenda.wait(0.1)
        with agenda.database.reading() as connection:
            beaten = text("SELECT max(last_heartbeat) > now() - interval '5 s' FROM procrastinate_workers")
            assert connection.execute(beaten).scalar() is True


def test_a_worker_that_was_stopped_longer_than_its_lease_cannot_write_any_more(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    record = SqlRecord(database=agenda.database, clock=DatabaseClock(agenda.database), actor="near")
    agenda.nudge(at(now()))
    with worker(postgresql_database, "take", host="far", lease_s=0.9) as child:
        assert hear(child) == NET
        child.send_signal(signal.SIGSTOP)
        taken = until_taken(agenda, now)
        assert taken.stack == NET
        with agenda.hold(NET):
            record.append(NET, [Vanished(revision="near")], expected=0, run=2)
            child.send_signal(signal.SIGCONT)
            tell(child)
            assert hear(child) == "HF-4200"
            assert hear(child) == "rested"
        # What it gave back was not its own any more: it is still ours.
        assert agenda.is_held(NET)
        agenda.rest(replace(taken, at=now() + 5))
    assert [entry.event for entry in record.events()] == [Vanished(revision="near")]
    assert agenda.waiting()[0].at < now() + 6
    assert not agenda.is_held(NET)


def test_hosts_whose_clocks_are_wrong_steal_nothing_and_miss_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """Programs that shift the clock are not at hand everywhere; whoever asks Python for the time is told a wrong one."""
    true = time.time
    near = ProcrastinateAgenda(database=database, clock=DatabaseClock(database))
    for wrong_by in (3600.0, -3600.0):
        monkeypatch.setattr(time, "time", lambda wrong_by=wrong_by: true() + wrong_by)
        clock = DatabaseClock(database)
        shifted = ProcrastinateAgenda(
            database=database, clock=clock, me=replace(near.me, host="far", boot_id=f"far{wrong_by}")
        )
        assert abs(clock.now() - true()) < 2
        shifted.nudge(at(clock.now()), at(clock.now() + 60, APP))
        taken = near.take(near.clock.now())
        assert taken
        assert shifted.take(clock.now()) is None, "neither stolen, nor taken before its time"
        with pytest.raises(Conflict), shifted.hold(NET):
            pass
        near.rest(replace(taken, at=near.clock.now() + 60))
        again = near.take(near.clock.now() + 61)
        assert again
        near.rest(replace(again, at=near.clock.now() + 60))
        shifted.close()
    near.close()


def test_the_databases_clock_goes_on_while_its_server_is_away(postgresql_database: str):
    opened = open_database(postgresql_database)
    clock = DatabaseClock(opened)
    before = clock.now()
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    gone = replace(opened, engine=nowhere, patience_s=0.0)
    clock.database = gone
    clock._ask_at = 0.0
    clock.sleep(0.02)
    assert before + 0.02 <= clock.now() < before + 60
    with pytest.raises(RecordError):
        DatabaseClock(gone).now()
    opened.close()


def test_a_nudge_on_another_host_wakes_a_waiting_worker(
    postgresql_database: str, agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    with worker(postgresql_database, "hear", "3", host="far") as child:
        assert hear(child) == "ready"
        for _ in range(3):
            nudged = time.monotonic()
            agenda.nudge(at(now()))
            assert float(hear(child)) - nudged < 5, "it waits for ten seconds unless it is woken"


def test_an_entry_that_somebody_removed_from_the_queue_costs_a_moment(
    agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    for statement in ("DELETE FROM procrastinate_jobs", "UPDATE procrastinate_jobs SET status = 'cancelled'"):
        agenda.nudge(at(now()))
        with agenda.database.engine.begin() as connection:
            assert connection.execute(text(statement)).rowcount
        taken = until_taken(agenda, now)
        agenda.rest(replace(taken, at=now() + 60))
        with agenda.database.engine.begin() as connection:
            connection.execute(update(rows).values(at=now() + 60))
    agenda.nudge(at(now()))
    taken = until_taken(agenda, now)
    with agenda.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    agenda.rest(replace(taken, at=now() + 60))
    assert not agenda.is_held(NET)


def test_an_entry_of_a_row_that_is_gone_is_passed_over(agenda: ProcrastinateAgenda, now: Callable[[], float]):
    agenda.nudge(at(now()), at(now(), APP))
    with agenda.database.engine.begin() as connection:
        connection.execute(rows.delete().where(rows.c.stack == NET))
    taken = agenda.take(now())
    assert taken
    assert taken.stack == APP
    agenda.rest(replace(taken, at=now() + 60))
    assert entries(agenda.database) == []


def test_what_another_program_queued_under_the_same_name_makes_way(
    agenda: ProcrastinateAgenda, now: Callable[[], float]
):
    with agenda.database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, priority)"
                " VALUES ('elsewhere', 'something', :stack, :stack || '|main', 100)"
            ).bindparams(stack=NET)
        )
    agenda.nudge(at(now()), at(now(), APP))
    assert {one.stack for _ in range(2) if (one := agenda.take(now()))} == {NET, APP}


def test_a_persons_yes_overtakes_what_is_queued_already(agenda: ProcrastinateAgenda, now: Callable[[], float]):
    agenda.nudge(at(now(), priority=20), at(now(), APP))
    agenda.nudge(at(now(), priority=0))
    assert len(entries(agenda.database)) == 2
    taken = agenda.take(now())
    assert taken
    assert (taken.stack, taken.priority) == (NET, 0)


def test_a_worker_that_ended_is_known_no_more(agenda: ProcrastinateAgenda, now: Callable[[], float]):
    agenda.nudge(at(now()))
    assert agenda.take(now())
    assert workers(agenda.database) == 1
    agenda.close()
    assert workers(agenda.database) == 0


def test_a_worker_that_was_forgotten_is_introduced_again(agenda: ProcrastinateAgenda, now: Callable[[], float]):
    agenda.nudge(at(now()))
    assert agenda.take(now())
    with agenda.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_workers"))
    agenda._worker.beaten_at -= 1000
    agenda._give_sign()
    agenda.nudge(at(now(), APP))
    taken = agenda.take(now())
    assert taken
    assert taken.stack == APP


def test_a_database_that_crashes_and_starts_anew_loses_nothing_that_was_acknowledged(postgresql_server, tmp_path: Path):
    """Two workers and whoever nudges live through it: each comes back by itself."""
    name = f"r{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgresql_server.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    url = postgresql_server.url.replace("/postgres?", f"/{name}?")
    database = open_database(url, busy_s=30)
    agenda = ProcrastinateAgenda(database=database, clock=DatabaseClock(database))
    argv = ("work", str(tmp_path), "90")
    with worker(url, *argv) as one, worker(url, *argv, host="far", lease_s=3.0) as two:
        assert [hear(one), hear(two)] == ["ready", "ready"]
        tell(one)
        tell(two)
        for n in range(90):
            if n in {30, 60}:
                postgresql_server.restart()
            agenda.nudge(at(agenda.clock.now(), f"acme/s{n}@prod"))
        assert [hear(one), hear(two)] == ["ended", "ended"]
    assert not list(tmp_path.glob("inside-*"))
    agenda.close()
    database.close()


def test_a_database_that_stays_away_is_an_error_after_a_while(postgresql_database: str):
    opened = open_database(postgresql_database)
    away = replace(opened, engine=create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere"), patience_s=0.3)
    for ask in (
        lambda: away.write(lambda _: None),
        lambda: SqlRecord(database=away, clock=SystemClock(), actor="a").runs(),
    ):
        begun = time.monotonic()
        with pytest.raises(RecordError):
            ask()
        assert 0.05 < time.monotonic() - begun < 5
    opened.close()


def test_a_cut_connection_is_noticed_within_seconds_unless_the_operator_says_otherwise(postgresql_database: str):
    """The server's half can be seen over TCP only, where its answer is not zero."""
    opened = open_database(f"{postgresql_database}&keepalives_idle=30")
    with opened.engine.connect() as connection:
        asked = connection.connection.driver_connection.info.get_parameters()
    opened.close()
    wanted = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    assert [asked.get(name) for name in wanted] == ["30", "1", "3", "5000"]
    assert "-c tcp_keepalives_count=3 -c tcp_user_timeout=5000" in asked["options"]


def entries(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        found = connection.execute(text("SELECT queueing_lock, status::text FROM procrastinate_jobs ORDER BY id"))
        return [(row.queueing_lock, row.status) for row in found]


def workers(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM procrastinate_workers")).scalar_one())


def holds_until(database: Database) -> float:
    with database.reading() as connection:
        return float(connection.execute(text("SELECT max(lease_until) FROM holds")).scalar_one())

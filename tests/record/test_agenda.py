"""What every agenda promises. Another implementation joins by one more parameter of `agenda_url`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.effects import agenda as agendas
from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.effects.database import Database
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import Conflict
from orchestrator.ports import Agenda, Due

NET, APP = "acme/net@prod", "acme/app@prod"
CHILD = Path(__file__).with_name("child_holds.py")
NOW = 1_000_000.0


def due(stack: str = NET, *, track: str = "main", at: float = NOW, why: str = "a commit", priority: int = 10) -> Due:
    return Due(stack=stack, track=track, at=at, why=why, priority=priority)


#: What every implementation has beside the port: a holder of its own, a lease, and an end.
AnAgenda = LocalAgenda | ProcrastinateAgenda


@pytest.fixture(params=["embedded on sqlite", "procrastinate on postgresql"])
def agenda_url(request: pytest.FixtureRequest) -> str:
    name = "sqlite_url" if request.param.endswith("sqlite") else "postgresql_database"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def open_agenda(agenda_url: str, clock) -> Iterator[Callable[[], AnAgenda]]:
    opened: list[AnAgenda] = []

    def build() -> AnAgenda:
        opened.append(agendas.open_agenda(open_database(agenda_url, busy_s=30), clock))
        return opened[-1]

    yield build
    for one in opened:
        one.close()
        one.database.close()


@pytest.fixture
def agenda(open_agenda: Callable[[], Agenda]) -> Agenda:
    return open_agenda()


@contextmanager
def other_process(url: str, verb: str, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that has done ``verb`` and waits; with the first word it said."""
    argv = [sys.executable, str(CHILD), url, verb, *more]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            yield child, child.stdout.readline().strip()
        finally:
            child.kill()
            child.send_signal(signal.SIGCONT)


def test_an_empty_agenda_has_nothing_to_take(agenda: Agenda):
    assert agenda.take(NOW) is None
    assert agenda.waiting() == ()


def test_what_is_not_due_yet_is_not_taken(agenda: Agenda):
    agenda.nudge(due(at=NOW + 1))
    assert agenda.take(NOW) is None
    assert agenda.take(NOW + 1) == due(at=NOW + 1)


def test_the_most_urgent_goes_first_and_then_what_came_due_first(agenda: Agenda, clock):
    clock.at = NOW - 1000
    agenda.nudge(due("a/drift@p", at=NOW - 100, priority=20))
    agenda.nudge(due("a/plan@p", at=NOW - 5, priority=10))
    agenda.nudge(due("a/older-plan@p", at=NOW - 50, priority=10))
    agenda.nudge(due("a/apply@p", at=NOW, priority=0))
    clock.at = NOW
    agenda.nudge(due("a/newest-plan@p", priority=10))
    taken = [one.stack for _ in range(5) if (one := agenda.take(NOW))]
    assert taken == ["a/apply@p", "a/older-plan@p", "a/plan@p", "a/newest-plan@p", "a/drift@p"]
    assert agenda.take(NOW) is None


def test_a_nudge_pulls_forward_and_never_pushes_back(agenda: Agenda):
    agenda.nudge(due(at=NOW + 100, why="drift", priority=20))
    agenda.nudge(due(at=NOW + 50, why="a commit", priority=10))
    agenda.nudge(due(at=NOW + 500, why="later", priority=0))
    assert agenda.waiting() == (due(at=NOW + 50, why="a commit", priority=10),)


def test_a_persons_yes_makes_what_is_overdue_more_urgent(agenda: Agenda):
    agenda.nudge(due(at=NOW - 3600, why="drift", priority=20))
    agenda.nudge(due(at=NOW, why="approved", priority=0))
    assert agenda.waiting() == (due(at=NOW - 3600, why="approved", priority=0),)


def test_a_hundred_nudges_are_one_row(agenda: Agenda):
    for second in range(100):
        agenda.nudge(due(at=NOW + second))
    assert agenda.waiting() == (due(),)


def test_two_tracks_of_one_stack_are_two_rows_and_never_worked_side_by_side(agenda: Agenda):
    agenda.nudge(due(track="main"))
    agenda.nudge(due(track="pr-7"))
    first = agenda.take(NOW)
    assert first
    assert agenda.take(NOW) is None
    agenda.rest(replace(first, at=NOW + 60))
    second = agenda.take(NOW)
    assert second
    assert {first.track, second.track} == {"main", "pr-7"}


def test_rest_gives_the_row_back_with_its_next_date(agenda: Agenda):
    agenda.nudge(due())
    taken = agenda.take(NOW)
    assert taken
    agenda.rest(replace(taken, at=NOW + 3600, why="drift", priority=20))
    assert agenda.waiting() == (due(at=NOW + 3600, why="drift", priority=20),)
    assert agenda.take(NOW) is None
    assert agenda.take(NOW + 3600)


def test_a_nudge_while_it_is_worked_on_is_not_lost(agenda: Agenda):
    agenda.nudge(due(at=NOW - 10))
    taken = agenda.take(NOW)
    assert taken
    agenda.nudge(due(at=NOW + 5, why="another commit"))
    agenda.rest(replace(taken, at=NOW + 3600, why="drift", priority=20))
    assert agenda.waiting() == (due(at=NOW + 5, why="another commit"),)


def test_resting_a_row_that_was_never_taken_only_pulls_it_forward(agenda: Agenda):
    agenda.rest(due(at=NOW + 100))
    agenda.rest(due(at=NOW + 900))
    assert agenda.waiting() == (due(at=NOW + 100),)


def test_a_held_stack_is_not_taken_and_the_next_one_is(agenda: Agenda, open_agenda: Callable[[], Agenda]):
    agenda.nudge(due(NET, priority=0))
    agenda.nudge(due(APP))
    with open_agenda().hold(NET):
        taken = agenda.take(NOW)
        assert taken
        assert taken.stack == APP
    assert agenda.take(NOW) == due(NET, priority=0)


def test_a_held_stack_cannot_be_held_again_and_the_holder_is_named(agenda: Agenda):
    with agenda.hold(NET), pytest.raises(Conflict) as refused, agenda.hold(NET):
        pass
    assert refused.value.code == "HF-4203"
    assert f"process {os.getpid()} on " in refused.value.message
    with agenda.hold(NET):
        pass


def test_a_hold_ends_with_its_block_even_when_that_fails(agenda: Agenda):
    with pytest.raises(ZeroDivisionError), agenda.hold(NET):
        raise ZeroDivisionError
    with agenda.hold(NET):
        pass


def test_whoever_took_a_row_may_enter_its_hold_once(agenda: Agenda):
    agenda.nudge(due())
    taken = agenda.take(NOW)
    assert taken
    with agenda.hold(NET), pytest.raises(Conflict), agenda.hold(NET):
        pass
    # Left, and still taken: a second block may follow, and nobody else gets in between.
    with agenda.hold(NET):
        agenda.rest(replace(taken, at=NOW + 60))
        with pytest.raises(Conflict), agenda.hold(NET):
            pass
    with agenda.hold(NET):
        pass


def test_waiting_ends_at_once_where_something_is_due_and_late_where_nothing_is(agenda: Agenda):
    assert waited(agenda, 0.2) >= 0.2
    agenda.nudge(due(at=NOW + 100))
    assert waited(agenda, 0.2) >= 0.2
    agenda.nudge(due())
    assert waited(agenda, 30.0) < 15


def test_nobody_is_woken_for_what_somebody_holds(agenda: Agenda, open_agenda: Callable[[], Agenda]):
    agenda.nudge(due())
    with open_agenda().hold(NET):
        assert waited(agenda, 0.2) >= 0.2
    assert waited(agenda, 30.0) < 15
    assert agenda.take(NOW)
    assert waited(agenda, 0.2) >= 0.2


def test_whoever_waits_is_woken_by_a_nudge_and_by_a_stack_that_is_given_back(
    agenda: Agenda, open_agenda: Callable[[], Agenda]
):
    other = open_agenda()
    with ThreadPoolExecutor(2) as pool:
        for track in ("one", "two"):
            woken = [pool.submit(waited, one, 60.0) for one in (agenda, open_agenda())]
            other.nudge(due(track=track))
            assert max(one.result() for one in woken) < 30
            taken = agenda.take(NOW)
            assert taken
            agenda.rest(replace(taken, at=NOW + 1000))
        with other.hold(NET):
            agenda.nudge(due())
            woken = [pool.submit(waited, agenda, 60.0)]
        assert woken[0].result() < 30


def test_eight_threads_that_wait_on_one_agenda_are_all_woken(agenda: Agenda, open_agenda: Callable[[], Agenda]):
    with ThreadPoolExecutor(8) as pool:
        brief = pool.submit(waited, agenda, 0.1)
        woken = [pool.submit(waited, agenda, 60.0) for _ in range(7)]
        assert brief.result() < 30
        open_agenda().nudge(due())
        assert max(one.result() for one in woken) < 30


def test_whoever_waits_is_woken_by_the_death_of_a_holder(agenda_url: str, agenda: Agenda):
    agenda.nudge(due())
    with other_process(agenda_url, "hold", NET) as (child, said), ThreadPoolExecutor(1) as pool:
        assert said == "held"
        woken = pool.submit(waited, agenda, 60.0)
        child.kill()
        assert woken.result() < 30
    assert agenda.take(NOW)


def waited(agenda: Agenda, timeout_s: float) -> float:
    begun = time.monotonic()
    agenda.wait(timeout_s)
    return time.monotonic() - begun


def test_eight_takers_never_take_the_same_row(open_agenda: Callable[[], Agenda]):
    first = open_agenda()
    for number in range(40):
        first.nudge(due(f"a/s{number}@p"))

    def drain(_: int) -> list[str]:
        own, mine = open_agenda(), []
        while taken := own.take(NOW):
            mine.append(taken.stack)
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [stack for mine in pool.map(drain, range(8)) for stack in mine]
    assert sorted(taken) == sorted(f"a/s{number}@p" for number in range(40))


def test_two_processes_that_race_for_a_stack_never_overlap(agenda_url: str, agenda: Agenda, tmp_path: Path):
    more = (NET, str(tmp_path), "40")
    with other_process(agenda_url, "race", *more) as (one, _), other_process(agenda_url, "race", *more) as (two, _):
        for child in (one, two):
            assert child.stdin
            child.stdin.write("go\n")
            child.stdin.flush()
        said = [child.communicate()[0].split() for child in (one, two)]
    assert said == [["held", "40"]] * 2


def test_a_killed_holder_is_replaced_at_once(agenda_url: str, agenda: Agenda):
    with other_process(agenda_url, "hold", NET) as (child, said):
        assert said == "held"
        with pytest.raises(Conflict, match=f"process {child.pid} on "), agenda.hold(NET):
            pass
        child.kill()
        # Not yet waited for: a zombie holds nothing either.
        until(lambda: can_hold(agenda, NET))


def test_a_stopped_holder_is_alive_and_keeps_its_hold(agenda_url: str, agenda: Agenda, clock):
    with other_process(agenda_url, "hold", NET) as (child, _):
        child.send_signal(signal.SIGSTOP)
        until(lambda: state_of(child.pid) == "T")
        clock.at = time.time() + 10 * 365 * 86400
        assert not can_hold(agenda, NET)
        child.send_signal(signal.SIGCONT)
        child.communicate("end\n")
    assert can_hold(agenda, NET)


def test_what_a_killed_taker_had_taken_is_due_at_once(agenda_url: str, agenda: Agenda):
    agenda.nudge(due(at=NOW - 10))
    with other_process(agenda_url, "take", NET) as (child, said):
        assert said == NET
        assert agenda.take(NOW) is None
        # What is asked for now may be far away; what was being done is not.
        agenda.nudge(due(at=NOW + 5000))
        assert agenda.take(NOW) is None
        child.kill()
        child.wait()
    taken = agenda.take(NOW)
    assert taken
    assert taken.stack == NET
    with agenda.hold(NET):
        pass


def test_it_is_counted_how_many_in_a_row_have_died_of_a_row_and_forgotten_once_one_gives_it_back(agenda, agenda_url):
    agenda.nudge(due())
    for _ in range(2):
        with other_process(agenda_url, "take", NET) as (child, said):
            assert said == NET
            child.kill()
            child.wait()
    taken = agenda.take(NOW)
    assert taken
    assert taken.deaths == 2
    agenda.rest(due(at=NOW))
    taken = agenda.take(NOW)
    assert taken
    assert taken.deaths == 0


def test_what_is_not_admitted_stays_for_whoever_has_a_place_for_it(open_agenda: Callable[[], AnAgenda]):
    here, there = open_agenda(), open_agenda()
    here.nudge(due(NET, priority=0), due(APP, priority=20))
    assert here.take(NOW, lambda one: False) is None
    taken = here.take(NOW, lambda one: one.stack == APP)
    assert taken
    assert taken.stack == APP
    taken = there.take(NOW)
    assert taken
    assert taken.stack == NET


def test_a_taker_that_was_replaced_cannot_give_back_what_it_lost(open_agenda: Callable[[], AnAgenda], clock):
    mine = open_agenda()
    elsewhere = replace(open_agenda(), me=replace(mine.me, host="far", boot_id="far"), lease_s=100.0)
    elsewhere.nudge(due())
    taken = elsewhere.take(NOW)
    assert taken
    clock.at += 100
    assert mine.take(clock.at) == replace(taken, deaths=1)
    elsewhere.rest(replace(taken, at=NOW + 9999))
    with pytest.raises(Conflict), elsewhere.hold(NET):
        pass
    assert mine.take(clock.at) is None, "still taken"
    mine.rest(replace(taken, at=clock.at + 50))
    assert mine.waiting()[0].at == clock.at + 50


def test_of_another_host_nothing_is_proven_before_its_lease_ends(open_agenda: Callable[[], AnAgenda], clock):
    mine = open_agenda()
    for far in (
        replace(mine.me, host="far", boot_id="far"),
        replace(mine.me, namespace="pid:[1]", pid=2**22 + 1),
    ):
        elsewhere = replace(open_agenda(), me=far, lease_s=100.0)
        with elsewhere.hold(NET):
            clock.at += 99.9
            assert not can_hold(mine, NET)
            clock.at += 0.2
            assert can_hold(mine, NET)


def test_a_holder_of_whom_nothing_is_proven_is_gone_once_somebody_says_so(open_agenda: Callable[[], AnAgenda]):
    mine = open_agenda()
    elsewhere = replace(open_agenda(), me=replace(mine.me, host="far", boot_id="far"))
    assert mine.doubtful(NET) == ""
    with elsewhere.hold(NET):
        assert mine.doubtful(NET) == f"process {mine.me.pid} on far"
        with pytest.raises(Conflict, match=f"holdfast resolve {NET}"), mine.hold(NET):
            pass
        with mine.hold(NET, doubted=True):
            assert mine.doubtful(NET) == ""
            with pytest.raises(Conflict), elsewhere.hold(NET):
                pass
    # What the other one leaves is not ours.
    with mine.hold(NET):
        pass


def test_a_living_holder_keeps_its_hold_whatever_somebody_says(agenda: AnAgenda, open_agenda):
    with open_agenda().hold(NET):
        assert agenda.doubtful(NET) == ""
        with pytest.raises(Conflict), agenda.hold(NET, doubted=True):
            pass


def test_a_reboot_ends_every_hold_of_its_host(open_agenda: Callable[[], AnAgenda]):
    mine = open_agenda()
    before = replace(open_agenda(), me=replace(mine.me, boot_id="before"))
    with before.hold(NET):
        assert can_hold(mine, NET)


def test_a_number_given_to_a_new_process_is_not_its_former_owner(open_agenda: Callable[[], AnAgenda]):
    mine = open_agenda()
    former = replace(open_agenda(), me=replace(mine.me, started=mine.me.started - 1))
    with former.hold(NET):
        assert can_hold(mine, NET)


def can_hold(agenda: Agenda, stack: str) -> bool:
    try:
        with agenda.hold(stack):
            return True
    except Conflict:
        return False


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"


@contextmanager
def another_keeps_writing(database: Database) -> Iterator[None]:
    """Somebody's transaction that does not end."""
    with database.engine.connect().execution_options(writes="full") as connection, connection.begin():
        lock_head(connection)
        yield


@pytest.fixture
def impatient(agenda_url: str, clock) -> Iterator[AnAgenda]:
    """An agenda that soon gives up waiting for another writer."""
    agenda = agendas.open_agenda(open_database(agenda_url, busy_s=5), clock)
    limited = open_database(agenda_url, busy_s=0.05)
    yield replace(agenda, database=limited)
    limited.close()
    agenda.database.close()


def test_what_came_of_the_work_is_not_lost_when_its_hold_cannot_be_left(
    impatient: AnAgenda, open_agenda: Callable[[], AnAgenda]
):
    other = open_agenda()

    def work() -> str:
        with impatient.hold(NET):
            busy.enter_context(another_keeps_writing(other.database))
            return "applied"

    with ExitStack() as busy:
        assert work() == "applied"
        with pytest.raises(Conflict) as refused, impatient.hold(APP):
            pass
        assert refused.value.code == "HF-4204"
    with impatient.hold(NET):
        pass


def test_an_error_is_not_replaced_by_that_of_leaving(impatient: AnAgenda, open_agenda: Callable[[], AnAgenda]):
    other = open_agenda()

    def work() -> None:
        with impatient.hold(NET):
            busy.enter_context(another_keeps_writing(other.database))
            raise ZeroDivisionError

    with ExitStack() as busy, pytest.raises(ZeroDivisionError):
        work()
    # Whatever is written next gives it back, to everybody.
    assert impatient.take(NOW) is None
    assert can_hold(other, NET)


def test_what_was_taken_and_could_not_be_left_can_be_entered_and_given_back(
    impatient: AnAgenda, open_agenda: Callable[[], AnAgenda]
):
    other = open_agenda()
    impatient.nudge(due())
    taken = impatient.take(NOW)
    assert taken
    for _ in range(2):
        with ExitStack() as busy, impatient.hold(NET):
            busy.enter_context(another_keeps_writing(other.database))
    impatient.rest(replace(taken, at=NOW + 60))
    assert can_hold(other, NET)

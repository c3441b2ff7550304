"""The record's promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event

from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_tables import events, stacks
from orchestrator.errors import Conflict, RecordError, UsageError
from orchestrator.model.event import ApplyStarted, GateLifted, GateSet, Moved, Planned, Returned, Vanished
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.observed import FOLD_VERSION, Looks, State

NET = "acme/net@prod"
FREEZE = Gate(kind=GateKind.FREEZE, why="the end of the year", selector="acme/*")


def test_a_stack_never_seen_has_an_empty_row(record: SqlRecord):
    assert record.row(NET).state == State()
    assert record.row(NET).looks == Looks()
    assert record.rows() == ()


def test_what_is_appended_is_read_back_and_folded(record: SqlRecord, planned: Planned):
    state = record.append(NET, [planned, Vanished(revision="r1")], expected=0, run=7)
    assert state.version == 2
    assert state.tracks["main"].proposal == planned.proposal
    assert record.row(NET).state == state
    entries = record.events(stack=NET)
    assert [(e.seq, e.version, e.run, e.actor, e.at) for e in entries] == [
        (1, 1, 7, "user:ana", 1_000_000.0),
        (2, 2, 7, "user:ana", 1_000_000.0),
    ]
    assert [e.event for e in entries] == [planned, Vanished(revision="r1")]


def test_whoever_expects_an_older_version_is_told_who_was_quicker(record: SqlRecord):
    record.append(NET, [Vanished(revision="r1")], expected=0, run=1)
    with pytest.raises(Conflict) as refused:
        record.append(NET, [Returned(revision="r2")], expected=0, run=2)
    assert refused.value.code == "HF-4200"
    assert refused.value.message == f"{NET} moved on: its record is at version 1 (vanished by user:ana), not 0"
    assert [e.run for e in record.events()] == [1]


def test_a_refused_append_leaves_nothing_of_itself(record: SqlRecord):
    with pytest.raises(Conflict):
        record.append(NET, [Vanished(revision="r1")] * 3, expected=5, run=1)
    assert record.events() == ()
    assert record.rows() == ()
    assert record.verify() is None


def test_appending_nothing_changes_nothing_but_still_checks_the_version(record: SqlRecord):
    assert record.append(NET, [], expected=0, run=1) == State()
    assert record.rows() == ()
    with pytest.raises(Conflict):
        record.append(NET, [], expected=1, run=1)


def test_a_renamed_stack_takes_its_state_along(record: SqlRecord, planned: Planned):
    old = record.append(NET, [planned], expected=0, run=1)
    new = record.append("acme/core@prod", [Moved(old=NET, new="acme/core@prod", state=old)], expected=0, run=1)
    assert new.tracks == old.tracks
    assert record.events(stack="acme/core@prod")[0].event == Moved(old=NET, new="acme/core@prod", state=old)
    assert record.row("acme/core@prod").state == new


def test_rows_are_sorted_and_can_be_those_of_one_source(record: SqlRecord):
    for key in ("shop/web@prod", "acme/net@prod", "acme/app@prod"):
        record.append(key, [Vanished(revision="r")], expected=0, run=1)
    record.set_gate(FREEZE, run=0)
    assert [row.key for row in record.rows()] == ["acme/app@prod", "acme/net@prod", "shop/web@prod"]
    assert [row.key for row in record.rows("acme")] == ["acme/app@prod", "acme/net@prod"]
    assert record.versions("acme") == {row.key: row.state.version for row in record.rows("acme")}


def test_a_look_changes_the_row_and_appends_nothing(record: SqlRecord):
    record.append(NET, [Vanished(revision="r")], expected=0, run=1)
    looks = Looks(planned_at=1.5, drift_at=2.25, revision="r", fingerprint="f")
    record.look(NET, looks)
    record.look("acme/new@prod", looks)
    assert record.row(NET).looks == looks
    assert record.row(NET).state.version == 1
    assert record.row("acme/new@prod").looks == looks
    assert len(record.events()) == 1
    assert record.append("acme/new@prod", [Vanished(revision="r")], expected=0, run=1).version == 1
    assert record.row("acme/new@prod").looks == looks


def test_events_are_read_by_run_after_a_cursor_and_with_a_limit(record: SqlRecord):
    for run, key in enumerate(("a/x@p", "a/y@p", "a/x@p", "a/y@p"), start=1):
        record.append(key, [Vanished(revision=str(run))], expected=(run - 1) // 2, run=run % 2)
    assert [e.seq for e in record.events(run=1)] == [1, 3]
    assert [e.seq for e in record.events(stack="a/y@p")] == [2, 4]
    assert [e.seq for e in record.events(after=1, limit=2)] == [2, 3]


def test_runs_are_numbered_ended_once_and_listed_newest_first(record: SqlRecord, clock):
    first = record.open_run(trigger="cli", verb="plan", actor="user:ana", revision="r1")
    second = record.open_run(trigger="service", verb="apply", actor="service", revision="r2")
    assert (first.number, second.number) == (1, 2)
    clock.at += 5
    record.close_run(1)
    clock.at += 5
    record.close_run(1)
    assert record.run(1) == replace(first, ended_at=1_000_005.0)
    assert record.runs(limit=1) == (second,)
    assert record.run(3) is None


def test_a_gate_has_a_number_and_stands_until_it_is_lifted(record: SqlRecord):
    assert record.gates() == (0, ())
    closed = record.set_gate(FREEZE, run=3)
    assert closed == replace(FREEZE, id=1, since=1_000_000.0, who="user:ana")
    assert record.gates() == (1, (closed,))
    record.lift_gate(1, by="user:ben", reason="over", run=4)
    assert record.gates() == (2, ())
    record.lift_gate(1, by="user:ben", reason="again", run=5)
    assert record.gates() == (2, ())
    assert record.set_gate(FREEZE, run=6).id == 2
    assert [e.event for e in record.events(stack="*")][:2] == [
        GateSet(gate=closed),
        GateLifted(gate=1, by="user:ben", reason="over"),
    ]


def test_a_gate_that_never_was_cannot_be_lifted(record: SqlRecord):
    with pytest.raises(UsageError, match="there is no gate 7"):
        record.lift_gate(7, by="user:ben", reason="", run=1)


def test_an_apply_decided_on_older_gates_is_refused(record: SqlRecord, apply_started: ApplyStarted):
    version, _ = record.gates()
    record.set_gate(FREEZE, run=1)
    with pytest.raises(Conflict) as refused:
        record.append(NET, [apply_started], expected=0, run=1, gates=version)
    assert refused.value.code == "HF-4202"
    assert record.row(NET).state.applying is None
    assert record.append(NET, [apply_started], expected=0, run=1, gates=version + 1).applying


def test_no_apply_starts_after_a_freeze_was_acknowledged(
    record: SqlRecord, open_record: Callable[..., SqlRecord], apply_started: ApplyStarted
):
    """Four racers start attempt after attempt while a fifth closes a gate: none gets in behind it."""
    go = threading.Barrier(5)

    def race(part: int) -> str:
        own = open_record()
        version, _ = own.gates()
        go.wait()
        for number in range(10_000):
            try:
                own.append(f"a/s{part}-{number}@p", [apply_started], expected=0, run=1, gates=version)
            except Conflict as late:
                return late.code
        return "never refused"

    def freeze() -> int:
        own = open_record()
        go.wait()
        while len(own.events(limit=20)) < 20:
            pass
        own.set_gate(FREEZE, run=9)
        # What is recorded when set_gate has returned is all that may ever be.
        return sum(isinstance(e.event, ApplyStarted) for e in own.events(limit=100_000))

    with ThreadPoolExecutor(5) as pool:
        racers = [pool.submit(race, part) for part in range(4)]
        acknowledged = pool.submit(freeze).result()
        ends = {one.result() for one in racers}
    started = [e for e in record.events(limit=100_000) if isinstance(e.event, ApplyStarted)]
    assert ends == {"HF-4202"}
    assert len(started) == acknowledged


def test_eight_writers_on_one_stack_leave_no_gap_and_no_double(
    record: SqlRecord, open_record: Callable[..., SqlRecord]
):
    def write(who: int) -> int:
        own, lost, version = open_record(f"writer:{who}"), 0, 0
        for number in range(10):
            while True:
                try:
                    version = own.append(NET, [Vanished(revision=f"{who}-{number}")], expected=version, run=who).version
                    break
                except Conflict:
                    lost += 1
                    version = own.row(NET).state.version
        return lost

    with ThreadPoolExecutor(8) as pool:
        lost = sum(pool.map(write, range(8)))
    entries = record.events(stack=NET)
    assert [e.version for e in entries] == list(range(1, 81))
    assert [e.seq for e in entries] == list(range(1, 81))
    assert len({e.event.revision for e in entries if isinstance(e.event, Vanished)}) == 80
    assert record.row(NET).state.version == 80
    assert lost > 0, "nobody was ever late: the race did not happen"
    assert record.verify() is None


def test_the_key_is_made_with_the_record_and_stays(record: SqlRecord, open_record: Callable[..., SqlRecord]):
    assert len(record.key()) == 32
    assert open_record().key() == record.key()


def test_a_derivation_is_remembered_and_replaced(record: SqlRecord):
    assert record.remembered("layout", "k") is None
    record.remember("layout", {"k": {"a": [1, None, "ü"]}})
    record.remember("layout", {"k": {"a": 2.5}, "l": None})
    record.remember("other", {"k": "x"})
    record.remember("other", {})
    assert record.remembered("layout", "k") == {"a": 2.5}
    assert record.remembered("other", "k") == "x"
    assert record.recollect("layout") == {"k": {"a": 2.5}}
    record.remember("layout", {"k": None})
    assert record.recollect("layout") == {}
    assert record.recollect("nothing") == {}


def test_text_that_databases_trip_over_comes_back_as_it_was(record: SqlRecord):
    odd = "nul \0, lone \udce9, quote ', emoji 🙂, line\nend"
    record.append(NET, [Vanished(revision=odd)], expected=0, run=1)
    assert record.events()[0].event == Vanished(revision=odd)
    assert record.verify() is None


def test_a_snapshot_of_another_fold_is_made_anew_from_the_events(
    record: SqlRecord, database: Database, planned: Planned
):
    state = record.append(NET, [planned, Vanished(revision="r")], expected=0, run=1)
    database.write(
        lambda c: c.execute(stacks.update().values(fold_version=FOLD_VERSION - 1, state='{"version": 2, "old": 1}'))
    )
    assert record.row(NET).state == state
    assert record.rows()[0].state == state
    with database.reading() as connection:
        assert connection.execute(stacks.select()).mappings().one()["fold_version"] == FOLD_VERSION


@pytest.mark.parametrize("damaged", ["{not json", "[]", '{"tracks": 3}', '{"applied": {"at": 1}}'])
def test_a_damaged_snapshot_is_made_anew_from_the_events(record: SqlRecord, database: Database, damaged: str):
    state = record.append(NET, [Vanished(revision="r")], expected=0, run=1)
    database.write(lambda c: c.execute(stacks.update().values(state=damaged)))
    assert record.row(NET).state == state
    assert record.append(NET, [Returned(revision="r")], expected=1, run=1).version == 2


def test_an_event_of_a_newer_release_is_said_and_not_guessed(record: SqlRecord, database: Database):
    record.append(NET, [Vanished(revision="r")], expected=0, run=1)
    database.write(lambda c: c.execute(events.update().values(body='{"kind": "teleported"}')))
    with pytest.raises(RecordError) as refused:
        record.events()
    assert refused.value.code == "HF-4302"


def test_pruning_keeps_the_state_the_chain_and_the_numbers(
    record: SqlRecord, database: Database, planned: Planned, clock
):
    record.append(NET, [planned], expected=0, run=1)
    record.append("acme/app@prod", [Vanished(revision="r0")], expected=0, run=1)
    clock.at += 100
    state = record.append(NET, [Vanished(revision="r1")], expected=1, run=2)
    assert record.prune(before=clock.at) == 2
    assert [e.seq for e in record.events()] == [3]
    assert record.verify() is None
    assert record.row(NET).state == state
    database.write(lambda c: c.execute(stacks.update().values(fold_version=0)))
    assert record.row(NET).state == state
    assert record.append("acme/app@prod", [Returned(revision="r2")], expected=1, run=3).version == 2
    clock.at += 100
    assert record.prune(before=clock.at) == 2
    assert record.prune(before=clock.at) == 0
    assert record.append(NET, [Returned(revision="r2")], expected=2, run=3).version == 3
    assert [e.seq for e in record.events()] == [5]
    assert record.verify() is None


@contextmanager
def between_two_statements(record: SqlRecord, meddle: Callable[[], object], *, first: str) -> Iterator[None]:
    """Have somebody else write once, just after ``record`` has read the column ``first``."""
    waiting = [meddle]

    def meddle_once(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if waiting and statement.startswith(f"SELECT {first}"):
            waiting.pop()()

    event.listen(record.database.engine, "after_cursor_execute", meddle_once)
    yield
    event.remove(record.database.engine, "after_cursor_execute", meddle_once)
    assert not waiting, "nothing was read"


def test_a_gate_that_is_closed_while_gates_are_read_is_in_both_answers_or_in_neither(
    record: SqlRecord, open_record: Callable[..., SqlRecord], apply_started: ApplyStarted
):
    other = open_record()
    with between_two_statements(record, lambda: other.set_gate(FREEZE, run=1), first="gates.body"):
        version, gates = record.gates()
    assert (version, len(gates)) in {(0, 0), (1, 1)}
    # An apply that was decided without the gate does not start behind it.
    with pytest.raises(Conflict) as refused:
        record.append(NET, [apply_started], expected=0, run=1, gates=version)
    assert refused.value.code == "HF-4202"


def test_a_state_that_is_folded_while_its_entries_are_pruned_lacks_none_of_them(
    record: SqlRecord, open_record: Callable[..., SqlRecord], database: Database, planned: Planned, clock
):
    other = open_record()
    state = record.append(NET, [planned, Vanished(revision="r")], expected=0, run=1)
    database.write(lambda c: c.execute(stacks.update().values(fold_version=0)))
    clock.at += 100
    with between_two_statements(record, lambda: other.prune(before=clock.at), first="stacks.ground"):
        assert record.row(NET).state == state
    database.write(lambda c: c.execute(stacks.update().values(fold_version=0)))
    assert record.row(NET).state == state

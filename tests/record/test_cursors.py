"""How far each reader has come is kept with the record, and of many services that share one a single one reads."""

from __future__ import annotations

import time

import pytest

from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.cursors import RecordCursors
from orchestrator.errors import Conflict
from orchestrator.ports import Spot
from orchestrator.report import reading

WEB = "infra/web@default"


@pytest.fixture
def cursors(database) -> RecordCursors:
    return RecordCursors(database=database)


def test_a_new_reader_begins_at_the_end_and_goes_on_where_it_was(record, cursors, planned):
    record.append(WEB, [planned], expected=0, run=1)
    head = record.head()
    assert cursors.begin("chat") == (Spot(head.seq, head.digest), True)
    record.append(WEB, [planned], expected=1, run=1)
    assert cursors.begin("chat") == (Spot(head.seq, head.digest), False)
    cursors.keep("chat", Spot(2, record.head().digest))
    assert cursors.begin("chat")[0].number == 2
    assert cursors.at("mail") is None
    # The chain has marks beside these, which no name of a reader can move.
    cursors.keep("chain", Spot(99))
    assert (record.head().seq, record.verify()) == (2, None)


def test_a_reader_of_an_empty_record_misses_nothing(record, cursors, planned):
    assert cursors.begin("chat") == (Spot(0), True)
    record.append(WEB, [planned], expected=0, run=1)
    assert cursors.begin("chat") == (Spot(0), False)


def test_a_reader_that_is_behind_what_was_pruned_goes_on(record, cursors, planned, clock):
    record.append(WEB, [planned], expected=0, run=1)
    spot, _ = cursors.begin("chat")
    clock.at += 100
    record.append(WEB, [planned, planned], expected=1, run=1)
    record.prune(clock.at + 1)
    assert cursors.begin("chat") == (spot, False)


def test_an_entry_that_is_not_the_one_that_was_read_begins_anew(record, cursors, planned):
    record.append(WEB, [planned], expected=0, run=1)
    cursors.keep("chat", Spot(1, "of another record"))
    assert cursors.begin("chat") == (Spot(1, record.head().digest), True)


class Counting(reading.Reading):
    """Counts its turns."""

    def __init__(self, *words, **more) -> None:
        super().__init__(*words, **more)
        self.turns = 0

    def turn(self) -> None:
        self.turns += 1


class Silent:
    """A journal that nobody reads."""

    def say(self, *_: object, **__: object) -> None:
        """Say nothing."""


def test_of_two_services_one_reads_and_the_other_takes_over(database, open_record, clock, monkeypatch):
    monkeypatch.setattr(reading, "_LATER_S", 0.02)
    agendas = [open_agenda(one, clock) for one in (database, open_record().database)]

    def alone(agenda):
        return lambda name: agenda.hold(f"report/{name}")

    one, other = (Counting("chat", Silent(), alone=alone(agenda), poll_s=0.01) for agenda in agendas)
    one.start()
    wait(lambda: one.turns > 2)
    with pytest.raises(Conflict), agendas[1].hold("report/chat"):
        pass
    other.start()
    assert other.turns == 0
    assert one.stop(10)
    wait(lambda: other.turns > 2)
    assert other.stop(10)
    for agenda in agendas:
        agenda.close()


def wait(holds) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)

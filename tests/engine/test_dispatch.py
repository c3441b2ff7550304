"""The service's loop: what is due is worked, side by side and within limits, and nobody's trouble is another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from ticking import Crash
from world import SOURCE, World

from orchestrator.engine.dispatch import Dispatch
from orchestrator.engine.post import Post, Posts, row_of
from orchestrator.engine.tending import Halt, Tender
from orchestrator.engine.watching import sight_of
from orchestrator.errors import RecordError, SourceUnreachable
from orchestrator.model.workers import Limit, Workers
from orchestrator.ports import Due, Level
from orchestrator.rules.pace import ALONE_S


class Said:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[Level, str, dict[str, object]]] = []

    def say(self, level: Level, what: str, **about: object) -> None:
        self.lines.append((level, what, about))

    def of(self, what: str) -> list[dict[str, object]]:
        return [about for _, said, about in self.lines if said == what]


class Loop:
    """A loop in a world of values."""

    def __init__(self, world: World) -> None:
        self.world, self.said, self.halt = world, Said(), Halt()
        self.posts = Posts([Post(source=replace(SOURCE, every_s=60.0), outside=world.outside)])
        self.dispatch = Dispatch(self.posts, world.outside.agenda, world, self.said)
        self.tender = Tender(self.posts, self.halt, on_action=self.dispatch.notice)
        self.stopping = threading.Event()

    @contextmanager
    def turning(self) -> Iterator[None]:
        turn = (self.tender, self.stopping, lambda: None)
        thread = threading.Thread(target=self.dispatch.run, args=turn)
        self.dispatch.begin()
        thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            thread.join(10)
            self.dispatch.drain(self.halt, 5.0, lambda: None)

    def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, self.said.lines
            time.sleep(0.005)

    def rested(self, stack: str) -> Callable[[], object]:
        return lambda: [one for one in self.said.of("at rest") if one["stack"] == f"infra/{stack}@default"]


@pytest.fixture
def world(tmp_path) -> World:
    made = World(tmp_path)
    made.commit({"web/objects": "a=1", "db/objects": "b=1"}, {"web": {}, "db": {}})
    return made


@pytest.fixture
def loop(world: World) -> Loop:
    return Loop(world)


def test_every_stack_of_a_source_is_worked_and_comes_due_again(loop: Loop) -> None:
    with loop.turning():
        loop.until(loop.rested("web"))
        loop.until(loop.rested("db"))
        loop.until(lambda: not loop.dispatch.pulse.working)
    now = loop.world.now()
    assert {one.stack for one in loop.world.outside.agenda.waiting()} == {
        row_of("infra"),
        "infra/web@default",
        "infra/db@default",
    }
    assert all(now < one.at < now + 7 * 3600 for one in loop.world.outside.agenda.waiting())


def test_a_stack_at_rest_opens_no_run_and_appends_nothing(loop: Loop) -> None:
    with loop.turning():
        loop.until(loop.rested("web"))
        loop.until(loop.rested("db"))
        loop.until(lambda: not loop.dispatch.pulse.working)
        runs, entries = len(loop.world.record.runs()), len(loop.world.record.events())
        loop.world.outside.agenda.nudge(Due(stack="infra/web@default", track="main", at=loop.world.now(), why="look"))
        loop.until(lambda: all(one.at > loop.world.now_ for one in loop.world.outside.agenda.waiting()))
    assert (len(loop.world.record.runs()), len(loop.world.record.events())) == (runs, entries)


def test_a_source_that_cannot_be_read_is_said_and_tried_again_later(world: World, monkeypatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise SourceUnreachable("no route", hint="")

    monkeypatch.setattr(world, "read", unreachable)
    world.restart()
    loop = Loop(world)
    with loop.turning():
        loop.until(lambda: loop.said.of("a source cannot be read"))
        loop.until(lambda: not loop.dispatch.pulse.working)
    sight = sight_of(loop.world.record, "infra")
    assert (sight.silent, sight.failures, sight.read_at) == (True, 1, 0.0)
    (row,) = loop.world.outside.agenda.waiting()
    assert row.at > loop.world.now_ + 30


def test_what_nobody_foresaw_of_one_stack_costs_the_others_nothing(loop: Loop) -> None:
    agenda = loop.world.outside.agenda
    loop.world.broken["inputs"] = MemoryError()
    with loop.turning():
        loop.until(lambda: sum("HF-9002" in one.why for one in agenda.waiting()) == 2)
        del loop.world.broken["inputs"]
        # Nobody tells that it is mended: they are looked at again by themselves.
        assert all(one.at < loop.world.now_ + 400 for one in agenda.waiting())
        loop.world.now_ += 400
        loop.until(loop.rested("web"))
        loop.until(loop.rested("db"))


def test_what_every_worker_dies_of_is_left_alone_for_an_hour_and_says_why(loop: Loop) -> None:
    loop.world.outside.record.look(
        row_of("infra"), replace(loop.world.record.row("x").looks, revision=loop.world.revision)
    )
    due = Due(stack="infra/web@default", track="main", at=loop.world.now(), why="", deaths=3)
    tended = loop.tender.tend(due)
    assert tended.next.at >= loop.world.now_ + ALONE_S - 1
    (gate,) = loop.world.record.gates()[1]
    assert "died, 3 times in a row" in gate.why
    assert not loop.world.cloud.ledger
    assert loop.tender.tend(replace(due, stack="infra/db@default", deaths=2)).did


def test_no_more_than_allowed_is_worked_at_once(world: World) -> None:
    stacks = {f"s{n}": {} for n in range(6)}
    world.commit({f"{name}/objects": "a=1" for name in stacks}, stacks)
    loop, most, gate = Loop(world), 0, threading.Semaphore(0)
    loop.dispatch.workers = Workers(count=4, limits=(Limit(stacks="infra/*", at_once=2),))
    tend = loop.tender.tend

    def counted(due: Due):
        nonlocal most
        most = max(most, sum(one.due.stack.startswith("infra/") for one in loop.dispatch.pulse.working))
        gate.acquire(timeout=10)
        return tend(due)

    loop.tender.tend = counted
    with loop.turning():
        loop.until(lambda: sum(one.due.stack.startswith("infra/") for one in loop.dispatch.pulse.working) == 2)
        for _ in stacks:
            gate.release()
        for name in stacks:
            loop.until(loop.rested(name))
    assert most == 2


def test_an_agenda_out_of_reach_is_said_once_and_what_was_taken_is_given_back_when_it_is_back(
    loop: Loop, monkeypatch
) -> None:
    agenda, away = loop.world.outside.agenda, threading.Event()
    kind = type(agenda)
    take, rest = kind.take, kind.rest

    def maybe(method):
        def call(self, *arguments, **named):
            if away.is_set():
                raise RecordError("gone")
            return method(self, *arguments, **named)

        return call

    monkeypatch.setattr(kind, "take", maybe(take))
    monkeypatch.setattr(kind, "rest", maybe(rest))
    tend = loop.tender.tend

    def tend_and_lose(due: Due):
        away.set()
        return tend(due)

    loop.tender.tend = tend_and_lose
    with loop.turning():
        loop.until(lambda: loop.said.of("the agenda cannot be reached"))
        assert not loop.dispatch.pulse.hears
        loop.tender.tend = tend
        away.clear()
        loop.until(loop.rested("web"))
        loop.until(loop.rested("db"))
        loop.until(lambda: not loop.dispatch.pulse.working)
        assert loop.dispatch.pulse.hears


def test_an_attempt_of_a_stack_that_left_its_source_is_settled_all_the_same(world: World) -> None:
    world.settle("db")
    world.commit({"web/objects": "a=1", "db/objects": "b=1 c=2"})
    world.cloud.dies_after = "infra/db@default:c"
    with suppress(Crash):
        world.settle("db")
    world.restart()
    assert world.state("db").applying
    world.commit({"web/objects": "a=1"}, {"web": {}})
    loop = Loop(world)
    with loop.turning():
        loop.until(loop.rested("web"))
        world.outside.agenda.nudge(Due(stack="infra/db@default", track="main", at=world.now(), why="look"))
        loop.until(lambda: not world.state("db").applying)
    assert world.state("db").unknown

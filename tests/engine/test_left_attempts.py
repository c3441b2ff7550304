"""What a killed or cut off worker left at work on its host is seen to by that host, whoever the agenda gives it to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from test_record_away import GoingAway
from ticking import Crash
from world import AUTO, SOURCE, World

from orchestrator.engine.post import Post, Posts
from orchestrator.engine.tending import Halt, Tender
from orchestrator.model.action import Reason
from orchestrator.model.observed import Looks
from orchestrator.model.stack import MAIN
from orchestrator.ports import Due

WEB = "infra/web@default"


def tender(world: World) -> Tender:
    return Tender(Posts([Post(source=SOURCE, outside=world.outside)]), Halt())


def due(world: World) -> Due:
    return Due(stack=WEB, track=MAIN, at=world.now(), why="a commit", priority=10)


def laid(home: Path) -> World:
    made = World(home, AUTO)
    made.commit({"web/objects": "a=1"})
    made.record.look("source:infra", Looks(revision=made.revision))
    return made


@pytest.fixture
def world(tmp_path) -> World:
    return laid(tmp_path)


@pytest.fixture
def left(tmp_path) -> World:
    """A world whose worker was killed once its attempt had begun."""
    for at in range(1, 100):
        home = tmp_path / str(at)
        home.mkdir()
        made = laid(home)
        made.effects.count, made.effects.crash_at = 0, at
        with suppress(Crash):
            tender(made).tend(due(made))
        made.restart()
        if made.state().applying:
            made.effects.crash_at = None
            return made
        made.record.database.close()
    raise AssertionError("no crash left an attempt")


def test_another_host_that_comes_across_it_looks_again_within_minutes(left: World) -> None:
    left.doubt_ = "it ran on far, this is here"
    tended = tender(left).tend(due(left))
    assert tended.rest
    assert tended.rest.reason is Reason.APPLYING
    assert tended.next.at - left.now() < 120


def test_its_own_host_finds_it_when_it_begins_anew_and_needs_nobody_to_be_given_it(left: World) -> None:
    back = tender(left)
    back.recall()
    (found,) = back.left(left.now())
    assert found.stack == WEB
    assert back.tend(found).rest.reason is Reason.CONVERGED
    assert back.left(float("inf")) == []
    assert left.state().applying is None


def test_another_host_recalls_nothing_of_it(left: World) -> None:
    left.doubt_ = "it ran on far, this is here"
    other = tender(left)
    other.recall()
    assert other.left(float("inf")) == []


def test_what_was_lost_sight_of_while_it_was_applied_is_seen_to_again_by_the_same_process(world: World) -> None:
    for at in range(1, 100):
        world.commit({"web/objects": f"a={at}"})
        world.record.look("source:infra", Looks(revision=world.revision))
        kept = world.outside
        world.outside = replace(kept, artifacts=GoingAway(kept.artifacts, at))
        one = tender(world)
        tended = one.tend(due(world))
        world.outside = kept
        if world.state().applying:
            assert tended.trouble
            (again,) = one.left(tended.next.at)
            assert one.left(tended.next.at - 1) == []
            assert one.tend(again).rest.reason is Reason.CONVERGED
            assert one.left(float("inf")) == []
            return
    raise AssertionError("no attempt was lost sight of")

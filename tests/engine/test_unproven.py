"""An attempt that could not be proven dead: who looks again, and who may say so."""

from __future__ import annotations

import pytest
from world import AUTO, SOURCE, Crash, World

from orchestrator.engine.recovery import recover_gone
from orchestrator.model.action import Reason
from orchestrator.model.event import ApplyEnded, AttemptDead, Outcome
from orchestrator.model.stack import StackKey

WEB = "infra/web@default"
KEY = StackKey.parse(WEB)


@pytest.fixture
def world(tmp_path) -> World:
    made = World(tmp_path, AUTO)
    made.commit({"web/objects": "a=1 b=2"})
    return made


def events(world: World, kind: type):
    return [one.event for one in world.record.events(stack=WEB) if isinstance(one.event, kind)]


def crash_in_the_middle(world: World) -> None:
    """Kill worker, keeper and tool with one object made that the tool's state does not know of."""
    world.cloud.dies_after = f"{WEB}:a"
    with pytest.raises(Crash):
        world.settle()
    world.restart()


@pytest.fixture
def undead(world) -> World:
    """A world in which an attempt ended unknown whose processes could not be killed."""
    crash_in_the_middle(world)
    world.undying = True
    settled = world.settle()
    assert settled.rest.reason is Reason.UNKNOWN_ATTEMPT
    assert not world.state().unknown.dead
    return world


def test_each_working_looks_again_until_the_attempt_is_proven_dead(undead):
    assert undead.settle().rest.reason is Reason.UNKNOWN_ATTEMPT
    assert events(undead, AttemptDead) == []
    undead.undying = False
    # It looked at what is there, and asks before anything may be made twice.
    assert undead.settle().rest.reason is Reason.MAY_DUPLICATE
    assert events(undead, AttemptDead) == [AttemptDead(attempt=undead.state().attempts)]
    assert undead.state().unknown.dead
    undead.settle()
    assert len(events(undead, AttemptDead)) == 1


def test_what_runs_elsewhere_is_not_proven_dead_by_a_look_from_here(undead):
    undead.undying, undead.doubt_ = False, "it ran on far, this is here"
    assert undead.settle().rest.reason is Reason.UNKNOWN_ATTEMPT
    assert events(undead, AttemptDead) == []


def test_a_stack_that_is_gone_from_its_source_is_looked_at_again_too(undead):
    undead.undying = False
    assert recover_gone(undead.outside, SOURCE, KEY)
    assert undead.state().unknown.dead
    (ended,) = events(undead, ApplyEnded)
    assert ended.outcome is Outcome.UNKNOWN

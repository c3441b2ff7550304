"""An attempt that could not be proven dead: who looks again, and who may say so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ticking import Crash
from world import AUTO, SOURCE, World

from adapters.contract import ToolFailed
from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.holder import this_process
from orchestrator.engine.recovery import recover_gone
from orchestrator.engine.renaming import forget
from orchestrator.engine.resolving import Unproven, resolve, unproven_of
from orchestrator.errors import Conflict, UsageError
from orchestrator.model.action import Reason
from orchestrator.model.event import ApplyEnded, AttemptDead, Forgotten, Outcome
from orchestrator.model.observed import State
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


@pytest.fixture
def elsewhere(world) -> World:
    """A world in which the attempt that the record knows no end of ran in a container that is gone."""
    crash_in_the_middle(world)
    world.doubt_ = "it ran on far, this is here"
    return world


def say(world: World, attempt: int = 1) -> State:
    said = AttemptDead(attempt=attempt, by="ana", reason="the node is gone")
    run = world.record.open_run(trigger="test", verb="resolve", actor="ana", revision=world.revision)
    return resolve(world.outside, world.reading(), KEY, said, run)


def test_an_attempt_elsewhere_waits_and_says_what_a_person_can_do(elsewhere):
    rest = elsewhere.settle().rest
    assert (rest.reason, elsewhere.state().applying.number) == (Reason.APPLYING, 1)
    assert "this is here" in rest.why
    assert rest.why.endswith("holdfast resolve web")
    with pytest.raises(Conflict, match="holdfast resolve web") as refused:
        elsewhere.worker().check_drift(KEY)
    assert refused.value.code == "HF-4203"


def test_a_person_says_that_it_is_dead_and_nothing_is_made_twice(elsewhere):
    assert unproven_of(elsewhere.outside, KEY) == Unproven(attempt=elsewhere.state().applying, why=elsewhere.doubt_)
    state = say(elsewhere)
    assert state.applying is None
    assert (state.unknown.dead, state.unknown.started) == (True, (f"{WEB}:a",))
    assert events(elsewhere, AttemptDead) == [AttemptDead(attempt=1, by="ana", reason="the node is gone")]
    assert elsewhere.settle().rest.reason is Reason.MAY_DUPLICATE
    elsewhere.approve(accepts_duplicates=True)
    elsewhere.doubt_ = ""
    assert elsewhere.settle().rest.reason is Reason.CONVERGED


def test_an_end_of_which_the_keeper_left_word_is_adopted(elsewhere):
    elsewhere.cloud.attempts[elsewhere.state().applying.folder] = 0
    state = say(elsewhere)
    assert (state.unknown, state.applied.attempt) == (None, 1)


@pytest.mark.parametrize("error", [ToolFailed("no"), KeyError("x"), Conflict("late")], ids=["told", "broken", "late"])
def test_what_cannot_be_read_is_unknown_and_everything_counts_as_begun(elsewhere, error):
    elsewhere.broken["resume"] = error
    state = say(elsewhere)
    assert state.applying is None
    assert (state.unknown.dead, state.unknown.started) == (True, None)


def test_an_attempt_of_unknown_end_is_said_to_be_dead(undead):
    undead.doubt_ = "process 7 is alive, and may be its own"
    assert "holdfast resolve web" in undead.settle().rest.why
    assert say(undead, undead.state().attempts).unknown.dead
    assert undead.settle().rest.reason is Reason.MAY_DUPLICATE


def test_of_a_stack_that_is_gone_from_its_source_it_is_said_too(elsewhere):
    elsewhere.commit({"other/objects": ""}, {"other": {}})
    with pytest.raises(Conflict, match="holdfast resolve web"):
        forget(elsewhere.outside, SOURCE, KEY, Forgotten(by="ana", reason=""), 0)
    assert say(elsewhere).unknown.dead
    forget(elsewhere.outside, SOURCE, KEY, Forgotten(by="ana", reason=""), 0)


def test_a_hold_of_somebody_who_is_gone_is_freed(world):
    far = LocalAgenda(database=world.record.database, clock=world, me=replace(this_process(), host="far", boot_id="f"))
    world.settle()
    with far.hold(WEB):
        assert unproven_of(world.outside, KEY).attempt is None
        say(world, 0)
        assert world.settle().rest.reason is Reason.CONVERGED
    assert events(world, AttemptDead) == []


def test_nobody_has_to_say_what_can_be_found_out(elsewhere):
    elsewhere.doubt_ = ""
    with pytest.raises(UsageError) as refused:
        unproven_of(elsewhere.outside, KEY)
    assert (refused.value.code, refused.value.hint) == ("HF-1919", "holdfast plan web")
    elsewhere.settle()
    with pytest.raises(UsageError) as refused:
        unproven_of(elsewhere.outside, KEY)
    assert refused.value.code == "HF-1919"


def test_what_is_seen_alive_is_not_said_to_be_dead(elsewhere):
    elsewhere.alive_ = True
    with pytest.raises(Conflict) as refused:
        unproven_of(elsewhere.outside, KEY)
    assert refused.value.code == "HF-4205"
    assert "holdfast cancel 1" in refused.value.hint


def test_what_was_said_of_an_earlier_attempt_does_not_count(elsewhere):
    with pytest.raises(Conflict, match="moved meanwhile"):
        say(elsewhere, 7)
    assert elsewhere.state().applying

"""A yes is judged again when the apply begins, lets one attempt start, and is nobody's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import AUTO, World

from orchestrator.engine.applying import apply
from orchestrator.engine.station import Case
from orchestrator.engine.survey import Survey
from orchestrator.errors import Conflict
from orchestrator.model.action import Reason, Rest
from orchestrator.model.event import ApplyStarted
from orchestrator.model.policy import Approvals, Mode
from orchestrator.model.stack import StackKey

WEB = StackKey(source="infra", name="web")
PLATFORM = replace(
    AUTO, mode=Mode.PROPOSE, approvals=Approvals(eligible=("team:platform",), allow_author=False, valid_s=3600.0)
)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, PLATFORM)
    made.teams = {"platform": {"ana", "bob"}}
    made.author = "ana"
    made.commit({"web/objects": "a=1"})
    made.settle()
    return made


def started(world) -> int:
    entries = world.record.events(stack=str(WEB), limit=10_000)
    return sum(isinstance(entry.event, ApplyStarted) for entry in entries)


def test_a_yes_that_expires_while_the_apply_is_prepared_starts_nothing(world):
    world.approve(by="bob")
    world.meanwhile = lambda: world.sleep(3600.0)
    rest = world.settle().rest
    assert (rest.reason, started(world)) == (Reason.AWAITING_APPROVAL, 0)
    assert "the yes of bob expired at 1970-01-12T" in rest.why


def test_who_leaves_while_the_apply_is_prepared_has_no_say_left(world):
    world.approve(by="bob")
    world.meanwhile = lambda: world.teams["platform"].discard("bob")
    rest = world.settle().rest
    assert (rest.reason, started(world)) == (Reason.AWAITING_APPROVAL, 0)
    assert rest.why.endswith("has 0; bob, who said yes, is no longer in platform")
    # And one who comes back, too, only said it while they were in.
    world.meanwhile = lambda: None
    world.teams["platform"].add("bob")
    assert world.settle().rest.reason is Reason.CONVERGED


def test_what_is_no_longer_decided_is_a_conflict_and_leaves_no_attempt(world):
    world.approve(by="bob")
    reading = world.reading()
    survey = Survey(world.outside, reading)
    run = world.record.open_run(trigger="test", verb="apply", actor="ana", revision=world.revision)
    case = Case(outside=world.outside, today=reading, asked=survey.look(WEB), run=run)
    rest = Rest(reason=Reason.GATED, why="the window closed")
    with pytest.raises(Conflict, match="the window closed") as moved:
        apply(case, survey.gates_version, lambda: rest)
    assert (moved.value.code, started(world)) == ("HF-4207", 0)


def test_an_attempt_that_fails_has_spent_the_yes_for_the_very_same_plan(world):
    world.approve(by="bob")
    before = world.state().tracks["main"].proposal
    world.cloud.fail_next = 1
    world.settle()
    assert started(world) == 1
    world.sleep(100.0)
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    assert world.state().tracks["main"].proposal.binding(str(WEB)) == before.binding(str(WEB))
    assert started(world) == 1


def test_a_commit_of_somebody_else_on_top_lets_no_author_approve_their_own(world):
    world.author = "bob"
    world.commit({"web/objects": "a=1", "readme": "new"})
    world.approve(by="ana")
    world.approve(by="bob")
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    world.teams["platform"].add("cid")
    world.approve(by="cid")
    assert world.settle().rest.reason is Reason.CONVERGED


def test_who_wrote_what_was_applied_long_ago_may_approve_what_is_new(world):
    world.approve(by="bob")
    assert world.settle().rest.reason is Reason.CONVERGED
    world.author = "bob"
    world.commit({"web/objects": "a=2"})
    world.settle()
    world.approve(by="ana")
    assert world.settle().rest.reason is Reason.CONVERGED

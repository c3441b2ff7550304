"""An adapter that raises what nobody foresaw, and a disk that fails: one stack's trouble, recorded, and no more."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from world import AUTO, World

from adapters.contract import AdapterError
from orchestrator.errors import ExecutionError
from orchestrator.model.action import Reason
from orchestrator.model.event import ApplyEnded, ApplyRefused, DriftCheckFailed, Outcome, PlanFailed
from orchestrator.model.policy import DriftPolicy
from orchestrator.model.stack import StackKey

WEB = "infra/web@default"
MISSING = KeyError("resource_changes")


@pytest.fixture
def world(tmp_path) -> World:
    made = World(tmp_path, AUTO)
    made.commit({"web/objects": "a=1"})
    return made


def events(world: World, kind: type):
    return [one.event for one in world.record.events(stack=WEB) if isinstance(one.event, kind)]


def test_a_plan_that_breaks_the_adapter_is_a_failure_of_its_stack_that_is_not_tried_again(world):
    world.broken["plan"] = MISSING
    settled = world.settle()
    assert settled.rest.reason is Reason.STALLED
    assert "KeyError at world.py:" in settled.rest.why
    (failed,) = events(world, PlanFailed)
    assert (failed.code, failed.transient) == ("HF-9002", False)
    assert "holdfast logs 1" in failed.message


def test_the_log_has_the_text_from_who_can_mask_it_and_the_places_from_who_cannot(world):
    world.broken["plan"] = MISSING
    world.settle()
    said, places = world.log
    assert said == "KeyError: 'resource_changes'"
    assert "in make_plan" in places
    assert "in break_at" in places
    assert "resource_changes" not in places


def test_an_apply_that_breaks_the_adapter_is_left_to_recovery(world):
    world.broken["apply"] = MISSING
    assert world.settle().rest.reason is Reason.CONVERGED
    (ended,) = events(world, ApplyEnded)
    assert (ended.outcome, ended.adopted) == (Outcome.SUCCEEDED, True)


def test_what_an_adapter_cannot_even_look_at_is_unknown(world):
    world.broken["apply"] = world.broken["resume"] = MISSING
    world.settle()
    (ended,) = events(world, ApplyEnded)
    assert (ended.outcome, ended.code, ended.dead) == (Outcome.UNKNOWN, "HF-5020", True)
    assert "KeyError at world.py:" in ended.message
    # Its objects are there; the next plan found that out.
    assert world.state().unknown is None
    assert world.cloud.objects == {f"{WEB}:a": "1"}


def test_a_disk_that_fails_before_an_apply_refuses_it_and_starts_nothing(world):
    world.broken["free_bytes"] = OSError(errno.EIO, "Input/output error", "/var/web")
    assert world.settle().rest.reason is Reason.BACKING_OFF
    (refused,) = events(world, ApplyRefused)
    assert (refused.code, refused.transient) == ("HF-5007", True)
    assert refused.message == "the apply could not be prepared: Input/output error at /var/web"
    assert world.cloud.attempts == {}
    del world.broken["free_bytes"]
    assert world.settle(person=True).rest.reason is Reason.CONVERGED


def test_what_breaks_before_an_apply_begins_refuses_it_for_good(world):
    world.broken["free_bytes"] = MISSING
    assert world.settle().rest.reason is Reason.STALLED
    (refused,) = events(world, ApplyRefused)
    assert (refused.code, refused.transient) == ("HF-9002", False)
    assert world.cloud.attempts == {}


def test_a_look_for_drift_that_breaks_the_adapter_says_nothing_about_drift(tmp_path):
    world = World(tmp_path, replace(AUTO, drift=DriftPolicy(every_s=3600.0)))
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.sleep(7200)
    world.broken["drift"] = MISSING
    assert world.settle().rest.reason is Reason.CONVERGED
    assert world.worker().check_drift(StackKey(source="infra", name="web")) is None
    assert [one.code for one in events(world, DriftCheckFailed)] == ["HF-9002"]
    assert "KeyError" in world.state().drift_check_error


def test_a_stack_that_cannot_even_be_looked_at_is_said_to_be_broken(world):
    world.broken["inputs"] = MISSING
    rest = world.settle().rest
    assert rest.reason is Reason.GATED
    assert "HF-9002" in rest.why
    assert "KeyError" in rest.why


def test_whoever_interrupts_is_heeded(world):
    world.broken["plan"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.settle()
    assert events(world, PlanFailed) == []


def test_what_fails_for_want_of_room_is_the_hosts_failure_and_leaves_no_trace_on_the_stack(world):
    plenty = world.free_bytes
    world.free_bytes = lambda: 1 << 20
    with pytest.raises(ExecutionError) as refused:
        world.settle()
    assert refused.value.code == "HF-5010"
    world.plan_fails = True
    world.commit({"web/objects": "a=2"})
    with pytest.raises(AdapterError):
        world.settle()
    assert events(world, PlanFailed) == events(world, ApplyRefused) == []
    world.free_bytes, world.plan_fails = plenty, False
    assert world.settle().rest.reason is Reason.CONVERGED

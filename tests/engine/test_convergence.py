"""Applied is not yet as asked for: looks afterwards tell, and go on whatever else waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import AUTO, World

from adapters.contract import Change, ChangeKind
from orchestrator.model.action import Apply, CheckDrift, MakePlan, Reason
from orchestrator.model.event import (
    ApplyStarted,
    DriftCheckFailed,
    DriftSeen,
    NotConverged,
    PlanFailed,
    Verified,
)
from orchestrator.model.observed import Phase
from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Mode
from orchestrator.model.stack import StackKey

WEB = "infra/web@default"
HOURLY = replace(AUTO, drift=DriftPolicy(every_s=3600.0))


def events(world, kind):
    return [entry.event for entry in world.record.events() if isinstance(entry.event, kind)]


def did(settled):
    return [type(action) for action in settled.did]


@pytest.fixture
def restless(tmp_path):
    """A world in which the tool says after every apply that it would do the same again."""
    world = World(tmp_path, HOURLY)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.cloud.restless = True
    return world


def test_what_does_not_converge_is_tried_again_and_then_left_to_people(restless):
    for _ in range(8):
        restless.sleep(4000)
        settled = restless.settle()
    assert len(events(restless, ApplyStarted)) == 1 + restless.policy.retries
    assert settled.rest.reason is Reason.STALLED
    assert "still to be changed after the apply: infra/web@default:a" in settled.rest.why
    assert restless.state().tracks["main"].failure.code == "HF-4020"


def test_what_did_not_converge_is_never_called_as_asked_for(restless):
    restless.sleep(100)
    settled = restless.settle()
    assert settled.rest.reason is Reason.BACKING_OFF
    restless.sleep(40)
    assert did(restless.settle()) == [MakePlan, Apply]


def test_a_person_who_asks_is_shown_what_is_still_to_be_changed(restless):
    restless.sleep(100)
    restless.settle()
    settled = restless.settle(person=True, drift=False, mode=Mode.PROPOSE)
    assert did(settled)[0] is MakePlan
    assert settled.did[0].reason is Reason.NOT_CONVERGED


def test_readers_wait_for_what_did_not_converge(restless):
    net = StackKey(source="infra", name="net")
    restless.cloud.restless = False
    restless.commit({"net/objects": "id=1", "web/objects": "a=1"}, {"net": {}, "web": {"depends_on": (net,)}})
    restless.settle("net")
    restless.cloud.restless = True
    restless.sleep(100)
    restless.settle("net")
    assert restless.settle("web").rest.reason in {Reason.GATED, Reason.BACKING_OFF}


def test_a_stalled_stack_is_still_looked_at_and_a_clean_look_frees_it(restless):
    for _ in range(8):
        restless.sleep(4000)
        restless.settle()
    restless.sleep(4000)
    assert did(restless.settle()) == [CheckDrift]
    restless.cloud.restless = False
    restless.sleep(4000)
    settled = restless.settle()
    assert settled.rest.reason is Reason.CONVERGED
    assert restless.state().tracks["main"].failure is None


def test_drift_is_seen_beside_what_did_not_converge(restless):
    restless.cloud.objects[f"{WEB}:a"] = "hacked"
    restless.sleep(100)
    restless.settle()
    assert len(events(restless, DriftSeen)) == len(events(restless, NotConverged)) == 1


def test_the_same_finding_is_recorded_once(restless):
    restless.policy = replace(HOURLY, mode=Mode.PROPOSE, approvals=Approvals(required=1))
    restless.commit({"web/objects": "a=1"})
    restless.sleep(100)
    restless.settle()
    for _ in range(5):
        restless.sleep(4000)
        restless.settle()
    assert len(events(restless, NotConverged)) == 1
    assert len(events(restless, ApplyStarted)) == 1


def test_what_had_converged_and_moved_on_is_planned_anew_and_is_no_failure(tmp_path):
    world = World(tmp_path, HOURLY)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.sleep(100)
    world.settle()
    assert len(events(world, Verified)) == 1
    world.cloud.restless = True
    world.sleep(4000)
    assert did(world.settle()) == [CheckDrift, MakePlan, Apply]
    failure = world.state().tracks["main"].failure
    assert failure is None


def test_looks_that_fail_in_the_same_way_are_recorded_once(tmp_path):
    world = World(tmp_path, HOURLY)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.cloud.blind = "no credentials"
    for _ in range(5):
        world.sleep(4000)
        world.settle()
    assert len(events(world, DriftCheckFailed)) == 1
    world.cloud.blind = "no network"
    world.sleep(4000)
    world.settle()
    assert len(events(world, DriftCheckFailed)) == 2


def test_drift_that_went_away_while_its_repair_waited_for_a_yes_is_noticed(tmp_path):
    policy = replace(HOURLY, mode=Mode.AUTO, drift=DriftPolicy(every_s=3600.0, answer=DriftAnswer.PROPOSE))
    world = World(tmp_path, policy)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.cloud.objects[f"{WEB}:a"] = "hacked"
    world.sleep(4000)
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    world.cloud.objects[f"{WEB}:a"] = "1"
    world.sleep(4000)
    assert world.settle().rest.reason is Reason.CONVERGED
    assert world.state().drift is None


def test_a_commit_never_undoes_known_drift_by_itself(tmp_path):
    world = World(tmp_path, HOURLY)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.cloud.objects[f"{WEB}:a"] = "mended by hand"
    world.sleep(4000)
    assert world.settle().rest.reason is Reason.DRIFTED
    world.commit({"web/objects": "a=1 b=2"})
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    assert world.cloud.objects[f"{WEB}:a"] == "mended by hand"


def test_a_clean_look_at_main_says_nothing_about_a_pull_request(tmp_path):
    world = World(tmp_path, HOURLY)
    world.commit({"web/objects": "a=1"})
    world.settle()
    failed = PlanFailed(track="pull/7", fingerprint="f7", code="HF-2004", message="no", transient=False)
    world.record.append(WEB, [failed], expected=world.state().version, run=0)
    world.sleep(100)
    world.settle()
    assert len(events(world, Verified)) == 1
    assert world.state().tracks["pull/7"].failure.phase is Phase.PLAN


def test_of_working_trees_only_the_last_look_is_kept(tmp_path):
    world = World(tmp_path, HOURLY)
    world.commit({"web/objects": "a=1"})
    world.settle()
    for number in range(4):
        failed = PlanFailed(track=f"tree/{number}", fingerprint="f", code="HF-2004", message="no", transient=False)
        world.record.append(WEB, [failed], expected=world.state().version, run=0)
    assert sorted(name for name in world.state().tracks if name != "main") == ["tree/3"]


def test_a_change_still_to_come_is_named(restless):
    restless.sleep(100)
    restless.settle()
    (event,) = events(restless, NotConverged)
    assert event.pending == (f"{WEB}:a",)
    assert Change(address=event.pending[0], kind=ChangeKind.UPDATE).address in event.message

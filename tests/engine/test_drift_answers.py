"""Drift from the first look to its answer, in the loop: seen, confirmed, put back, and coming back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import AUTO, World

from orchestrator.model.action import Apply, CheckDrift, MakePlan, Reason
from orchestrator.model.drift import Ending
from orchestrator.model.event import ApplyStarted, DriftIgnored, DriftRecurs, DriftSeen, RepairsResumed, Verified
from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Ignore, Mode, RepairLimit

WEB = "infra/web@default"
A, B = f"{WEB}:a", f"{WEB}:b"
REPAIR = DriftPolicy(every_s=3600.0, answer=DriftAnswer.REPAIR, limit=RepairLimit(repairs=2, within_s=86400.0))


def events(world, kind):
    return [entry.event for entry in world.record.events() if isinstance(entry.event, kind)]


def did(settled):
    return [type(action) for action in settled.did]


def world_of(folder, drift, **policy):
    made = World(folder, replace(AUTO, drift=drift, **policy))
    made.commit({"web/objects": "a=1 b=1"})
    made.settle()
    return made


def tampered(world, *, name=A, value="hacked", after=4000):
    """Have somebody change an object, and the loop look at it."""
    world.cloud.objects[name] = value
    world.sleep(after)
    return world.settle()


@pytest.fixture
def repairing(tmp_path):
    return world_of(tmp_path, REPAIR)


def test_report_tells_and_plans_nothing(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, answer=DriftAnswer.REPORT))
    settled = tampered(world)
    assert (settled.rest.reason, did(settled)) == (Reason.DRIFTED, [CheckDrift])
    assert world.cloud.objects[A] == "hacked"


def test_propose_plans_and_waits_for_a_yes_though_the_stack_applies_by_itself(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, answer=DriftAnswer.PROPOSE))
    settled = tampered(world)
    assert settled.rest.reason is Reason.AWAITING_APPROVAL
    assert (did(settled)[:2], Apply in did(settled)) == ([CheckDrift, MakePlan], False)
    assert world.cloud.objects[A] == "hacked"
    world.approve()
    assert did(world.settle()) == [Apply]
    assert world.cloud.objects[A] == "1"
    assert [one.ended for one in world.state().occurrences] == [Ending.REPAIRED]


def test_repair_puts_it_back_without_a_word(repairing):
    settled = tampered(repairing)
    assert (settled.rest.reason, did(settled)) == (Reason.CONVERGED, [CheckDrift, MakePlan, Apply])
    assert repairing.cloud.objects[A] == "1"
    (one,) = repairing.state().occurrences
    assert (one.address, one.ended, one.by) == (A, Ending.REPAIRED, "user:ana")


def test_repair_asks_where_the_stack_does_not_apply_by_itself(tmp_path):
    world = world_of(tmp_path, REPAIR)
    world.policy = replace(world.policy, mode=Mode.PROPOSE, approvals=Approvals(required=1))
    world.commit({"web/objects": "a=1 b=1"})
    assert tampered(world).rest.reason is Reason.AWAITING_APPROVAL
    assert world.cloud.objects[A] == "hacked"


def test_what_is_changed_again_and_again_is_left_to_people_with_each_time_told(repairing):
    for value in ("one", "two"):
        assert tampered(repairing, value=value).rest.reason is Reason.CONVERGED
    settled = tampered(repairing, value="three")
    assert settled.rest.reason is Reason.RECURRING
    assert "repaired 2 times and drifted again" in settled.rest.why
    assert "holdfast resume web" in settled.rest.why
    assert repairing.cloud.objects[A] == "three"
    assert [one.ended for one in repairing.state().occurrences] == [Ending.REPAIRED, Ending.REPAIRED, None]
    for _ in range(30):
        repairing.sleep(4000)
        assert repairing.settle().rest.reason is Reason.RECURRING
    assert len(events(repairing, ApplyStarted)) == 3
    assert events(repairing, DriftRecurs) == [DriftRecurs(repairs=2, addresses=(A,))]


def test_a_repair_that_recurs_goes_on_once_somebody_has_it_resumed(repairing):
    for value in ("one", "two", "three"):
        tampered(repairing, value=value)
    resumed = RepairsResumed(by="ana", reason="the script is gone")
    repairing.record.append(WEB, [resumed], expected=repairing.state().version, run=0)
    assert did(repairing.settle()) == [MakePlan, Apply]
    assert repairing.cloud.objects[A] == "1"


def test_repairs_that_lie_far_apart_are_no_pattern(repairing):
    for value in ("one", "two", "three", "four"):
        assert tampered(repairing, value=value, after=90_000).rest.reason is Reason.CONVERGED
    assert len(repairing.state().repairs) == 4


def test_a_person_puts_back_what_the_loop_no_longer_does(repairing):
    for value in ("one", "two", "three"):
        tampered(repairing, value=value)
    settled = repairing.settle(person=True, drift=False, mode=Mode.PROPOSE)
    assert did(settled)[0] is MakePlan


def test_one_look_is_not_enough_where_policy_wants_two_and_the_second_is_due_soon(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, confirm=2))
    settled = tampered(world)
    assert (settled.rest.reason, did(settled)) == (Reason.UNCONFIRMED, [CheckDrift])
    assert settled.rest.until <= world.now() + 60
    world.sleep(61)
    assert did(world.settle()) == [CheckDrift, MakePlan, Apply]


def test_what_the_second_look_does_not_see_was_never_drift(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, confirm=2))
    tampered(world)
    world.cloud.objects[A] = "1"
    world.sleep(61)
    settled = world.settle()
    assert (settled.rest.reason, did(settled)) == (Reason.CONVERGED, [CheckDrift])
    assert [one.ended for one in world.state().occurrences] == [Ending.GONE]


def test_what_takes_another_value_between_two_looks_is_confirmed_all_the_same(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, confirm=2))
    tampered(world)
    assert did(tampered(world, value="again", after=61)) == [CheckDrift, MakePlan, Apply]
    assert [one.ended for one in world.state().occurrences] == [Ending.CHANGED, Ending.REPAIRED]


def test_a_person_who_asks_does_not_wait_for_a_second_look(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, confirm=3))
    tampered(world)
    assert did(world.settle(person=True, drift=False))[:1] == [MakePlan]


def test_what_is_ignored_is_seen_and_left_alone_and_a_commit_waits_for_a_word(tmp_path):
    rule = Ignore(address="*:a", owner="team:net", reason="autoscaled")
    world = world_of(tmp_path, replace(REPAIR, ignore=(rule,)))
    settled = tampered(world)
    assert settled.rest.reason is Reason.CONVERGED
    assert settled.rest.why == "the world is as asked for, but for 1 ignored"
    assert len(events(world, DriftSeen)) == 1
    world.commit({"web/objects": "a=1 b=2"})
    settled = world.settle()
    assert settled.rest.reason is Reason.AWAITING_APPROVAL
    assert settled.rest.why == "needs 1 approval, has 0: it may put back what is ignored as drift"
    assert world.cloud.objects[A] == "hacked"


def test_a_stack_that_differs_only_in_what_is_ignored_is_verified_once_and_the_difference_stays_known(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, ignore=(Ignore(address="*:a", owner="team:net", reason="autoscaled"),)))
    # Before anybody looked for the first time.
    assert not events(world, Verified)
    tampered(world)
    tampered(world)
    assert events(world, Verified) == [Verified(attempt=1, ignored=True)]
    assert world.state().applied.verified_at is not None
    assert [item.change.address for item in world.state().drift.items] == [A]


def test_what_drifts_beside_is_repaired_only_with_a_word_where_that_undoes_what_is_ignored(tmp_path):
    rule = Ignore(address="*:a", owner="team:net", reason="autoscaled")
    world = world_of(tmp_path, replace(REPAIR, ignore=(rule,)))
    world.cloud.objects[A] = "5"
    assert tampered(world, name=B).rest.reason is Reason.AWAITING_APPROVAL
    assert (world.cloud.objects[A], world.cloud.objects[B]) == ("5", "hacked")


def test_a_word_that_ended_has_what_it_hid_repaired_without_another_look(repairing):
    rule = Ignore(address=A, owner="ana", reason="until the release", until=repairing.now() + 7000)
    repairing.record.append(WEB, [DriftIgnored(rule=rule)], expected=repairing.state().version, run=0)
    assert tampered(repairing).rest.reason is Reason.CONVERGED
    assert repairing.cloud.objects[A] == "hacked"
    repairing.sleep(3100)
    assert did(repairing.settle()) == [MakePlan, Apply]
    assert repairing.cloud.objects[A] == "1"


def test_what_the_tool_leaves_as_it_is_is_told_and_never_planned_again_and_again(repairing):
    repairing.cloud.lenient = True
    settled = tampered(repairing)
    assert (settled.rest.reason, did(settled)) == (Reason.DRIFTED, [CheckDrift])
    assert "no apply puts it back" in settled.rest.why
    repairing.sleep(4000)
    assert did(repairing.settle()) == [CheckDrift]
    assert len(repairing.state().occurrences) == 1


def test_noise_is_no_drift_and_stands_in_the_log_of_the_run(tmp_path):
    world = World(tmp_path, replace(AUTO, drift=REPAIR))
    world.commit({"web/objects": "a="})
    world.settle()
    world.cloud.lenient = True
    assert tampered(world, value=None).rest.reason is Reason.CONVERGED
    assert events(world, DriftSeen) == []
    assert world.log == [f"{A} value: no drift, nothing is written in two ways"]


def test_a_restart_forgets_neither_looks_nor_repairs(tmp_path):
    world = world_of(tmp_path, replace(REPAIR, confirm=2))
    tampered(world)
    world.restart()
    world.sleep(61)
    assert did(world.settle()) == [CheckDrift, MakePlan, Apply]
    world.restart()
    assert len(world.state().repairs) == 1

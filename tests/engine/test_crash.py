"""The worker is killed at every effect, one after the other; then a new one brings the stack to rest."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace

import pytest
from ticking import Crash
from world import AUTO, World

from orchestrator.model.action import Reason
from orchestrator.model.event import ApplyStarted
from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Mode

FILES = {"web/objects": "a=1 b=2"}
ASKING = replace(AUTO, mode=Mode.PROPOSE, approvals=Approvals(required=1))
REPAIRING = replace(AUTO, drift=DriftPolicy(every_s=3600.0, answer=DriftAnswer.REPAIR))


def work(world: World) -> Reason:
    """Do what a worker and the people around it do until there is nothing to do; returns the last reason."""
    for _ in range(6):
        settled = world.settle()
        if settled.rest.reason is Reason.AWAITING_APPROVAL:
            world.approve()
        elif settled.rest.reason is Reason.BACKING_OFF:
            world.sleep(settled.rest.until - world.now())
        else:
            return settled.rest.reason
    raise AssertionError(settled)


def work_through_a_crash(world: World, at: int) -> Reason | None:
    """Work with a crash at the ``at``-th effect, restart, work on; None where there are fewer effects than that."""
    world.effects.count, world.effects.crash_at = 0, at
    try:
        work(world)
    except Crash:
        world.restart()
        return work(world)
    world.effects.crash_at = None
    return None


def every_effect_belongs_to_a_recorded_attempt(world: World) -> None:
    entries = world.record.events(stack="infra/web@default", limit=10_000)
    recorded = {entry.event.attempt.folder for entry in entries if isinstance(entry.event, ApplyStarted)}
    assert {folder for folder, _, _ in world.cloud.ledger} <= recorded


def nothing_was_created_twice(world: World) -> None:
    created = Counter(name for _, verb, name in world.cloud.ledger if verb == "create")
    assert all(times == 1 for times in created.values()), created


def sweep(tmp_path, policy, prepare=lambda world: None, *, dies=False):
    """Yield the world and the last reason after a crash at each effect in turn."""
    for at in range(1, 1000):
        home = tmp_path / str(at)
        home.mkdir()
        world = World(home, policy)
        world.commit(FILES)
        prepare(world)
        world.cloud.dies_with_worker = dies
        reason = work_through_a_crash(world, at)
        if reason is None:
            assert at > 10, "the sweep must meet effects"
            return
        every_effect_belongs_to_a_recorded_attempt(world)
        assert world.record.verify() is None
        yield world, reason
        # A hundred worlds would be too much for a small memory.
        world.record.database.close()
        shutil.rmtree(home)


@pytest.mark.parametrize("policy", [AUTO, ASKING, REPAIRING], ids=["auto", "asking", "repairing"])
def test_a_worker_killed_at_any_effect_leaves_nothing_undone_and_does_nothing_twice(tmp_path, policy):
    for world, reason in sweep(tmp_path, policy):
        assert reason is Reason.CONVERGED
        assert world.cloud.objects == {"infra/web@default:a": "1", "infra/web@default:b": "2"}
        nothing_was_created_twice(world)
        assert world.state().applying is None


def test_drift_is_repaired_through_a_crash_at_any_effect(tmp_path):
    def tampered(world):
        work(world)
        world.cloud.objects["infra/web@default:a"] = "hacked"
        world.sleep(7200)

    for world, reason in sweep(tmp_path, REPAIRING, tampered):
        assert reason is Reason.CONVERGED
        assert world.cloud.objects["infra/web@default:a"] == "1"
        nothing_was_created_twice(world)


def test_a_tool_killed_with_its_worker_is_unknown_and_creates_nothing_twice(tmp_path):
    reasons = set()
    for world, reason in sweep(tmp_path, AUTO, dies=True):
        reasons.add(reason)
        nothing_was_created_twice(world)
        if reason is Reason.MAY_DUPLICATE:
            assert world.state().unknown is not None
            ends = [one.event for one in world.record.events(stack="infra/web@default", limit=10_000)]
            assert [end.code for end in ends if getattr(end, "outcome", "") == "unknown"] == ["HF-5020"]
    assert reasons == {Reason.CONVERGED, Reason.MAY_DUPLICATE}


def test_a_person_who_accepts_the_risk_ends_an_unknown(tmp_path):
    for world, reason in sweep(tmp_path, AUTO, dies=True):
        if reason is not Reason.MAY_DUPLICATE:
            continue
        world.cloud.dies_with_worker = False
        world.approve(accepts_duplicates=True)
        assert work(world) is Reason.CONVERGED
        assert world.state().unknown is None
        return
    raise AssertionError("no crash left an unknown")


def test_a_failed_apply_is_counted_once_and_tried_again(tmp_path):
    world = World(tmp_path, AUTO)
    world.commit(FILES)
    world.cloud.fail_next = 1
    assert world.settle().rest.reason is Reason.BACKING_OFF
    assert world.state().tracks["main"].failure.count == 1
    assert work(world) is Reason.CONVERGED
    nothing_was_created_twice(world)


def test_what_always_fails_is_left_to_people(tmp_path):
    world = World(tmp_path, AUTO)
    world.commit(FILES)
    world.plan_fails = True
    assert work(world) is Reason.STALLED
    assert world.state().tracks["main"].failure.count == AUTO.retries + 1
    # A person who asks again is not told about yesterday.
    world.plan_fails = False
    assert world.settle(person=True).rest.reason is Reason.CONVERGED

"""What the record says becomes few happenings, whose words hold counts and names of stacks and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_stage import REPAIR
from world import AUTO, World

from orchestrator.model.commit import Commit
from orchestrator.model.event import PlanFailed, SavingFailed, Vanished
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.policy import Approvals, DriftAnswer, Mode, RepairLimit
from orchestrator.model.telling import KINDS, Kind
from orchestrator.report.feed import Feed
from orchestrator.report.happening import DEFAULT_ON, GRAVITY, Happening, Selection

WEB = "infra/web@default"


def told(world: World, after: int = 0) -> list[Happening]:
    return list(Feed(world.record, "https://h.example").read(world.record.events(after=after)))


def kinds(world: World, after: int = 0) -> list[str]:
    return [one.kind.value for one in told(world, after)]


def newest(world: World) -> int:
    return world.record.events(limit=100_000)[-1].seq


def test_an_apply_is_told_once_with_counts_tool_revision_and_what_to_type_next(world):
    world.commit({"web/objects": "canary-name=canary-value b=1"})
    world.settle()
    (one,) = told(world)
    assert (one.kind, one.stack, one.environment, one.tool) == (Kind.APPLY_SUCCEEDED, WEB, "default", "cloudtool")
    assert (one.summary, one.revision, one.first, one.removed) == ("applied: 2 created", world.revision, True, False)
    assert (one.link, one.command) == (f"https://h.example/runs/{one.run}", "holdfast show web --source infra")
    assert "canary" not in repr(one)


def test_a_plan_that_waits_is_told_until_it_is_answered(tmp_path):
    world = World(tmp_path, replace(AUTO, mode=Mode.PROPOSE, approvals=Approvals(required=1)))
    world.commit({"web/objects": "a=1"})
    world.settle()
    (one,) = told(world)
    assert (one.kind, one.summary) == (Kind.PLAN_WAITING, "a plan waits for a yes: 1 to create")
    assert one.command == "holdfast approve web --proposal=1 --source infra"
    world.approve()
    assert kinds(world) == []
    world.settle()
    assert kinds(world) == ["apply.succeeded"]


def test_drift_is_told_when_it_is_found_put_back_and_when_it_keeps_coming_back(tmp_path):
    policy = replace(REPAIR, limit=RepairLimit(repairs=1, within_s=86400.0))
    world = World(tmp_path, replace(AUTO, drift=policy))
    world.commit({"web/objects": "a=1"})
    world.settle()
    for value, expected in (
        ("hacked", ["drift.found", "drift.repaired"]),
        ("again", ["drift.found", "drift.recurring"]),
    ):
        after = newest(world)
        world.cloud.objects[f"{WEB}:a"] = value
        world.sleep(4000)
        world.settle()
        assert kinds(world, after) == expected
        assert value not in repr(told(world, after))
    assert told(world)[-2].summary == "1 resource is not as applied"


def test_drift_that_is_gone_by_itself_is_told(tmp_path):
    world = World(tmp_path, replace(AUTO, drift=replace(REPAIR, answer=DriftAnswer.REPORT)))
    world.commit({"web/objects": "a=1"})
    world.settle()
    after = newest(world)
    for value in ("hacked", "1"):
        world.cloud.objects[f"{WEB}:a"] = value
        world.sleep(4000)
        world.settle()
    assert kinds(world, after) == ["drift.found", "drift.gone"]


def test_an_apply_that_fails_is_told_by_its_code_and_never_by_what_the_tool_said(world):
    world.commit({"web/objects": "a=1"})
    world.cloud.fail_next = 1
    world.settle()
    (one, *_) = told(world)
    assert (one.kind, one.summary) == (Kind.APPLY_FAILED, "apply failed (HF-2004)")
    assert one.command == f"holdfast logs {one.run} --source infra"
    assert "the cloud says no" not in repr(one)


def test_an_apply_of_unknown_end_is_told(world):
    world.commit({"web/objects": "a=1 b=2"})
    world.cloud.dies_after = f"{WEB}:a"
    with pytest.raises(BaseException):  # noqa: B017 -- the worker dies
        world.settle()
    world.restart()
    world.settle()
    assert "apply.unknown" in kinds(world)


def test_a_plan_that_cannot_be_made_is_told_once_however_often_it_is_tried(world):
    world.commit({"web/objects": "a=1"})
    failed = PlanFailed(track="main", fingerprint="f", code="HF-2001", message="canary", transient=False)
    for version in range(3):
        world.record.append(WEB, [failed], expected=version, run=version)
    (one,) = told(world)
    assert (one.kind, one.summary) == (Kind.PLAN_FAILED, "cannot be planned (HF-2001)")
    assert "canary" not in repr(one)
    assert kinds(world, after=newest(world) - 1) == []


def test_what_may_pass_by_itself_is_told_once_it_has_failed_three_times_in_a_row(world):
    failed = PlanFailed(track="main", fingerprint="f", code="HF-2001", message="", transient=True)
    for version in range(2):
        world.record.append(WEB, [failed], expected=version, run=version)
    assert kinds(world) == []
    for version in range(2, 5):
        world.record.append(WEB, [failed], expected=version, run=version)
    (one,) = told(world)
    assert (one.kind, one.summary) == (Kind.RUN_STALLED, "cannot be planned (HF-2001), 3 times in a row")


def test_a_failure_that_has_passed_is_told_no_longer(world):
    world.commit({"web/objects": "a=1"})
    world.plan_fails = True
    for _ in range(3):
        world.settle()
        world.sleep(100_000)
    assert len(kinds(world)) == 1
    world.plan_fails = False
    world.commit({"web/objects": "a=2"})
    world.settle()
    assert kinds(world) == ["apply.succeeded"]


def test_a_state_that_cannot_be_saved_is_told_once_a_run(world):
    saving = SavingFailed(attempt=1, code="HF-2011", message="canary")
    for version in range(3):
        world.record.append(WEB, [saving], expected=version, run=7)
    (one,) = told(world)
    assert (one.kind, one.summary) == (Kind.RUN_STALLED, "its state could not be saved (HF-2011)")


def test_a_stack_that_left_its_source_is_told_while_what_it_made_stands(world):
    world.commit({"web/objects": "a=1"})
    world.settle()
    after = newest(world)
    world.record.append(WEB, [Vanished(revision="c" * 40)], expected=world.state().version, run=0)
    (one,) = told(world, after)
    assert (one.kind, one.revision) == (Kind.STACK_GONE, "c" * 40)


def test_a_gate_is_told_by_who_closed_it_and_never_by_why(world):
    gate = Gate(kind=GateKind.SUSPENSION, why="canary", selector="infra/*@prod", who="ana", until=1_000_000.0)
    closed = world.record.set_gate(gate, run=0)
    world.record.lift_gate(closed.id, by="bob", reason="canary", run=0)
    one, other = told(world)
    assert one.summary.startswith("ana suspended infra/*@prod until 1970-01-12")
    assert (other.kind, other.summary) == (Kind.GATE_LIFTED, "bob lifted gate 1")
    assert "canary" not in repr((one, other))


def test_selectors_choose_by_kind_and_by_stack():
    def one(kind: Kind, stack: str = "", source: str = "") -> Happening:
        return Happening(kind=kind, seq=1, id="1", at=0.0, stack=stack, source=source or stack.partition("/")[0])

    failed = one(Kind.APPLY_FAILED, "infra/web@prod")
    drift = one(Kind.DRIFT_FOUND, "infra/web@dev")
    silent = one(Kind.SOURCE_SILENT, source="infra")
    everything = (failed, drift, silent)
    assert Selection(on=("apply.*",)).of(everything) == (failed,)
    assert Selection(on=("*",), stacks=("infra/*@prod",)).of(everything) == (failed, silent)
    assert Selection(on=("*",), stacks=("other/*",)).of(everything) == ()
    assert Selection().of(everything) == everything


def test_every_kind_has_its_gravity_and_only_success_is_left_out_by_default():
    assert {kind.value for kind in GRAVITY} == set(KINDS)
    left_out = [
        kind.value
        for kind in Kind
        if not Selection().of((Happening(kind=kind, seq=1, id="", at=0.0, stack="a/b@c", source="a"),))
    ]
    assert left_out == ["apply.succeeded"]
    assert DEFAULT_ON


def test_an_apply_is_told_with_why_it_was_made_also_where_its_start_was_read_before(world):
    world.said = Commit(id="", email="ana@acme.example", trailers=(("Incident", "INC-481"),))
    world.commit({"web/objects": "a=1"})
    world.settle()
    (one,) = [one for one in told(world) if one.kind is Kind.APPLY_SUCCEEDED]
    assert one.intent.incidents == ("INC-481",)
    (again,) = [one for one in told(world, one.seq - 1) if one.kind is Kind.APPLY_SUCCEEDED]
    assert again.intent == one.intent

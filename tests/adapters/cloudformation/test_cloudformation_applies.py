"""How an apply ends, well and badly, and how that is found out when its worker is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from queue_stack import QUEUE, plain

from adapters.contract import Finished, Goal, Handle, Input, Plan, PlanStale, Result, Running, ToolFailed, Unknown

if TYPE_CHECKING:
    from conftest import AwsRig, AwsSubject

FAILING = '  Bad:\n    Type: AWS::SQS::Queue\n    Metadata: {Fails: "the name is\\ntaken by c4n4ry-hunter2"}\n'


def lost(subject: AwsSubject) -> Handle:
    """Return what a worker that was killed leaves: a folder, and no result."""
    folder = subject.folder / "left"
    folder.mkdir(exist_ok=True)
    return Handle(folder=folder, result=None, alive=False)


def saved(plan: Plan) -> dict[str, Any]:
    assert plan.saved is not None
    found: dict[str, Any] = json.loads(plan.saved.read_bytes())
    return found


def test_progress_is_told_event_by_event(rig: AwsRig) -> None:
    subject = rig.converged()
    said = subject.said()
    for line in ("CREATE_IN_PROGRESS: User Initiated", "First (AWS::SQS::Queue): CREATE_COMPLETE"):
        assert line in said


def test_a_failed_creation_is_told_by_its_first_cause_and_the_way_out_is_named(rig: AwsRig) -> None:
    subject = rig.fresh(QUEUE + FAILING)
    subject.inputs = {"Label": Input(value=subject.canary, sensitive=True)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(ToolFailed, match=r"ROLLBACK_COMPLETE: .*CREATE_FAILED: the name is taken by") as failed:
        subject.adapter.apply(subject.workspace, plan)
    assert "\n" not in failed.value.message
    assert subject.canary not in failed.value.message
    assert "--destroy" in failed.value.hint
    with pytest.raises(ToolFailed, match="is in ROLLBACK_COMPLETE"):
        subject.again().plan(subject.workspace, Goal.CONVERGE)
    subject.again().apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.DESTROY))
    assert subject.stack() is None


def test_a_failed_update_leaves_everything_as_it_was(rig: AwsRig) -> None:
    subject = plain(rig)
    before = subject.world()
    subject.template.write_text(QUEUE.replace("Default: 30", "Default: 31") + FAILING)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(ToolFailed, match="UPDATE_ROLLBACK_COMPLETE") as failed:
        subject.adapter.apply(subject.workspace, plan)
    assert "plan again" in failed.value.hint
    assert subject.world() == before
    assert subject.adapter.resume(subject.workspace, plan, lost(subject)) == Finished(
        error=failed.value.message.partition(" ended in ")[2].join(["the stack ended in ", ""])
    )


def test_the_same_plan_is_never_executed_twice(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    subject.adapter.apply(subject.workspace, plan)
    before = subject.world()
    with pytest.raises(PlanStale):
        subject.again().apply(subject.workspace, plan)
    assert subject.world() == before


def test_a_change_set_that_somebody_removed_is_stale(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    subject.cloudformation.delete_change_set(ChangeSetName=saved(plan)["change_set"])
    with pytest.raises(PlanStale, match="is gone"):
        subject.adapter.apply(subject.workspace, plan)


def test_a_saved_plan_that_is_gone_is_stale(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(PlanStale, match="the saved plan is gone"):
        subject.adapter.apply(subject.workspace, replace(plan, saved=None))
    assert isinstance(subject.adapter.resume(subject.workspace, replace(plan, saved=None), lost(subject)), Unknown)


def test_an_attempt_whose_worker_died_is_followed_at_the_service(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    kept = saved(plan)
    subject.cloudformation.execute_change_set(ChangeSetName=kept["change_set"], ClientRequestToken=kept["token"])
    assert subject.adapter.resume(subject.workspace, plan, lost(subject)) == Running()
    assert subject.adapter.resume(subject.workspace, plan, lost(subject)) == Finished()


def test_an_attempt_that_never_reached_the_service_changed_nothing(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    before = subject.world()
    found = subject.adapter.resume(subject.workspace, plan, lost(subject))
    assert isinstance(found, Finished)
    assert "nothing changed" in str(found.error)
    assert subject.world() == before


def test_what_somebody_else_executed_is_not_taken_for_the_attempt(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    subject.inputs = {"Wait": Input(value=90)}
    kept = subject.folder / "kept-plan"
    kept.write_bytes(plan.saved.read_bytes() if plan.saved else b"")
    subject.again().apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.CONVERGE))
    assert isinstance(subject.adapter.resume(subject.workspace, replace(plan, saved=kept), lost(subject)), Unknown)


def test_a_removal_whose_worker_died_is_found_done(rig: AwsRig) -> None:
    subject = plain(rig)
    plan = subject.adapter.plan(subject.workspace, Goal.DESTROY)
    untouched = subject.adapter.resume(subject.workspace, plan, lost(subject))
    assert isinstance(untouched, Finished)
    assert "nothing changed" in str(untouched.error)
    subject.adapter.apply(subject.workspace, plan)
    assert subject.adapter.resume(subject.workspace, plan, lost(subject)) == Finished()


def test_what_a_failed_attempt_said_itself_is_adopted(rig: AwsRig) -> None:
    subject = plain(rig, QUEUE + FAILING, apply=False)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(ToolFailed):
        subject.adapter.apply(subject.workspace, plan)
    found = subject.adapter.resume(subject.workspace, plan, subject.handle())
    assert isinstance(found, Finished)
    assert "ROLLBACK_COMPLETE" in str(found.error)


def test_a_client_that_was_killed_says_nothing_of_how_its_attempt_ended(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    kept = saved(plan)
    subject.cloudformation.execute_change_set(ChangeSetName=kept["change_set"], ClientRequestToken=kept["token"])
    killed = replace(lost(subject), result=Result(exit_code=137, stdout=b'{"say": "CREATE_IN_PROGRESS"}\n', stderr=b""))
    assert subject.adapter.resume(subject.workspace, plan, killed) == Running()
    assert subject.adapter.resume(subject.workspace, plan, killed) == Finished()

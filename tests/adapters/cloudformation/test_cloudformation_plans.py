"""What a plan tells, what it leaves behind, and what it refuses, against a server that speaks AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from queue_stack import QUEUE, plain

from adapters.contract import (
    ChangeKind,
    Goal,
    Input,
    InvalidSettings,
    PlanStale,
    Severity,
    ToolBusy,
    ToolFailed,
)

if TYPE_CHECKING:
    from conftest import AwsRig, AwsSubject


def sets(subject: AwsSubject) -> list[str]:
    listed = subject.cloudformation.list_change_sets(StackName=subject.name)["Summaries"]
    return [one["ChangeSetName"] for one in listed]


def test_an_existing_stack_is_updated_and_values_are_told_before_and_after(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    (change,) = plan.changes
    assert (change.address, change.kind) == ("Queue", ChangeKind.UPDATE)
    assert [(one.path, str(one.before), one.after) for one in change.attributes] == [("VisibilityTimeout", "30", "60")]


@pytest.mark.parametrize(
    "spoilt", ["", "no JSON", "[]", '{"of": {}}', '{"of": {"id": "another"}, "template": "no: {"}']
)
def test_what_is_remembered_of_another_stack_or_is_spoilt_is_asked_for_again(rig: AwsRig, spoilt: str) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    subject.template.write_text(QUEUE + "Outputs:\n  Url: {Value: !Ref Queue}\n")
    kept = subject.workspace.scratch / "deployed.json"
    kept.write_text(spoilt)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert plan.outputs_changing == ("Url",)
    assert json.loads(kept.read_bytes())["template"] == QUEUE
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).outputs_changing == ("Url",)
    subject.adapter.apply(subject.workspace, plan)
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty
    assert json.loads(kept.read_bytes())["template"] == subject.template.read_text()


def test_what_is_lost_is_told_first_and_what_forces_it(rig: AwsRig) -> None:
    subject = plain(rig)
    other = '  Other:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: !Sub "${AWS::StackName}-other"}\n'
    subject.template.write_text(QUEUE.replace("-queue", "-renamed") + other)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert [(one.address, one.kind) for one in plan.changes] == [
        ("Queue", ChangeKind.REPLACE),
        ("Other", ChangeKind.CREATE),
    ]
    (forcing,) = [one for one in plan.changes[0].attributes if one.forces_replacement]
    assert (forcing.path, forcing.before, forcing.after) == (
        "QueueName",
        f"{subject.name}-queue",
        f"{subject.name}-renamed",
    )


def test_a_change_set_without_changes_is_an_empty_plan_and_is_not_left_behind(rig: AwsRig) -> None:
    subject = rig.converged()
    left = sets(subject)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert plan.empty
    assert sets(subject) == left


def test_a_stack_that_was_only_planned_is_created_and_not_updated(rig: AwsRig) -> None:
    subject = rig.fresh()
    for _ in range(2):
        plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
        assert {change.kind for change in plan.changes} == {ChangeKind.CREATE}
    stack = subject.stack()
    assert stack is not None
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert subject.adapter.outputs(subject.workspace) == {}


def test_another_plan_leaves_one_that_waits_for_a_yes_as_it_is(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    waiting = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert waiting.saved is not None
    kept = waiting.saved.replace(waiting.saved.with_name("waiting"))
    subject.inputs = {"Wait": Input(value=90)}
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert json.loads(kept.read_bytes())["change_set"].rsplit("/", 2)[-2] in sets(subject)
    assert len(sets(subject)) >= 2


def test_an_output_alone_is_a_plan(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.template.write_text(QUEUE + "Outputs:\n  Url: {Value: !Ref Queue}\n")
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert (plan.changes, plan.outputs_changing) == ((), ("Url",))
    subject.adapter.apply(subject.workspace, plan)
    assert str(subject.adapter.outputs(subject.workspace)["Url"].value).endswith("-queue")
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_a_tag_of_the_stack_alone_is_a_plan(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.again(tags={"team": "web"})
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    (change,) = plan.changes
    assert change.address == f"stack {subject.name}"
    assert [(one.path, one.before, one.after) for one in change.attributes] == [("tags", {}, {"team": "web"})]
    subject.adapter.apply(subject.workspace, plan)
    stack = subject.stack()
    assert stack is not None
    assert stack["Tags"] == [{"Key": "team", "Value": "web"}]
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_protection_and_policy_are_planned_and_set(rig: AwsRig) -> None:
    policy = '{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'
    subject = plain(rig)
    subject.write("stacks/web/policy.json", policy)
    subject.again(termination_protection=True, stack_policy="policy.json")
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    (change,) = plan.changes
    assert [(one.path, one.after) for one in change.attributes] == [
        ("stack_policy", json.loads(policy)),
        ("termination_protection", True),
    ]
    subject.adapter.apply(subject.workspace, plan)
    stack = subject.stack()
    assert stack is not None
    assert stack["EnableTerminationProtection"] is True
    told = subject.cloudformation.get_stack_policy(StackName=subject.name)["StackPolicyBody"]
    assert json.loads(told) == json.loads(policy)
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_what_is_protected_from_termination_is_not_destroyed_and_the_remedy_is_named(rig: AwsRig) -> None:
    subject = plain(rig, termination_protection=True)
    with pytest.raises(InvalidSettings, match="protected from termination") as refused:
        subject.adapter.plan(subject.workspace, Goal.DESTROY)
    assert "termination_protection: false" in refused.value.hint
    subject.again(termination_protection=None)
    with pytest.raises(ToolFailed, match="protected from termination"):
        subject.adapter.plan(subject.workspace, Goal.DESTROY)


def test_what_a_deletion_policy_retains_is_named_and_stays(rig: AwsRig) -> None:
    subject = plain(rig, QUEUE.replace("    Properties:", "    DeletionPolicy: Retain\n    Properties:", 1))
    plan = subject.adapter.plan(subject.workspace, Goal.DESTROY)
    assert [one.address for one in plan.changes] == [f"stack {subject.name}"]
    assert [(one.severity, one.summary.partition(" ")[0]) for one in plan.problems] == [(Severity.NOTE, "Queue")]
    subject.adapter.apply(subject.workspace, plan)
    assert subject.stack() is None
    assert subject.queue("queue")


def test_a_resource_that_leaves_the_stack_and_is_retained_is_no_deletion(rig: AwsRig) -> None:
    kept = '  Kept:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n    Properties: {QueueName: !Sub "${AWS::StackName}-kept"}\n'
    subject = plain(rig, QUEUE + kept)
    subject.template.write_text(QUEUE)
    (change,) = subject.adapter.plan(subject.workspace, Goal.CONVERGE).changes
    assert (change.address, change.kind) == ("Kept", ChangeKind.UPDATE)
    assert "stays as it is" in change.reason


def test_nothing_is_planned_on_a_stack_that_is_not_there_to_destroy(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    assert subject.adapter.plan(subject.workspace, Goal.DESTROY).empty


def test_a_stack_at_work_is_busy(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert plan.saved is not None
    arn = json.loads(plan.saved.read_bytes())["change_set"]
    subject.cloudformation.execute_change_set(ChangeSetName=arn, ClientRequestToken="somebody-else")
    with pytest.raises(ToolBusy, match="UPDATE_IN_PROGRESS"):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(PlanStale):
        subject.adapter.apply(subject.workspace, plan)


def test_a_secret_that_is_not_no_echo_is_masked_where_it_is_used_and_warned_of(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Label": Input(value="hush", sensitive=True)}
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    (change,) = plan.changes
    assert "hush" not in repr(plan)
    assert any(one.sensitive and one.path.startswith("Tags") for one in change.attributes)
    (warning,) = plan.problems
    assert (warning.severity, warning.file, warning.line) == (Severity.WARNING, "stacks/web/template.yaml", 3)


def test_secrets_are_neither_on_the_command_line_nor_left_in_files(rig: AwsRig) -> None:
    subject = rig.converged()
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert subject.canary not in subject.said()
    assert "c4n4ry-aws-key" not in subject.said()
    held = [path for path in (subject.folder / "private").iterdir() if subject.canary.encode() in path.read_bytes()]
    # Outputs as this run saw them hold what they hold; the folder goes with the run.
    assert [path.name for path in held] == ["outputs.json"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (subject.folder / "private").iterdir())


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (
            {"Wiat": Input(value=1), "Needed": Input(value="x")},
            'stacks/web/template.yaml:1: the template declares no parameter "Wiat"',
        ),
        ({}, 'stacks/web/template.yaml:3: the parameter "Needed" has no value'),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_with_its_line(rig: AwsRig, inputs: dict[str, Input], says: str) -> None:
    declared = QUEUE.replace("Label: {Type: String, Default: plain}", "Needed: {Type: String}")
    subject = plain(rig, declared.replace("Ref Label", "Ref Needed"), apply=False)
    subject.inputs = inputs
    with pytest.raises(InvalidSettings) as refused:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert refused.value.message == says


def test_without_credentials_it_says_which_key_to_write(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    subject.credentials = {"AWS_ENDPOINT_URL": rig.account.endpoint}
    with pytest.raises(ToolFailed, match="no AWS credentials were granted") as refused:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert "credentials:" in refused.value.hint


def test_a_region_comes_from_the_stack_or_with_the_credentials(rig: AwsRig) -> None:
    subject = plain(rig, apply=False, region=None)
    with pytest.raises(InvalidSettings, match="no region is named"):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    subject.credentials = {**rig.account.credentials, "AWS_REGION": "eu-central-1"}
    assert not subject.again().plan(subject.workspace, Goal.CONVERGE).empty


def test_an_endpoint_that_nobody_listens_at_is_told_in_one_line(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    subject.credentials = {**rig.account.credentials, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    with pytest.raises(ToolFailed, match="AWS cannot be reached") as failed:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert "\n" not in failed.value.message


def test_what_is_no_answer_of_aws_is_told_in_one_line(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    # moto knows nothing of it, and answers with a page.
    subject.credentials = {**rig.account.credentials, "AWS_ENDPOINT_URL": f"{rig.account.endpoint}/moto-api"}
    with pytest.raises(ToolFailed) as failed:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert "\n" not in failed.value.message

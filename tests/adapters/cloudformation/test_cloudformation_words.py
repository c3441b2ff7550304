"""What the service says, read without it: values that it leaves out, failures, answers in a form nobody knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.cloudformation import answers, statuses
from adapters.cloudformation.changes import Sides, changes
from adapters.cloudformation.sameness import same
from adapters.cloudformation.template import read
from adapters.contract import ChangeKind, OutputUnreadable, Result, ToolBusy, ToolStopped

OLD = read(
    "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties: {Wait: 1, Name: !Ref Label, At: !GetAtt X.Arn}\n"
)
NEW = read(
    "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties: {Wait: 2, Name: !Sub 'a-${Label}', At: !GetAtt Y.Arn}\n"
)
SIDES = Sides(
    template=NEW,
    values={"Label": "new"},
    secret=frozenset(),
    secrets=frozenset(),
    deployed=OLD,
    deployed_values={"Label": "old"},
)


def told(**more: Any) -> dict[str, Any]:
    return {"Action": "Modify", "LogicalResourceId": "Q", "ResourceType": "AWS::SQS::Queue", "Details": [], **more}


def test_values_that_the_service_leaves_out_are_taken_from_both_templates() -> None:
    (change,) = changes([told(Replacement="False")], SIDES)
    assert [(one.path, one.before, one.after, one.computed) for one in change.attributes] == [
        ("At", None, None, True),
        ("Name", "old", "a-new", False),
        ("Wait", 1, 2, False),
    ]


def test_what_the_service_says_of_both_sides_counts_before_what_the_templates_say() -> None:
    sides = {"BeforeContext": '{"Properties": {"Wait": "7"}}', "AfterContext": '{"Properties": {"Wait": "8"}}'}
    (change,) = changes([told(Replacement="False", **sides)], SIDES)
    assert [(one.path, one.before, one.after) for one in change.attributes] == [("Wait", "7", "8")]


def test_values_of_single_properties_are_taken_where_the_service_gives_them() -> None:
    target = {"Path": "/Properties/Wait", "BeforeValue": "1", "AfterValue": "2", "RequiresRecreation": "Always"}
    (change,) = changes([told(Replacement="True", Details=[{"Target": target}])], SIDES)
    (attribute,) = change.attributes
    assert (attribute.path, attribute.before, attribute.after, attribute.forces_replacement) == ("Wait", 1, 2, True)


@pytest.mark.parametrize(
    ("more", "kind", "says"),
    [
        ({"Replacement": "Conditional"}, ChangeKind.REPLACE, "may be replaced"),
        ({}, ChangeKind.UNKNOWN, "does not say whether it is replaced"),
        ({"Action": "Dynamic"}, ChangeKind.UNKNOWN, "only at work"),
        ({"Action": "Remove", "PolicyAction": "Snapshot"}, ChangeKind.DELETE, ""),
    ],
)
def test_what_the_service_does_not_promise_counts_as_destructive(more: Any, kind: ChangeKind, says: str) -> None:
    (change,) = changes([told(**more)], SIDES)
    assert change.kind is kind
    assert kind.destructive
    assert says in change.reason


def test_a_resource_that_is_only_taken_over_is_no_change() -> None:
    assert changes([told(Action="Import")], SIDES) == ()


def test_changes_in_nested_stacks_bear_the_name_of_the_resource_that_they_are_in() -> None:
    (change,) = changes([told(Prefix="Inner/", Replacement="False")], SIDES)
    assert change.address == "Inner/Q"


def test_a_change_set_that_is_still_being_made_is_waited_for() -> None:
    """The real library with answers put in; it knows the service's own forms."""
    import boto3  # noqa: PLC0415 - takes a second to load
    from botocore.stub import Stubber  # noqa: PLC0415

    from adapters.cloudformation.cloud import Cloud  # noqa: PLC0415
    from adapters.cloudformation.planning import changes as planned  # noqa: PLC0415

    stack, made = (f"arn:aws:cloudformation:eu-central-1:1:{kind}/web/1" for kind in ("stack", "changeSet"))
    keys = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
    client = boto3.client("cloudformation", region_name="eu-central-1", **keys)
    request = dict.fromkeys(("template_url", "role_arn", "notification_arns", "nested"), "")
    request |= {"stack_name": "web", "template": "{}", "parameters": {}, "tags": {}, "capabilities": []}
    with Stubber(client) as answering:
        answering.add_response("create_change_set", {"Id": made, "StackId": stack})
        for status in ("CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
            answering.add_response("describe_change_set", {"Status": status})
        found = planned(Cloud(region="eu-central-1", cloudformation=client), request, None)
        answering.assert_no_pending_responses()
    assert (found["change_set"], found["creates"]) == (made, True)


def test_old_change_sets_are_removed_while_the_service_makes_the_new_one() -> None:
    """The real library with answers put in: what stands in for the service makes change sets at once."""
    import boto3  # noqa: PLC0415 - takes a second to load
    from botocore.stub import Stubber  # noqa: PLC0415

    from adapters.cloudformation.cloud import Cloud  # noqa: PLC0415
    from adapters.cloudformation.planning import plan  # noqa: PLC0415

    now, arn = datetime.now(tz=UTC), "arn:aws:cloudformation:eu-central-1:1"
    stack = {"StackId": f"{arn}:stack/web/1", "StackName": "web", "StackStatus": "UPDATE_COMPLETE", "CreationTime": now}
    listed = [
        {"ChangeSetName": name, "ChangeSetId": f"{arn}:changeSet/{name}/1", "Status": status, "CreationTime": made}
        for name, status, made in (
            ("holdfast-waiting", "CREATE_COMPLETE", now),
            ("holdfast-failed", "FAILED", now),
            ("holdfast-old", "CREATE_COMPLETE", now - timedelta(days=8)),
            ("somebody-elses", "FAILED", now - timedelta(days=8)),
        )
    ]
    keys = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
    client = boto3.client("cloudformation", region_name="eu-central-1", **keys)
    request = dict.fromkeys(("template_url", "role_arn", "notification_arns", "nested", "bucket"), "")
    request |= {"stack_name": "web", "template": "{}", "parameters": {}, "tags": {}, "capabilities": [], "uploads": {}}
    request |= {"known": {"of": {"id": stack["StackId"], "status": "UPDATE_COMPLETE", "updated": ""}, "template": "A"}}
    with Stubber(client) as answering:
        answering.add_response("describe_stacks", {"Stacks": [stack]})
        answering.add_response("create_change_set", {"Id": f"{arn}:changeSet/new/1", "StackId": stack["StackId"]})
        answering.add_response("describe_change_set", {"Status": "CREATE_PENDING"})
        answering.add_response("list_change_sets", {"Summaries": listed})
        for name in ("holdfast-failed", "holdfast-old"):
            answering.add_response("delete_change_set", {}, {"ChangeSetName": f"{arn}:changeSet/{name}/1"})
        answering.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
        found = plan(Cloud(region="eu-central-1", cloudformation=client), request)
        answering.assert_no_pending_responses()
    assert found["deployed"]["template"] == "A"


def test_an_execution_that_can_no_longer_be_watched_is_neither_failed_nor_ended() -> None:
    """The real library with answers put in; it knows the service's own forms."""
    import boto3  # noqa: PLC0415 - takes a second to load
    from botocore.stub import Stubber  # noqa: PLC0415

    from adapters.cloudformation import executing  # noqa: PLC0415
    from adapters.cloudformation.cloud import Cloud, Refused  # noqa: PLC0415

    stack, made = (f"arn:aws:cloudformation:eu-central-1:1:{kind}/web/1" for kind in ("stack", "changeSet"))
    keys = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
    client = boto3.client("cloudformation", region_name="eu-central-1", **keys)
    saved = {"stack_name": "web", "change_set": made, "token": "t", "expected": {"id": stack}}
    with Stubber(client) as answering:
        answering.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE"})
        answering.add_response("describe_stack_events", {"StackEvents": []})
        answering.add_response("execute_change_set", {})
        answering.add_client_error("describe_stack_events", "ServiceUnavailable", "come back later", 503)
        with pytest.raises(Refused) as refused:
            executing._execute(Cloud(region="eu-central-1", cloudformation=client), saved)
        answering.assert_no_pending_responses()
    error = {"kind": refused.value.kind, "message": refused.value.message, "hint": refused.value.hint}
    assert isinstance(answers.refused(error, frozenset()), ToolStopped)
    assert not answers.ended(json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    "more",
    [
        "  N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://elsewhere/x.yaml}}\n",
        "Parameters:\n  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}\n",
        "Transform: Ours\n",
    ],
)
def test_what_is_decided_elsewhere_is_never_taken_for_what_is_deployed(more: str) -> None:
    plain = "Resources:\n  Q: {Type: AWS::SQS::Queue}\n"
    request = {"template": plain, "parameters": {}, "defaults": {}, "tags": {}}
    assert same(request, {**request})
    assert not same({**request, "template": plain + more}, {**request, "template": plain + more})


def test_what_failed_only_because_something_else_did_is_not_the_cause() -> None:
    events = [
        {"LogicalResourceId": "A", "ResourceType": "T", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": why}
        for why in ("Resource creation cancelled", "no such role")
    ]
    assert statuses.cause(statuses.first_failure(events)) == "A (T) CREATE_FAILED: no such role"
    assert "names no resource" in statuses.cause(statuses.first_failure([]))


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_an_operation_that_cleans_up_has_not_ended(status: str) -> None:
    assert statuses.ended([{"PhysicalResourceId": "s", "ResourceStatus": status}], "s") == ""


def test_the_shell_of_a_stack_is_not_at_work() -> None:
    assert not statuses.in_progress("REVIEW_IN_PROGRESS")


@pytest.mark.parametrize(
    "printed", [b"", b"{}", b"Traceback\n", b'{"result": []}\n', b"\xff\xfe{", b'{"say": "x"}\n[1]\n']
)
def test_an_answer_in_a_form_nobody_knows_is_said_to_be_one(printed: bytes) -> None:
    with pytest.raises(OutputUnreadable) as refused:
        answers.result(Result(exit_code=0, stdout=printed, stderr=b"boom\nhush-hush\n"), frozenset({"hush-hush"}))
    assert "hush-hush" not in refused.value.message
    assert "\n" not in refused.value.message


def test_a_refusal_is_masked_and_of_one_line() -> None:
    error = {"kind": "busy", "message": "hush-hush\nis busy", "hint": "not hush-hush"}
    refused = answers.refused(error, frozenset({"hush-hush"}))
    assert isinstance(refused, ToolBusy)
    assert refused.message == "(sensitive) is busy"
    assert "hush" not in refused.hint

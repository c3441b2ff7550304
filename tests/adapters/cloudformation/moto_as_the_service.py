"""Our own extension of moto, run as a server of its own: ``python moto_as_the_service.py`` prints its port.

moto speaks CloudFormation, with gaps. What is added here is ours and follows the service's documentation; the wire
form of every answer is botocore's own model, by which moto serialises. Added:

- drift detection (DetectStackDrift, DescribeStackDriftDetectionStatus, DescribeStackResourceDrifts): the properties
  that the template gives to queues and buckets are compared with what moto's queues and buckets are
- change sets with DeploymentMode REVERT_DRIFT, executed on those properties; not in the region eu-south-1
- one shell of a stack for all its change sets of type CREATE; change sets listed by stack; only one that is AVAILABLE
  is executed, and then the others are gone; values before and after; whether a change replaces
- an execution that takes a while, with events of each resource and the caller's token; one that fails rolls back
- outputs, parameters, tags and the time of the last update after a change set; NoEcho starred out
- UpdateTerminationProtection, and its refusal of a removal; retained resources; deletion of a shell
- validation of templates as far as the tests need it

It uses moto's insides: its version is pinned by the constraints.
"""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

from moto.cloudformation import models
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse as Response
from moto.core.responses import ActionResult, EmptyResult
from moto.server import DomainDispatcherApplication, create_backend_app
from moto_drift import LOOKS, drifts, install, now, put_back
from werkzeug.serving import make_server

LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
#: A region that offers no drift-aware change sets.
WITHOUT = "eu-south-1"
#: Properties whose change replaces the resource.
REPLACING = {"QueueName", "BucketName", "FifoQueue"}


# --- change sets -----------------------------------------------------------------------------------------------------


def resolved(value: Any, values: dict[str, Any]) -> Any:
    """Return properties as a change set tells them: what it cannot know yet is named so."""
    if isinstance(value, list):
        return [resolved(item, values) for item in value]
    if not isinstance(value, dict):
        return value if isinstance(value, str) else json.loads(json.dumps(value))
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Ref":
            return values.get(argument, LATER)
        if key == "Fn::Sub" and isinstance(argument, str):
            for name, known in values.items():
                argument = argument.replace("${" + name + "}", str(known))
            return LATER if "${" in argument else argument
        if key.startswith("Fn::"):
            return LATER
    return {key: resolved(item, values) for key, item in value.items()}


def values_of(stack: Any, template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    found = {"AWS::StackName": stack.name, "AWS::Region": stack.region_name, "AWS::AccountId": stack.account_id}
    for name, one in (template.get("Parameters") or {}).items():
        value = given.get(name, one.get("Default"))
        found[name] = "****" if str(one.get("NoEcho")).lower() == "true" else value
    return found


def told_changes(stack: Any, change_set: Any) -> list[dict[str, Any]]:
    """Compare template with template, parameters filled in: moto itself sees no change of a parameter alone."""
    old_template, new_template = stack.template_dict or {}, change_set.template_dict
    listed = [(old_template.get("Resources") or {}), new_template["Resources"]]
    old_values = values_of(stack, old_template, stack.parameters)
    new_values = values_of(stack, new_template, change_set.parameters)
    told = []
    for name in sorted({*listed[0], *listed[1]}):
        old, new = (side.get(name) for side in listed)
        before = resolved(old.get("Properties", {}), old_values) if old else None
        after = resolved(new.get("Properties", {}), new_values) if new else None
        if before != after or old is None or new is None:
            told.append(told_change(name, old, new, before, after))
    return told


def told_change(name: str, old: Any, new: Any, before: Any, after: Any) -> dict[str, Any]:
    action = "Add" if old is None else "Remove" if new is None else "Modify"
    told: dict[str, Any] = {
        "Action": action,
        "LogicalResourceId": name,
        "ResourceType": (new or old)["Type"],
        "Details": [],
    }
    if before is not None:
        told["BeforeContext"] = json.dumps({"Properties": before})
    if after is not None:
        told["AfterContext"] = json.dumps({"Properties": after})
    if action == "Remove":
        told["PolicyAction"] = "Retain" if old.get("DeletionPolicy") == "Retain" else "Delete"
    if action == "Modify":
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        told["Details"] = [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": key,
                    "RequiresRecreation": "Always" if key in REPLACING else "Never",
                }
            }
            for key in sorted(changed)
        ]
        told["Replacement"] = "True" if changed & REPLACING else "False"
    return told


def told_reverts(stack: Any) -> list[dict[str, Any]]:
    told = []
    for one in drifts(stack):
        if one["StackResourceDriftStatus"] not in {"MODIFIED", "DELETED"}:
            continue
        gone = one["StackResourceDriftStatus"] == "DELETED"
        change = {
            "Action": "Add" if gone else "Modify",
            "LogicalResourceId": one["LogicalResourceId"],
            "ResourceType": one["ResourceType"],
            "ResourceDriftStatus": one["StackResourceDriftStatus"],
            "AfterContext": json.dumps({"Properties": json.loads(one["ExpectedProperties"])}),
        }
        if not gone:
            change["Replacement"] = "False"
            change["BeforeContext"] = json.dumps({"Properties": json.loads(one["ActualProperties"])})
        told.append(change)
    return told


_create_change_set = Response.create_change_set


def create_change_set(self: Any) -> ActionResult:
    backend, name = self.cloudformation_backend, self._get_param("StackName")
    mode, kind = self._get_param("DeploymentMode"), self._get_param("ChangeSetType", "CREATE")
    if mode and self.region == WITHOUT:
        raise ValidationError(message="DeploymentMode is not supported in this region")
    standing = next((one for one in backend.stacks.values() if one.name == name), None)
    if kind == "CREATE" and standing is not None:
        if standing.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(message=f"Stack [{name}] already exists and cannot be created again")
        # moto would make a second stack of the same name.
        del backend.stacks[standing.stack_id]
    answer = _create_change_set(self)
    made = backend.change_sets[answer.result["Id"]]
    if kind == "CREATE" and standing is not None:
        del backend.stacks[made.stack.stack_id]
        backend.stacks[standing.stack_id] = made.stack = standing
        made.stack_id = answer.result["StackId"] = standing.stack_id
    made.mode = mode
    made.told = told_reverts(made.stack) if mode else told_changes(made.stack, made)
    outputs = (made.template_dict.get("Outputs"), made.tags)
    unchanged = not made.told and outputs == ((made.stack.template_dict or {}).get("Outputs"), made.stack.tags)
    if kind == "UPDATE" and unchanged and made.template_dict == made.stack.template_dict:
        made.status, made.execution_status = "FAILED", "UNAVAILABLE"
        made.status_reason = "The submitted information didn't contain changes. Submit different information."
    else:
        made.status, made.execution_status, made.status_reason = "CREATE_COMPLETE", "AVAILABLE", None
    return answer


def describe_change_set(self: Any) -> ActionResult:
    asked, stack = self._get_param("ChangeSetName"), self._get_param("StackName")
    # By its ARN, or by its name with the stack's.
    called = (
        one for one in self.cloudformation_backend.change_sets.values() if stack in {one.stack_name, one.stack_id}
    )
    found = self.cloudformation_backend.change_sets.get(asked) or next(
        (one for one in called if one.change_set_name == asked), None
    )
    if found is None:
        raise ValidationError(message=f"ChangeSet [{asked}] does not exist")
    return ActionResult(
        {
            "ChangeSetName": found.change_set_name,
            "ChangeSetId": found.change_set_id,
            "StackId": found.stack.stack_id,
            "StackName": found.stack.name,
            "CreationTime": found.creation_time,
            "Status": found.status,
            "StatusReason": found.status_reason,
            "ExecutionStatus": found.execution_status,
            "Changes": [{"Type": "Resource", "ResourceChange": one} for one in found.told],
        }
    )


def list_change_sets(self: Any) -> ActionResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    return ActionResult(
        {
            "Summaries": [
                {
                    "ChangeSetId": one.change_set_id,
                    "ChangeSetName": one.change_set_name,
                    "Status": one.status,
                    "ExecutionStatus": one.execution_status,
                    "CreationTime": one.creation_time,
                }
                for one in self.cloudformation_backend.change_sets.values()
                if one.stack is stack
            ]
        }
    )


def event(stack: Any, token: str | None, status: str, reason: str = "", name: str = "", made: Any = None) -> None:
    told = models.Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=name or stack.name,
        physical_resource_id=str(getattr(made, "physical_resource_id", "") or "") if name else stack.stack_id,
        resource_type=getattr(made, "cf_resource_type", None)
        or ("AWS::Unknown" if name else "AWS::CloudFormation::Stack"),
        resource_status=status,
        resource_status_reason=reason or None,
        resource_properties=None,
    )
    told.client_request_token = token
    stack.pending_events.append(told)


def execute_change_set(self: Any) -> EmptyResult:
    backend, token = self.cloudformation_backend, self._get_param("ClientRequestToken")
    found = backend.change_sets.get(self._get_param("ChangeSetName"))
    if found is None:
        raise ValidationError(message=f"ChangeSet [{self._get_param('ChangeSetName')}] does not exist")
    if found.execution_status != "AVAILABLE":
        raise ValidationError(message=f"InvalidChangeSetStatus: it is {found.execution_status}")
    stack, kind = found.stack, found.change_set_type
    stack.pending_events, stack.looks = [], 0
    stack.last_updated_time = now()
    event(stack, token, f"{kind}_IN_PROGRESS", "User Initiated")
    before = copy.deepcopy(stack.resource_map._resource_json_map)
    try:
        _carry_out(found, token)
    except Exception as error:  # noqa: BLE001 - whatever moto says is what the service would say of a resource
        name = next((one["LogicalResourceId"] for one in found.told), stack.name)
        event(stack, token, f"{kind}_FAILED", str(error), name=name)
        event(stack, token, "CREATE_FAILED", "Resource creation cancelled", name="Later")
        stack.resource_map._resource_json_map = before
        ended = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
        event(stack, token, f"{ended}_IN_PROGRESS", "The following resource(s) failed")
        event(stack, token, f"{ended}_COMPLETE")
        found.execution_status, stack.ends_as = "EXECUTE_FAILED", f"{ended}_COMPLETE"
    else:
        event(stack, token, f"{kind}_COMPLETE")
        found.execution_status, stack.ends_as = "EXECUTE_COMPLETE", f"{kind}_COMPLETE"
    stack.status = f"{kind}_IN_PROGRESS"
    for other in [one for one in backend.change_sets.values() if one.stack is stack and one is not found]:
        del backend.change_sets[other.change_set_id]
    return EmptyResult()


def _carry_out(found: Any, token: str | None) -> None:
    stack = found.stack
    if found.mode == "REVERT_DRIFT":
        for one in drifts(stack):
            if one["StackResourceDriftStatus"] == "DELETED":
                stack.resource_map._parsed_resources.pop(one["LogicalResourceId"], None)
                _ = stack.resource_map[one["LogicalResourceId"]]
            elif one["StackResourceDriftStatus"] == "MODIFIED":
                put_back(stack, one["ResourceType"], one["PhysicalResourceId"], json.loads(one["ExpectedProperties"]))
        return
    for name, one in found.template_dict["Resources"].items():
        # How a test has the service fail: moto itself checks little.
        if (one.get("Metadata") or {}).get("Fails"):
            raise ValueError(one["Metadata"]["Fails"])
        if name not in stack.resource_map._resource_json_map:
            event(stack, token, "CREATE_IN_PROGRESS", name=name)
    kept = {
        name: stack.resource_map._parsed_resources.get(name)
        for name, one in stack.resource_map._resource_json_map.items()
        if one.get("DeletionPolicy") == "Retain" and name not in found.template_dict["Resources"]
    }
    for name in kept:
        del stack.resource_map._resource_json_map[name]
    found.apply()
    for name in found.template_dict["Resources"]:
        event(stack, token, "CREATE_COMPLETE", name=name, made=stack.resource_map._parsed_resources.get(name))
    stack.template, stack.tags, stack.parameters = found.template, found.tags or {}, found.parameters
    stack._parse_template()
    stack.output_map = stack._create_output_map()


def looked(stack: Any) -> None:
    """Let time go by: an operation ends after some looks."""
    if not getattr(stack, "pending_events", None):
        return
    stack.looks += 1
    some = stack.pending_events if stack.looks > LOOKS else stack.pending_events[:1]
    stack.events.extend(some)
    stack.pending_events = stack.pending_events[len(some) :]
    if not stack.pending_events:
        stack.status = stack.ends_as


_describe_stack_events = Response.describe_stack_events


def describe_stack_events(self: Any) -> ActionResult:
    looked(self.cloudformation_backend.get_stack(self._get_param("StackName")))
    return _describe_stack_events(self)


# --- stacks ----------------------------------------------------------------------------------------------------------


def describe_stacks(self: Any) -> ActionResult:
    name = self._get_param("StackName")
    try:
        found = self.cloudformation_backend.describe_stacks(name)
    except ValidationError:
        raise ValidationError(message=f"Stack with id {name} does not exist") from None
    return ActionResult({"Stacks": [described(stack) for stack in found]})


def described(stack: Any) -> dict[str, Any]:
    template = stack.template_dict or {}
    echo = {name: str(one.get("NoEcho")).lower() != "true" for name, one in (template.get("Parameters") or {}).items()}
    given = {
        name: stack.parameters.get(name, one.get("Default")) for name, one in (template.get("Parameters") or {}).items()
    }
    told = [one for one in stack.output_map.values() if one] if template.get("Outputs") else []
    exports = {str(one.value): one.name for one in stack.exports} if told else {}
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "CreationTime": stack.creation_time,
        "LastUpdatedTime": getattr(stack, "last_updated_time", None),
        "StackStatus": stack.status,
        "EnableTerminationProtection": stack.enable_termination_protection,
        "RoleARN": stack.role_arn,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": str(value) if echo[name] else "****"}
            for name, value in given.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in (stack.tags or {}).items()],
        "Outputs": [
            {"OutputKey": one.key, "OutputValue": str(one.value), "ExportName": exports.get(str(one.value))}
            for one in told
        ],
    }


def update_termination_protection(self: Any) -> ActionResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = str(self._get_param("EnableTerminationProtection")).lower() == "true"
    return ActionResult({"StackId": stack.stack_id})


def delete_stack(self: Any) -> EmptyResult:
    backend, token = self.cloudformation_backend, self._get_param("ClientRequestToken")
    try:
        stack = backend.get_stack(self._get_param("StackName"))
    except ValidationError:
        return EmptyResult()
    if stack.enable_termination_protection:
        raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    stack.pending_events, stack.looks, stack.ends_as = [], 0, "DELETE_COMPLETE"
    event(stack, token, "DELETE_IN_PROGRESS", "User Initiated")
    stack.resource_map.delete()
    event(stack, token, "DELETE_COMPLETE")
    stack.status = "DELETE_IN_PROGRESS"
    backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
    for one in [one for one in backend.change_sets.values() if one.stack is stack]:
        del backend.change_sets[one.change_set_id]
    return EmptyResult()


def validate_template(self: Any) -> ActionResult:
    body = models.Stack.parse_template(self._get_param("TemplateBody"))
    for name, one in body["Resources"].items():
        if str(one.get("Type", "")).count("::") < 2:
            raise ValidationError(
                message=f"Template format error: Unrecognized resource types: [{one['Type']}] of {name}"
            )
    return ActionResult({"Parameters": []})


# Our answers are in the model's form already.
for path in (
    "DescribeChangeSetOutput.Changes",
    "DescribeChangeSetOutput.Parameters",
    "DescribeStacksOutput.Stacks.Stack.Tags",
):
    Response.RESPONSE_KEY_PATH_TO_TRANSFORMER.pop(path)
# moto refuses a change set of what is deployed at once; the service makes one that has failed, or one of drift.
Response._validate_different_update = lambda *_: None
install()
for added in (
    create_change_set,
    describe_change_set,
    list_change_sets,
    execute_change_set,
    describe_stack_events,
    describe_stacks,
    update_termination_protection,
    delete_stack,
    validate_template,
):
    setattr(Response, added.__name__, added)

if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()

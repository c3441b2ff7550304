"""Working out what would be done, in the child process: a change set, made and described, never executed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError, ParamValidationError

from adapters.cloudformation.cloud import Cloud, Refused, busy, refusal, until
from adapters.cloudformation.statuses import SHELL, STUCK, in_progress

#: How the names of our change sets begin. Nobody else's is ever touched.
PREFIX: Final = "holdfast-"
#: What a stack is in after operations that always say when they took place.
_UPDATED: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_UNCHANGED: Final = ("didn't contain changes", "No updates are to be performed")
#: A plan that old is nobody's any more. Younger ones may wait for a yes, on this track or another.
_KEPT_FOR: Final = timedelta(days=7)


def plan(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a change set and tell what it would do; one that would do nothing is removed at once."""
    name = str(request["stack_name"])
    stack = cloud.stack(name)
    _check_ready(stack)
    _upload(cloud, request)
    stands = stack if stack and stack["StackStatus"] != SHELL else None
    look = cache(lambda: deployed(cloud, request, stands))

    def meanwhile() -> None:
        look()
        if stack is not None:
            _sweep(cloud, stack)

    made = changes(cloud, request, stack, meanwhile)
    # A change set does not touch a stack that stands: it is as it was before the look.
    expected = seen(stands or cloud.stack(made["stack_id"] or name))
    return {**made, "expected": expected, "deployed": look()}


def changes(
    cloud: Cloud,
    request: Mapping[str, Any],
    stack: Mapping[str, Any] | None,
    meanwhile: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Return a change set's id and what it would do; no id where there is nothing to do. Raises Refused.

    ``meanwhile`` is done while the service is still making the change set, which takes it seconds; where it is made at
    once, not at all.
    """
    creates = stack is None or stack["StackStatus"] == SHELL
    reverts = bool(request.get("revert_drift")) and not creates
    arguments = _arguments(request, kind="CREATE" if creates else "UPDATE", reverts=reverts)
    try:
        answer = cloud.cloudformation.create_change_set(**arguments)
    except ParamValidationError as error:
        raise _not_offered(str(error)) if reverts and "DeploymentMode" in str(error) else refusal(error) from None
    except ClientError as error:
        if any(word in str(error) for word in _UNCHANGED):
            return {"change_set": "", "stack_id": "", "creates": creates, "changes": []}
        raise _not_offered(str(error)) if reverts and "DeploymentMode" in str(error) else refusal(error) from None
    arn, stack_id = answer["Id"], answer["StackId"]
    found = _ready(cloud, arn, meanwhile)
    if found["Status"] == "CREATE_COMPLETE":
        told = [*_described(cloud, arn, found)]
        return {"change_set": arn, "stack_id": stack_id, "creates": creates, "changes": told}
    remove(cloud, arn, stack_id if creates else "")
    reason = str(found.get("StatusReason") or "no reason given")
    if any(word in reason for word in _UNCHANGED):
        return {"change_set": "", "stack_id": stack_id, "creates": creates, "changes": []}
    raise Refused("failed", f"no change set can be made: {reason}", "mend the template or the parameters")


def remove(cloud: Cloud, arn: str, stack_id: str) -> None:
    """Remove a change set, and with the last one the shell ``stack_id``, if any, of a stack that was never created."""
    with suppress(ClientError):
        cloud.cloudformation.delete_change_set(ChangeSetName=arn)
    stack = cloud.stack(stack_id) if stack_id else None
    if stack is None or stack["StackStatus"] != SHELL:
        return
    if not list(cloud.pages("list_change_sets", "Summaries", StackName=stack_id)):
        with suppress(ClientError):
            cloud.cloudformation.delete_stack(StackName=stack_id)


def plan_destroy(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what removing the stack would remove, and what it would leave."""
    stack = cloud.stack(str(request["stack_name"]))
    if stack is None or stack["StackStatus"] == SHELL:
        return {"expected": seen(stack), "resources": [], "deployed": None}
    if in_progress(stack["StackStatus"]):
        raise busy(stack)
    if stack.get("EnableTerminationProtection"):
        wish = request.get("termination_protection")
        hint = "write termination_protection: false in stacks.yaml and apply that first"
        # What the stack's own settings ask for stays until they change; anybody may take back what others set.
        kind = "settings" if wish else "failed"
        raise Refused(kind, f"{stack['StackName']} is protected from termination: nothing is removed", hint)
    listed = cloud.pages("list_stack_resources", "StackResourceSummaries", StackName=stack["StackId"])
    return {
        "expected": seen(stack),
        "resources": [one for one in listed if one.get("ResourceStatus") != "DELETE_COMPLETE"],
        "deployed": deployed(cloud, request, stack),
    }


def seen(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what tells whether a stack moved between plan and apply."""
    if stack is None:
        return {"id": "", "status": "", "updated": ""}
    updated = str(stack.get("LastUpdatedTime") or "")
    return {"id": stack["StackId"], "status": stack["StackStatus"], "updated": updated}


def deployed(cloud: Cloud, request: Mapping[str, Any], stack: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the stack was last made of, as far as the service tells; None where there is no stack.

    The template is asked for only where ``request`` brings none of this very stack, the policy only where the stack's
    files have one: nobody looks at it otherwise.
    """
    if stack is None:
        return None
    given = {one["ParameterKey"]: str(one.get("ParameterValue", "")) for one in stack.get("Parameters") or ()}
    return {
        "template": _template(cloud, request.get("known") or {}, stack),
        "parameters": given,
        "tags": {one["Key"]: one["Value"] for one in stack.get("Tags") or ()},
        "policy": policy(cloud, stack) if request.get("stack_policy") else "",
        "protected": bool(stack.get("EnableTerminationProtection")),
        "outputs": outputs(stack),
    }


def policy(cloud: Cloud, stack: Mapping[str, Any]) -> str:
    """Return what the stack allows to be updated, as JSON; empty where it says nothing."""
    return str(cloud.cloudformation.get_stack_policy(StackName=stack["StackId"]).get("StackPolicyBody") or "")


def outputs(stack: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the outputs of a stack as the service describes it, none where there is none."""
    return {one["OutputKey"]: one.get("OutputValue") for one in (stack or {}).get("Outputs") or ()}


def _template(cloud: Cloud, known: Mapping[str, Any], stack: Mapping[str, Any]) -> str:
    if known.get("of") == seen(stack) and stack["StackStatus"] in _UPDATED:
        return str(known["template"])
    body = cloud.cloudformation.get_template(StackName=stack["StackId"], TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


def _check_ready(stack: Mapping[str, Any] | None) -> None:
    if stack is None:
        return
    status = str(stack["StackStatus"])
    if in_progress(status):
        raise busy(stack)
    if status in STUCK:
        raise Refused("failed", f"{stack['StackName']} is in {status}", STUCK[status])


def _arguments(request: Mapping[str, Any], *, kind: str, reverts: bool) -> dict[str, Any]:
    given = {
        "StackName": request["stack_name"],
        "ChangeSetName": f"{PREFIX}{secrets.token_hex(8)}",
        "ChangeSetType": kind,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in request["parameters"].items()],
        "Tags": [{"Key": key, "Value": value} for key, value in request["tags"].items()],
        "Capabilities": request["capabilities"],
        "Description": "made by Holdfast; executed only if somebody or a policy says yes",
    }
    given |= (
        {"TemplateURL": request["template_url"]} if request["template_url"] else {"TemplateBody": request["template"]}
    )
    if request["role_arn"]:
        given["RoleARN"] = request["role_arn"]
    if request["notification_arns"]:
        given["NotificationARNs"] = request["notification_arns"]
    if request["nested"]:
        given["IncludeNestedStacks"] = True
    if reverts:
        given["DeploymentMode"] = "REVERT_DRIFT"
    return given


def _not_offered(said: str) -> Refused:
    hint = (
        "write revert_drift: false in stacks.yaml, and put it back by hand or have the template ask for what is there"
    )
    first = next(iter(said.splitlines()), "")
    return Refused("settings", f"drift cannot be put back: no drift-aware change sets here ({first})", hint)


def _ready(cloud: Cloud, arn: str, meanwhile: Callable[[], object] = lambda: None) -> dict[str, Any]:
    return until(
        lambda found: not str(found["Status"]).endswith(("_PENDING", "_IN_PROGRESS")),
        lambda: cloud.cloudformation.describe_change_set(ChangeSetName=arn, IncludePropertyValues=True),
        meanwhile,
    )


def _described(cloud: Cloud, arn: str, first: Mapping[str, Any], prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yield each resource's change, those of nested stacks under the name of the resource that they are."""
    page = first
    while True:
        for one in page.get("Changes") or ():
            told = one.get("ResourceChange")
            if not told:
                continue
            yield {**told, "Prefix": prefix}
            if told.get("ChangeSetId"):
                inner = _ready(cloud, told["ChangeSetId"])
                yield from _described(cloud, told["ChangeSetId"], inner, f"{prefix}{told['LogicalResourceId']}/")
        if not page.get("NextToken"):
            return
        page = cloud.cloudformation.describe_change_set(
            ChangeSetName=arn, IncludePropertyValues=True, NextToken=page["NextToken"]
        )


def _upload(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Put into the bucket what is not there: names are digests, so what is there is the same."""
    for key, file in request["uploads"].items():
        place = {"Bucket": request["bucket"], "Key": key}
        s3 = cloud.client("s3")
        try:
            s3.head_object(**place)
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code")) not in {"404", "NoSuchKey", "NotFound", "403"}:
                raise
            try:
                s3.put_object(**place, Body=Path(file).read_bytes())
            except ClientError as refused:
                said = refused.response.get("Error", {}).get("Message", "")
                hint = "look at the bucket's name, its region and the credential set's rights"
                raise Refused("failed", f"{key} cannot be put into {request['bucket']}: {said}", hint) from None


def _sweep(cloud: Cloud, stack: Mapping[str, Any]) -> None:
    """Remove those of our change sets that nobody can execute any more."""
    long_ago = datetime.now(tz=UTC) - _KEPT_FOR
    # Tidying up is nothing that a plan fails of, not even where the credentials may not list.
    with suppress(ClientError):
        for one in list(cloud.pages("list_change_sets", "Summaries", StackName=stack["StackId"])):
            if not str(one.get("ChangeSetName", "")).startswith(PREFIX):
                continue
            useless = one.get("Status") == "FAILED" or one.get("ExecutionStatus") == "OBSOLETE"
            if useless or one["CreationTime"] < long_ago:
                with suppress(ClientError):
                    cloud.cloudformation.delete_change_set(ChangeSetName=one["ChangeSetId"])

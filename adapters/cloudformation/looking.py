"""Reading, in the child process: drift, outputs, and what the service thinks of a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from adapters.cloudformation import planning
from adapters.cloudformation.cloud import Cloud, busy, until
from adapters.cloudformation.planning import changes, deployed, remove
from adapters.cloudformation.sameness import same
from adapters.cloudformation.statuses import SHELL, in_progress


def drift(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Have the service compare the world with what it deployed, and what it deployed with the files."""
    stack = cloud.stack(str(request["stack_name"]))
    if stack is None or stack["StackStatus"] == SHELL:
        return {"missing": True}
    if in_progress(stack["StackStatus"]):
        raise busy(stack)
    stack_id = stack["StackId"]
    started = cloud.cloudformation.detect_stack_drift(StackName=stack_id)["StackDriftDetectionId"]
    status = _detected(cloud, started)
    found = list(cloud.pages("describe_stack_resource_drifts", "StackResourceDrifts", StackName=stack_id))
    listed = cloud.pages("list_stack_resources", "StackResourceSummaries", StackName=stack_id)
    stands = deployed(cloud, request, stack) or {}
    told: dict[str, Any] = {
        "missing": False,
        "drifts": found,
        "resources": [one for one in listed if one.get("ResourceStatus") != "DELETE_COMPLETE"],
        "failed": str(status.get("DetectionStatusReason") or "")
        if status["DetectionStatus"] != "DETECTION_COMPLETE"
        else "",
        "deployed": stands,
        "pending": None,
    }
    if not same(request, stands):
        made = changes(cloud, request, stack)
        if made["change_set"]:
            remove(cloud, made["change_set"], "")
            told["pending"] = made
    return told


def _detected(cloud: Cloud, started: str) -> dict[str, Any]:
    return until(
        lambda found: found["DetectionStatus"] != "DETECTION_IN_PROGRESS",
        lambda: cloud.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=started),
    )


def outputs(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stack's outputs, none where there is no stack."""
    return {"outputs": planning.outputs(cloud.stack(str(request["stack_name"])))}


def validate(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Have the service check the template."""
    try:
        cloud.cloudformation.validate_template(TemplateBody=request["template"])
    except ClientError as error:
        answer = error.response.get("Error", {})
        if answer.get("Code") != "ValidationError":
            raise
        return {"refused": str(answer.get("Message", ""))}
    return {"refused": ""}

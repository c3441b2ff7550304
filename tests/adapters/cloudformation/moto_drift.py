"""Drift detection for moto: ours, in the wire form of the service. See ``moto_as_the_service``.

It compares the properties that a template gives to queues and buckets with what moto's queues and buckets are.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import uuid
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.responses import CloudFormationResponse as Response
from moto.core.responses import ActionResult
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

#: How many looks an operation takes until it has ended.
LOOKS = 1
DETECTIONS: dict[str, dict[str, Any]] = {}


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def actual(stack: Any, kind: str, physical: str) -> dict[str, Any] | None:
    """Return a resource's properties as they are, None where it is gone, {} where its type is not supported."""
    if kind == "AWS::SQS::Queue":
        name = physical.rsplit("/", 1)[-1]
        queue = sqs_backends[stack.account_id][stack.region_name].queues.get(name)
        if queue is None:
            return None
        tags = [{"Key": key, "Value": value} for key, value in queue.tags.items()]
        return {"QueueName": queue.name, "VisibilityTimeout": int(queue.visibility_timeout), "Tags": tags}
    if kind == "AWS::S3::Bucket":
        backend = s3_backends[stack.account_id]["aws"]
        bucket = backend.buckets.get(physical)
        if bucket is None:
            return None
        tags = backend.tagger.get_tag_dict_for_resource(bucket.arn)
        return {"BucketName": bucket.name, "Tags": [{"Key": k, "Value": v} for k, v in sorted(tags.items())]}
    return {}


def put_back(stack: Any, kind: str, physical: str, wanted: dict[str, Any]) -> None:
    if kind == "AWS::SQS::Queue":
        queue = sqs_backends[stack.account_id][stack.region_name].queues[physical.rsplit("/", 1)[-1]]
        if "VisibilityTimeout" in wanted:
            queue.visibility_timeout = int(wanted["VisibilityTimeout"])
        if "Tags" in wanted:
            queue.tags = {tag["Key"]: str(tag["Value"]) for tag in wanted["Tags"]}
    elif kind == "AWS::S3::Bucket" and "Tags" in wanted:
        backend = s3_backends[stack.account_id]["aws"]
        backend.tagger.delete_all_tags_for_resource(backend.buckets[physical].arn)
        backend.tagger.tag_resource(backend.buckets[physical].arn, wanted["Tags"])


def differences(expected: Any, found: Any, path: str = "") -> list[dict[str, Any]]:
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = sorted({*expected, *found})
        return [one for key in keys for one in differences(expected.get(key), found.get(key), f"{path}/{key}")]
    if isinstance(expected, list) and isinstance(found, list):
        longest = max(len(expected), len(found))
        padded = [[*side, *[None] * (longest - len(side))] for side in (expected, found)]
        return [
            one
            for number, (old, new) in enumerate(zip(*padded, strict=True))
            for one in differences(old, new, f"{path}/{number}")
        ]
    if str(expected) == str(found):
        return []
    kind = "ADD" if expected is None else "REMOVE" if found is None else "NOT_EQUAL"
    texts = [value if isinstance(value, str) else json.dumps(value) for value in (expected, found)]
    return [{"PropertyPath": path, "ExpectedValue": texts[0], "ActualValue": texts[1], "DifferenceType": kind}]


def drifts(stack: Any) -> list[dict[str, Any]]:
    told = []
    for name, written in stack.resource_map._resource_json_map.items():
        made = stack.resource_map._parsed_resources.get(name)
        expected = parsing.clean_json(copy.deepcopy(written.get("Properties", {})), stack.resource_map)
        found = actual(stack, written["Type"], getattr(made, "physical_resource_id", "") or "")
        one: dict[str, Any] = {
            "StackId": stack.stack_id,
            "LogicalResourceId": name,
            "PhysicalResourceId": str(getattr(made, "physical_resource_id", "")),
            "ResourceType": written["Type"],
            "Timestamp": now(),
            "ExpectedProperties": json.dumps(expected),
        }
        if found is None:
            told.append({**one, "StackResourceDriftStatus": "DELETED"})
        elif not found:
            told.append({**one, "StackResourceDriftStatus": "NOT_CHECKED"})
        else:
            known = {key: found.get(key) for key in expected}
            different = differences(expected, known)
            status = "MODIFIED" if different else "IN_SYNC"
            told.append(
                {
                    **one,
                    "ActualProperties": json.dumps(known),
                    "PropertyDifferences": different,
                    "StackResourceDriftStatus": status,
                }
            )
    return told


def detect_stack_drift(self: Any) -> ActionResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    name = str(uuid.uuid4())
    DETECTIONS[name] = {"stack": stack, "looks": 0, "drifts": drifts(stack)}
    return ActionResult({"StackDriftDetectionId": name})


def describe_stack_drift_detection_status(self: Any) -> ActionResult:
    name = self._get_param("StackDriftDetectionId")
    one = DETECTIONS[name]
    one["looks"] += 1
    answer = {"StackId": one["stack"].stack_id, "StackDriftDetectionId": name, "Timestamp": now()}
    if one["looks"] <= LOOKS:
        return ActionResult({**answer, "DetectionStatus": "DETECTION_IN_PROGRESS"})
    one["stack"].told_drifts = one["drifts"]
    drifted = [d for d in one["drifts"] if d["StackResourceDriftStatus"] in {"MODIFIED", "DELETED"}]
    status = "DRIFTED" if drifted else "IN_SYNC"
    return ActionResult({**answer, "DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": status})


def describe_stack_resource_drifts(self: Any) -> ActionResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    return ActionResult({"StackResourceDrifts": getattr(stack, "told_drifts", [])})


def install() -> None:
    """Have moto answer the three calls."""
    for added in (detect_stack_drift, describe_stack_drift_detection_status, describe_stack_resource_drifts):
        setattr(Response, added.__name__, added)

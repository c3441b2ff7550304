"""Doing exactly what was approved, in the child process, and finding out later how that ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adapters.cloudformation import statuses
from adapters.cloudformation.cloud import Cloud, Refused, missing, refusal, say, waits
from adapters.cloudformation.planning import outputs, policy, seen
from adapters.cloudformation.statuses import AFTER, GOOD, Event


def apply(cloud: Cloud, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the saved plan says, follow it to its end. Raises Refused: stale where anything moved since the plan."""
    stack = cloud.stack(saved["expected"]["id"] or saved["stack_name"])
    if seen(stack) != saved["expected"]:
        raise Refused("stale", f"{saved['stack_name']} moved since the plan was made", "plan again")
    if saved["verb"] == "delete":
        return _delete(cloud, saved)
    if not saved["creates"]:
        _settle(cloud, saved)
    if saved["change_set"]:
        _execute(cloud, saved)
    if saved["creates"]:
        _settle(cloud, saved)
    return {"outputs": outputs(cloud.stack(saved["expected"]["id"]))}


def resume(cloud: Cloud, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Say how it stands with a plan that was begun to be applied, and execute nothing.

    ``state`` is running, finished, failed, untouched or unknown.
    """
    stack_id = saved["expected"]["id"]
    own = [one for one in _events(cloud, stack_id, frozenset()) if one.get("ClientRequestToken") == saved["token"]]
    if own:
        status = statuses.ended(own, stack_id)
        if not status:
            return {"state": "running"}
        return _told(cloud, status, own)
    stack = cloud.stack(stack_id)
    if saved["verb"] == "delete":
        return _resumed_delete(saved, stack)
    if stack and statuses.in_progress(stack["StackStatus"]):
        # Begun a moment ago, or by somebody else: either way nothing can be said before it ends.
        return {"state": "running"}
    if not saved["change_set"]:
        settled = stack is not None and not _unsettled(cloud, saved, stack)
        return {"state": "finished" if settled else "untouched"}
    if _execution(cloud, saved["change_set"]) == "AVAILABLE":
        return {"state": "untouched"}
    return {"state": "unknown", "why": "the change set is gone, and no event of the stack is of this attempt"}


def _resumed_delete(saved: Mapping[str, Any], stack: Mapping[str, Any] | None) -> dict[str, Any]:
    if stack is None:
        return {"state": "finished"}
    if statuses.in_progress(stack["StackStatus"]):
        return {"state": "running"}
    if seen(stack) == saved["expected"]:
        return {"state": "untouched"}
    return {"state": "unknown", "why": f"the stack is in {stack['StackStatus']}"}


def _told(cloud: Cloud, status: str, own: Sequence[Event]) -> dict[str, Any]:
    if status in GOOD:
        return {"state": "finished"}
    return {"state": "failed", "why": f"the stack ended in {status}: {_why(cloud, own)}"}


def _execute(cloud: Cloud, saved: Mapping[str, Any]) -> None:
    arn, stack_id = saved["change_set"], saved["expected"]["id"]
    execution = _execution(cloud, arn)
    if execution != "AVAILABLE":
        said = f"is {execution}" if execution else "is gone"
        raise Refused("stale", f"the change set {said}: it cannot be executed", "plan again")
    before = _ids(cloud, stack_id)
    try:
        cloud.cloudformation.execute_change_set(ChangeSetName=arn, ClientRequestToken=saved["token"])
    except BotoCoreError as lost:
        raise _out_of_sight(saved, lost) from None
    except ClientError as error:
        if "InvalidChangeSetStatus" in str(error) or missing(error):
            raise Refused("stale", f"the change set cannot be executed: {error}", "plan again") from None
        raise refusal(error) from None
    _follow(cloud, saved, before)


def _delete(cloud: Cloud, saved: Mapping[str, Any]) -> dict[str, Any]:
    stack_id = saved["expected"]["id"]
    before = _ids(cloud, stack_id)
    role = {"RoleARN": saved["role_arn"]} if saved["role_arn"] else {}
    try:
        cloud.cloudformation.delete_stack(StackName=stack_id, ClientRequestToken=saved["token"], **role)
    except BotoCoreError as lost:
        raise _out_of_sight(saved, lost) from None
    _follow(cloud, saved, before)
    return {"outputs": {}}


def _out_of_sight(saved: Mapping[str, Any], lost: ClientError | BotoCoreError) -> Refused:
    """Return the word for an execution that was asked for and cannot be watched: the service goes on by itself."""
    why = f"{saved['stack_name']} is being changed, and nobody can see how it goes on: {refusal(lost).message}"
    return Refused("unclear", why, "the service goes on by itself: holdfast plan looks what came of it")


def _follow(cloud: Cloud, saved: Mapping[str, Any], before: frozenset[str]) -> None:
    """Tell each event as it comes, until the stack's own says how it ended.

    Raises Refused: failed where it ended badly, unclear where it can no longer be watched.
    """
    try:
        _watch(cloud, saved, before)
    except (ClientError, BotoCoreError) as lost:
        raise _out_of_sight(saved, lost) from None


def _watch(cloud: Cloud, saved: Mapping[str, Any], before: frozenset[str]) -> None:
    stack_id = saved["expected"]["id"]
    own: list[Event] = []
    known = before
    for _ in waits():
        new = [
            one for one in _events(cloud, stack_id, known) if one.get("ClientRequestToken") in {None, saved["token"]}
        ]
        for event in new:
            say(statuses.progress(event))
        own += new
        known |= {str(one["EventId"]) for one in new}
        status = statuses.ended(own, stack_id)
        if status in GOOD:
            return
        if status:
            hint = AFTER.get(status, "look at the stack's events")
            raise Refused("failed", f"{saved['stack_name']} ended in {status}: {_why(cloud, own)}", hint)
        if not own and saved["change_set"] and _execution(cloud, saved["change_set"]) == "EXECUTE_FAILED":
            raise Refused(
                "failed", f"{saved['stack_name']}: the service could not execute the change set", "plan again"
            )


def _settle(cloud: Cloud, saved: Mapping[str, Any]) -> None:
    """Set what no change set carries: the policy of what may be updated, the protection from termination."""
    stack_id = saved["expected"]["id"]
    if saved["stack_policy"]:
        say("setting the stack policy")
        cloud.cloudformation.set_stack_policy(StackName=stack_id, StackPolicyBody=saved["stack_policy"])
    if saved["termination_protection"] is not None:
        wish = bool(saved["termination_protection"])
        say(f"turning termination protection {'on' if wish else 'off'}")
        cloud.cloudformation.update_termination_protection(StackName=stack_id, EnableTerminationProtection=wish)


def _unsettled(cloud: Cloud, saved: Mapping[str, Any], stack: Mapping[str, Any]) -> bool:
    wish = saved["termination_protection"]
    if wish is not None and bool(stack.get("EnableTerminationProtection")) is not wish:
        return True
    return bool(saved["stack_policy"]) and policy(cloud, stack) != saved["stack_policy"]


def _execution(cloud: Cloud, arn: str) -> str:
    """Return whether a change set can be executed, in the service's word; empty where it is gone."""
    try:
        return str(cloud.cloudformation.describe_change_set(ChangeSetName=arn)["ExecutionStatus"])
    except ClientError as error:
        if missing(error):
            return ""
        raise


def _ids(cloud: Cloud, stack_id: str) -> frozenset[str]:
    return frozenset(str(one["EventId"]) for one in _events(cloud, stack_id, frozenset()))


def _events(cloud: Cloud, stack_id: str, known: frozenset[str]) -> list[Event]:
    """Return the stack's events that are not among the ``known``, oldest first; they come newest first."""
    found: list[Event] = []
    try:
        for event in cloud.pages("describe_stack_events", "StackEvents", StackName=stack_id):
            if str(event["EventId"]) in known:
                break
            found.append(event)
    except ClientError as error:
        if not missing(error):
            raise
    return found[::-1]


def _why(cloud: Cloud, own: Sequence[Event]) -> str:
    """Return the first failure in one line, looked for inside a nested stack where it is that which failed."""
    event = statuses.first_failure(own)
    path = ""
    while event is not None and event.get("ResourceType") == "AWS::CloudFormation::Stack":
        inner = str(event.get("PhysicalResourceId") or "")
        if not inner or inner == event.get("StackId"):
            break
        deeper = statuses.first_failure(_events(cloud, inner, frozenset()))
        if deeper is None or deeper.get("PhysicalResourceId") == inner:
            break
        path, event = f"{path}{event['LogicalResourceId']}/", deeper
    return path + statuses.cause(event)

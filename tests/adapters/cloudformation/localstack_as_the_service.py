"""LocalStack, with little added, as a server on loopback alone: ``python localstack_as_the_service.py PORT``.

Run by the Python of its own environment, which ``scripts/with-localstack`` makes. That an operation takes its time,
what becomes of each resource and why one fails is LocalStack's own. Added here, and ours, as the service documents it:

- it listens on 127.0.0.1: LocalStack itself opens its port to every network that the machine is in
- events carry the caller's token, as https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
  has it
- a stack whose resource failed is at its rollback at once. LocalStack calls the stack itself CREATE_FAILED between,
  which the service does only where nobody wants a rollback
- a wait condition waits, as the service's do: until an object is put to its handle's address. LocalStack makes the
  handle and does not wait
- stacks have no policy: LocalStack knows none, and refuses the question

It uses LocalStack's insides: its version is pinned by ``tests/localstack-constraints.txt``.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

if __name__ == "__main__":
    # Read when its first module is loaded.
    os.environ["GATEWAY_LISTEN"] = f"127.0.0.1:{sys.argv[1]}"

from botocore.exceptions import ClientError
from localstack.aws.api.cloudformation import GetStackPolicyOutput
from localstack.runtime.main import main
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.cloudformation.resource_providers.aws_cloudformation_waitcondition import (
    CloudFormationWaitConditionProvider as WaitCondition,
)
from localstack.services.cloudformation.v2.entities import Stack
from localstack.services.cloudformation.v2.provider import CloudformationProviderV2 as Provider
from twisted.internet import endpoints

#: Token of the newest operation on a stack, by the stack's id.
TOKENS: dict[str, str | None] = {}

_execute_change_set = Provider.execute_change_set
_delete_stack = Provider.delete_stack
_set_stack_status = Stack.set_stack_status
_store_event = Stack._store_event
_create_wait_condition = WaitCondition.create


def execute_change_set(self: Any, context: Any, *args: Any, **given: Any) -> Any:
    found = self.describe_change_set(context, given["change_set_name"], stack_name=given.get("stack_name"))
    TOKENS[found["StackId"]] = given.get("client_request_token")
    return _execute_change_set(self, context, *args, **given)


def delete_stack(self: Any, context: Any, *args: Any, **given: Any) -> Any:
    for found in self.describe_stacks(context)["Stacks"]:
        if given["stack_name"] in {found["StackId"], found["StackName"]} and found["StackStatus"] != "DELETE_COMPLETE":
            TOKENS[found["StackId"]] = given.get("client_request_token")
    return _delete_stack(self, context, *args, **given)


def get_stack_policy(self: Any, context: Any, stack_name: str, **given: Any) -> GetStackPolicyOutput:
    return GetStackPolicyOutput()


def create_wait_condition(self: Any, request: Any) -> Any:
    s3 = request.aws_client_factory.s3
    try:
        # Where the handle's address points to.
        s3.head_object(Bucket=f"cloudformation-waitcondition-{request.region_name}", Key=request.stack_id)
    except ClientError:
        return ProgressEvent(status=OperationStatus.IN_PROGRESS, resource_model=request.desired_state)
    return _create_wait_condition(self, request)


def set_stack_status(self: Any, status: Any, reason: str | None = None) -> None:
    if status in {"CREATE_FAILED", "UPDATE_FAILED"}:
        updates = self.status.startswith("UPDATE")
        status = type(status)("UPDATE_ROLLBACK_IN_PROGRESS" if updates else "ROLLBACK_IN_PROGRESS")
    _set_stack_status(self, status, reason)


def store_event(self: Any, *args: Any, **given: Any) -> None:
    _store_event(self, *args, **given)
    if token := TOKENS.get(self.stack_id):
        self.events[0]["ClientRequestToken"] = token


Provider.execute_change_set = functools.wraps(_execute_change_set)(execute_change_set)
Provider.delete_stack = functools.wraps(_delete_stack)(delete_stack)
Provider.get_stack_policy = get_stack_policy
WaitCondition.create = create_wait_condition
Stack.set_stack_status = set_stack_status
Stack._store_event = store_event
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

if __name__ == "__main__":
    main()

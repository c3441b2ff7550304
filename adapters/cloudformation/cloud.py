"""The service as the child process sees it. Loads the AWS library: the adapter's own process never imports this."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from adapters.cloudformation.statuses import GONE

_MISSING: Final = ("does not exist", "ChangeSetNotFound")
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch"}
)
_WAIT: Final = "another operation is at work on the stack: wait for it"
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0


class Refused(Exception):
    """Why a verb came to nothing: ``kind`` is settings, stale, busy, offline, unclear or failed."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        """Keep one line of cause and one of remedy."""
        super().__init__(message)
        self.kind, self.message, self.hint = kind, " ".join(message.split()), hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One region of one account."""

    region: str
    cloudformation: Any
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, name: str) -> Any:
        """Return the client of another part of the cloud, made once."""
        if name not in self._clients:
            self._clients[name] = _client(name, self.region)
        return self._clients[name]

    def stack(self, name: str) -> dict[str, Any] | None:
        """Return the stack, by name or id, as the service describes it; None where there is none."""
        try:
            found: dict[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if missing(error):
                return None
            raise
        return None if found["StackStatus"] == GONE else found

    def pages(self, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Yield each item of a paged answer, asking for the next page only when it is wanted."""
        token: Mapping[str, str] = {}
        while True:
            answer = getattr(self.cloudformation, operation)(**arguments, **token)
            yield from answer.get(key) or ()
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}


def connect(region: str) -> Cloud:
    """Return the service in ``region``, or in the one that the credentials come with. Raises Refused."""
    chosen = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    if not chosen:
        raise Refused("settings", "no region is named", "write region: in stacks.yaml, or grant AWS_REGION")
    return Cloud(region=chosen, cloudformation=_client("cloudformation", chosen))


def _client(name: str, region: str) -> Any:
    retries = {"mode": "standard", "total_max_attempts": 6}
    config = Config(retries=retries, connect_timeout=10, read_timeout=60, user_agent_extra="holdfast")
    return boto3.client(name, region_name=region, config=config)


def missing(error: ClientError) -> bool:
    """Whether the service says that there is no such thing."""
    return any(word in str(error) for word in _MISSING)


def refusal(error: ClientError | BotoCoreError) -> Refused:
    """Return what the library said in one line, with a remedy where one is known."""
    if isinstance(error, NoCredentialsError):
        return Refused(
            "offline", "no AWS credentials were granted", "name a credential set: credentials: in stacks.yaml"
        )
    if isinstance(error, ParamValidationError):
        hint = "install a newer boto3, or correct the value"
        return Refused("settings", f"boto3 refuses a value: {error.kwargs.get('report', error)}", hint)
    if not isinstance(error, ClientError):
        return Refused("failed", f"AWS cannot be reached: {error}", "look at the network, the endpoint and the region")
    answer = error.response.get("Error", {})
    code, message = str(answer.get("Code", "")), str(answer.get("Message", ""))
    if code in _DENIED:
        return Refused(
            "failed", f"AWS refuses {error.operation_name}: {message}", "look at the credential set's rights"
        )
    if code == "InsufficientCapabilitiesException":
        return Refused("settings", message, "write capabilities: [CAPABILITY_NAMED_IAM] in stacks.yaml")
    if "_IN_PROGRESS state" in message:
        return Refused("busy", message, _WAIT)
    return Refused("failed", f"{error.operation_name}: {message or code}")


def busy(stack: Mapping[str, Any]) -> Refused:
    """Return the refusal for a stack that the service is at work on."""
    return Refused("busy", f"{stack['StackName']} is in {stack['StackStatus']}", _WAIT)


def until(
    done: Callable[[Mapping[str, Any]], bool],
    look: Callable[[], dict[str, Any]],
    meanwhile: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Look until what is seen is ``done``, and return it; ``meanwhile`` is what there is to do in the first wait."""
    looks = (look() for _ in waits())
    found = next(looks)
    if not done(found):
        meanwhile()
        found = next(later for later in looks if done(later))
    return found


def waits() -> Iterator[None]:
    """Yield before each look at something that takes its time, longer and longer."""
    wait = _FIRST_WAIT
    while True:
        yield
        time.sleep(wait)
        wait = min(wait * 1.5, _LONGEST_WAIT)


def say(line: str) -> None:
    """Tell people one line of progress."""
    emit({"say": line})


def emit(what: Mapping[str, Any]) -> None:
    """Print one line for the adapter."""
    sys.stdout.write(json.dumps(what, default=str) + "\n")
    sys.stdout.flush()

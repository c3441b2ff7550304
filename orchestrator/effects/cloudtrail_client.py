"""The child process that asks AWS CloudTrail who called what.

Run as ``python -I -m orchestrator.effects.cloudtrail_client FILE``. It prints one JSON object: ``calls``, or
``refused`` with the reason in one line. What a call was given is left out: there may be secrets in it.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

#: Pages of 50 calls that are read for one name.
_MOST_PAGES: Final = 2


def main(file: str) -> int:
    """Ask, print what came of it, and return the exit code."""
    request = json.loads(Path(file).read_bytes())
    try:
        answer: dict[str, Any] = {"calls": list(_calls(request))}
    except ClientError as error:
        said = error.response.get("Error", {})
        answer = {"refused": f"{error.operation_name}: {said.get('Code', '')}"}
    except (BotoCoreError, ResponseParserError) as error:
        answer = {"refused": " ".join(str(error).split())}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def _calls(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    clients: dict[str, Any] = {}
    seen: set[str] = set()
    for one in request["names"]:
        region = one["region"] or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
        if region not in clients:
            clients[region] = _client(region)
        for event in _events(clients[region], one["name"], request["since"], request["until"]):
            # A call may name a resource in two ways; of each name it is told.
            key = f"{event['EventId']} {one['name']}"
            if key not in seen and str(event.get("ReadOnly")).lower() != "true":
                seen.add(key)
                yield {"name": one["name"], **_told(event)}


def _client(region: str) -> Any:
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 4},
        connect_timeout=5,
        read_timeout=20,
        user_agent_extra="holdfast",
    )
    return boto3.client("cloudtrail", region_name=region or None, config=config)


def _events(client: Any, name: str, since: float, until: float) -> Iterator[dict[str, Any]]:
    token: Mapping[str, str] = {}
    for _ in range(_MOST_PAGES):
        answer = client.lookup_events(
            LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}],
            StartTime=datetime.fromtimestamp(since, UTC),
            EndTime=datetime.fromtimestamp(until, UTC),
            **token,
        )
        yield from answer.get("Events") or ()
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def _told(event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        whole = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        whole = {}
    who = whole.get("userIdentity") or {}
    return {
        "id": event["EventId"],
        "call": event.get("EventName") or "",
        "of": event.get("EventSource") or "",
        "at": event["EventTime"].timestamp(),
        "user": event.get("Username") or "",
        "key": event.get("AccessKeyId") or who.get("accessKeyId") or "",
        "kind": who.get("type") or "",
        "arn": who.get("arn") or "",
        "account": who.get("accountId") or "",
        "by": who.get("invokedBy") or "",
        "from": whole.get("sourceIPAddress") or "",
        "with": whole.get("userAgent") or "",
        "failed": bool(whole.get("errorCode")),
    }


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))

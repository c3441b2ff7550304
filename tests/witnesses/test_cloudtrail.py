"""CloudTrail as a witness, through the real child process and library, against a trail that is emulated.

What is emulated is LookupEvents alone, added here to moto, which has none; events have the form that the service
documents (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html).
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError
from moto.server import ThreadedMotoServer

from adapters.contract import Change, ChangeKind, DriftItem, Goal, ToolVersion
from adapters.testimony import Confidence
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.runlog import log_path
from orchestrator.effects.shells import ToolShells
from orchestrator.effects.witness_cloudtrail import CloudTrail
from orchestrator.model.fingerprint import Parts
from orchestrator.model.inquiry import Inquiry
from orchestrator.model.observed import Applied, Counts
from orchestrator.model.stack import StackKey
from orchestrator.ports import ShellNeeds

NOW = 1_764_000_000.0
CANARY = "c4n4ry-aws-key"
BUCKET = DriftItem(
    change=Change(address="aws_s3_bucket.logs", kind=ChangeKind.UPDATE),
    will_be_reverted=True,
    identities=("arn:aws:s3:::logs-of-the-lab", "logs-of-the-lab"),
)
APPLIED = Applied(
    attempt=1,
    run=1,
    goal=Goal.CONVERGE,
    revision="r1",
    fingerprint="f1",
    parts=Parts(tree="t"),
    inputs="",
    tool=ToolVersion(name="terraform", version="1", platform="any"),
    counts=Counts(),
)


@dataclass
class Trail:
    """The emulated trail, and what it was asked."""

    endpoint: str
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    denied: bool = False
    page: int = 50

    def add(self, call: str, at: float, *, of: str = "s3.amazonaws.com", **more: Any) -> None:
        """Note a call of a person who sits at the console."""
        whole = {
            "userIdentity": {"type": "IAMUser", "userName": "mallory", "arn": "arn:aws:iam::123456789012:user/mallory"},
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "[S3Console/0.4, aws-internal/3]",
            "requestParameters": {"password": CANARY},
        }
        whole |= more.pop("whole", {})
        names = more.pop("names", ["logs-of-the-lab", "arn:aws:s3:::logs-of-the-lab"])
        self.events.append(
            {
                "EventId": f"event-{len(self.events)}",
                "EventName": call,
                "EventSource": of,
                "EventTime": at,
                "ReadOnly": "false",
                "Username": "mallory",
                "AccessKeyId": "AKIAMALLORY",
                "Resources": [{"ResourceName": name} for name in names],
                "CloudTrailEvent": json.dumps(whole),
                **more,
            }
        )

    def answer(self, response: Any) -> str:
        """Answer one call of LookupEvents."""
        (wanted,) = response._get_param("LookupAttributes")
        since, until = response._get_param("StartTime"), response._get_param("EndTime")
        self.asked.append((response.region, wanted["AttributeValue"]))
        if self.denied:
            raise JsonRESTError("AccessDeniedException", "User is not authorized to perform: cloudtrail:LookupEvents")
        assert wanted["AttributeKey"] == "ResourceName"
        found = [
            one
            for one in sorted(self.events, key=lambda one: -one["EventTime"])
            if since <= one["EventTime"] <= until
            and wanted["AttributeValue"] in [name["ResourceName"] for name in one["Resources"]]
        ]
        start = int(response._get_param("NextToken") or 0)
        token = {"NextToken": str(start + self.page)} if len(found) > start + self.page else {}
        return json.dumps({"Events": found[start : start + self.page], **token})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    yield "http://{}:{}".format(*made.get_host_and_port())
    made.stop()


@pytest.fixture
def trail(server: str, monkeypatch: pytest.MonkeyPatch) -> Trail:
    made = Trail(endpoint=server)
    monkeypatch.setattr(CloudTrailResponse, "lookup_events", lambda self: made.answer(self), raising=False)  # noqa: PLW0108 -- it is bound to what it answers for
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir()
    return tmp_path


def ask(home: Path, trail: Trail, *items: DriftItem, credentials: dict[str, str] | None = None, **more: Any):
    granted = (
        credentials
        if credentials is not None
        else {
            "AWS_ACCESS_KEY_ID": "AKIAPLAN",
            "AWS_SECRET_ACCESS_KEY": CANARY,
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": trail.endpoint,
        }
    )
    shells = ToolShells(home=home, clock=SystemClock(), outer=dict(os.environ), grace_s=2.0)
    needs = ShellNeeds(stack="acme/web@default", run=1, credentials=granted, secrets=(CANARY,), timeout_s=60.0)
    inquiry = Inquiry(
        stack=StackKey(source="acme", name="web"),
        items=items or (BUCKET,),
        marks=("m",),
        since=NOW - 3600,
        until=NOW,
        applied=APPLIED,
        folder=home / "private",
        granted=frozenset(granted),
    )
    return CloudTrail().testify(replace(inquiry, **more), shells.open(needs))


def test_the_one_who_called_is_likely_and_the_call_is_the_evidence(home: Path, trail: Trail) -> None:
    trail.add("PutBucketTagging", NOW - 600)
    (word,) = ask(home, trail)
    assert (word.address, word.who, word.at) == ("aws_s3_bucket.logs", "mallory", NOW - 600)
    assert (word.source, word.confidence) == ("CloudTrail", Confidence.LIKELY)
    assert word.what == "PutBucketTagging from 203.0.113.7 by the console"
    assert trail.asked == [("eu-central-1", "arn:aws:s3:::logs-of-the-lab"), ("eu-central-1", "logs-of-the-lab")]
    assert list((home / "private").iterdir()) == []
    log = log_path(home, 1, "acme/web@default")
    assert CANARY not in (log.read_text() if log.exists() else "")


def test_of_several_the_newest_before_the_look_is_likely_and_the_rest_are_hints(home: Path, trail: Trail) -> None:
    trail.page = 3
    for ago in (5000, 1800, 900, -60):
        trail.add("PutBucketTagging", NOW - ago)
    trail.add("GetBucketTagging", NOW - 30, ReadOnly="true")
    trail.add("PutBucketAcl", NOW - 20, whole={"errorCode": "AccessDenied"})
    trail.add("PutBucketPolicy", NOW - 1000)
    said = ask(home, trail)
    assert [(word.what.split()[0], NOW - word.at, word.confidence) for word in said] == [
        ("PutBucketTagging", 900, Confidence.LIKELY),
        ("PutBucketPolicy", 1000, Confidence.HINT),
        ("PutBucketTagging", 1800, Confidence.HINT),
    ]


def test_who_is_told_as_people_know_them(home: Path, trail: Trail) -> None:
    role = {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/Ops/ana@acme.example"}
    trail.add("PutBucketTagging", NOW - 1, whole={"userIdentity": role, "userAgent": "aws-cli/2.17 md/x"})
    trail.add("PutBucketTagging", NOW - 2, whole={"userIdentity": {"type": "Root", "accountId": "123456789012"}})
    service = {"type": "AWSService", "invokedBy": "config.amazonaws.com"}
    trail.add("PutBucketTagging", NOW - 3, whole={"userIdentity": service, "sourceIPAddress": "", "userAgent": ""})
    said = ask(home, trail)
    assert [word.who for word in said] == [
        "Ops/ana@acme.example",
        "root of account 123456789012",
        "config.amazonaws.com",
    ]
    assert said[0].what == "PutBucketTagging from 203.0.113.7 by aws-cli/2.17"
    assert said[2].what == "PutBucketTagging"


def test_the_key_that_the_stack_is_applied_with_is_named_as_such_and_never_the_first_suspect(home, trail) -> None:
    trail.add("PutBucketTagging", NOW - 10, AccessKeyId="AKIAAPPLY")
    trail.add("PutBucketTagging", NOW - 90)
    ours, other = ask(home, trail, ours=frozenset({"AKIAAPPLY"}))
    assert (ours.confidence, other.confidence) == (Confidence.HINT, Confidence.LIKELY)
    assert ours.what.endswith("with the key that this stack is applied with")


def test_where_nobody_called_the_trail_may_be_late(home: Path, trail: Trail) -> None:
    trail.add("PutBucketTagging", NOW - 90, names=["another-bucket"])
    (word,) = ask(home, trail)
    assert (word.who, word.late) == ("", True)
    assert "may be up to 15 minutes late" in word.what


def test_one_who_may_not_read_the_trail_is_told_so_and_nothing_fails(home: Path, trail: Trail) -> None:
    trail.denied = True
    (word,) = ask(home, trail)
    assert (word.who, word.what) == ("", "it does not answer: LookupEvents: AccessDeniedException")


def test_a_trail_that_cannot_be_reached_or_has_no_region_is_told_so(home: Path, trail: Trail) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAPLAN", "AWS_SECRET_ACCESS_KEY": CANARY}
    (word,) = ask(home, trail, credentials=keys)
    assert word.what == "it does not answer: You must specify a region."


def test_without_a_key_to_aws_or_a_name_nobody_is_asked(home: Path, trail: Trail) -> None:
    assert ask(home, trail, credentials={"TOKEN": "t"}) == ()
    assert ask(home, trail, replace(BUCKET, identities=())) == ()
    assert trail.asked == []


def test_without_the_library_it_says_how_to_get_it(home, trail, monkeypatch) -> None:
    # What Python itself does with a module that is not to be found.
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (word,) = ask(home, trail)
    assert "boto3 is not installed" in word.what
    assert "holdfast[cloudformation]" in word.what


def test_each_name_is_asked_for_where_its_calls_are_and_only_so_many(home: Path, trail: Trail) -> None:
    def item(address: str, *names: str) -> DriftItem:
        return replace(BUCKET, change=Change(address=address, kind=ChangeKind.UPDATE), identities=names)

    role = item("role", "arn:aws:iam::123456789012:role/web", "web")
    queue = item("queue", "arn:aws:sqs:us-west-2:123456789012:web")
    trail.add("CreateRole", NOW - 5, of="iam.amazonaws.com", names=["web"])
    trail.add("ModifyDBInstance", NOW - 4, of="rds.amazonaws.com", names=["web"])
    said = ask(home, trail, role, queue, item("plain", "logs"), region="eu-west-1")
    assert trail.asked == [
        ("us-east-1", "arn:aws:iam::123456789012:role/web"),
        ("us-east-1", "web"),
        ("us-west-2", "arn:aws:sqs:us-west-2:123456789012:web"),
        ("eu-west-1", "logs"),
    ]
    # A name alone is anybody's: another service's resource of that name is not this one.
    assert [word.what.split()[0] for word in said if word.address == "role"] == ["CreateRole"]

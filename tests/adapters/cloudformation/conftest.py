"""A small world with CloudFormation in it: two queues, a server that speaks AWS, and a shell that runs things."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# Tests are no package: this is how these share `queue_stack`.
sys.path.insert(0, str(Path(__file__).parent))

from stack_subject import StackSubject

from adapters.cloudformation.adapter import build
from adapters.conformance import Tampering
from adapters.contract import Adapter, Goal, Input, Json, Shell, Workspace

CANARY = "c4n4ry-hunter2"
REGION = "eu-central-1"
STACK = "lab/web@default"
NUMBERS = itertools.count(1)

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Secret:
    Type: String
    NoEcho: true
  Owner:
    Type: String
    Default: ops
Resources:
  First:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-first"
      VisibilityTimeout: 45
      Tags:
        - Key: owner
          Value: !Ref Owner
        - Key: secret
          Value: !Ref Secret
  Second:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-second"
Outputs:
  Url:
    Value: !Ref First
  Password:
    Value: !Ref Secret
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that all tests work in, each with names of its own."""

    endpoint: str

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "c4n4ry-aws-key",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self, name: str, region: str = REGION) -> Any:
        return client(self.endpoint, name, region)


@cache
def client(endpoint: str, name: str, region: str) -> Any:
    """Return a client, made once: that takes longer than most calls."""
    import boto3  # noqa: PLC0415 - takes a moment to load

    return boto3.client(
        name,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
    )


@dataclass(kw_only=True)
class AwsSubject(StackSubject):
    """One stack of two queues below one folder."""

    key = STACK
    path = "stacks/web"

    account: Account
    settings: Mapping[str, Json]
    name: str
    canary: str = CANARY
    inputs: Mapping[str, Input] = field(default_factory=lambda: {"Secret": Input(value=CANARY, sensitive=True)})
    environment: str = "default"
    credentials: Mapping[str, str] | None = None
    _adapter: Adapter | None = None

    @property
    def workspace(self) -> Workspace:
        return self.laid(self.inputs, self.environment)

    @property
    def template(self) -> Path:
        return self.folder / "tree/stacks/web/template.yaml"

    def write(self, name: str, text: str) -> Path:
        """Write a file of the repository, named from its root."""
        path = self.folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    @property
    def adapter(self) -> Adapter:
        if self._adapter is None:
            self._adapter = build(self.settings, self.shell())
        return self._adapter

    def again(self, **settings: Json) -> Adapter:
        """Return the adapter as another run has it, with ``settings`` laid over."""
        self.settings = {**self.settings, **settings}
        self._adapter = None
        return self.adapter

    def shell(self, **needs: Any) -> Shell:
        granted = self.account.credentials if self.credentials is None else self.credentials
        return super().shell(**{"credentials": granted, **needs})

    @property
    def cloudformation(self) -> Any:
        return self.account.client("cloudformation")

    @property
    def sqs(self) -> Any:
        return self.account.client("sqs")

    def stack(self) -> dict[str, Any] | None:
        """Return the stack as the service describes it, None where there is none."""
        found = [one for one in self.cloudformation.describe_stacks()["Stacks"] if one["StackName"] == self.name]
        return found[0] if found else None

    def queue(self, which: str) -> str:
        """Return the URL of one of the stack's queues."""
        return str(self.sqs.get_queue_url(QueueName=f"{self.name}-{which}")["QueueUrl"])

    def world(self) -> Json:
        sqs = self.sqs
        listed = sorted(sqs.list_queues(QueueNamePrefix=f"{self.name}-").get("QueueUrls", []))
        stack = self.stack()
        # A shell that waits for its first change set is nothing that is there.
        stands = stack is not None and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
        return {
            "stack": [stack["StackId"], stack["EnableTerminationProtection"]] if stack and stands else None,
            "queues": [
                [
                    url.rsplit("/", 1)[-1],
                    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"],
                    sqs.list_queue_tags(QueueUrl=url).get("Tags", {}),
                ]
                for url in listed
            ],
        }

    def edit(self) -> None:
        self.template.write_text(self.template.read_text().replace("VisibilityTimeout: 45", "VisibilityTimeout: 46"))

    def spoil(self) -> str:
        self.template.write_text(self.template.read_text() + "  Broken: [\n")
        return "stacks/web/template.yaml"

    def tamper(self) -> Tampering:
        self.sqs.set_queue_attributes(QueueUrl=self.queue("first"), Attributes={"VisibilityTimeout": "99"})
        return Tampering(address="First", path="VisibilityTimeout", before=45, after=99)

    def remove(self) -> str:
        self.sqs.delete_queue(QueueUrl=self.queue("second"))
        return "Second"

    def apply(self) -> None:
        """Plan and apply, as one run does."""
        self.again()
        self.adapter.apply(self.workspace, self.adapter.plan(self.workspace, Goal.CONVERGE))


@dataclass(kw_only=True)
class AwsRig:
    """Makes subjects below one folder."""

    folder: Path
    account: Account
    monkeypatch: pytest.MonkeyPatch

    @property
    def settings(self) -> dict[str, Json]:
        return {"tool": "cloudformation", "path": "stacks/web", "region": REGION, "lint": False}

    def fresh(self, text: str = TEMPLATE, **settings: Json) -> AwsSubject:
        # Names are short: a queue's name has 80 characters at most.
        name = f"hf-{os.getpid()}-{next(NUMBERS)}"
        subject = AwsSubject(
            folder=Path(tempfile.mkdtemp(dir=self.folder)),
            account=self.account,
            settings={**self.settings, "stack_name": name, **settings},
            name=name,
        )
        subject.write("stacks/web/template.yaml", text)
        return subject

    def converged(self, text: str = TEMPLATE, **settings: Json) -> AwsSubject:
        subject = self.fresh(text, **settings)
        subject.apply()
        subject.again()
        return subject

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        return build({**self.settings, **settings}, shell)

    def without_tool(self) -> AwsSubject:
        # What Python itself does with a module that is not to be found.
        self.monkeypatch.setitem(sys.modules, "boto3", None)
        return self.fresh()


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that speaks AWS, for all tests of this worker."""
    program = Path(__file__).with_name("moto_as_the_service.py")
    log = tmp_path_factory.mktemp("aws") / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=errors) as server,
    ):
        assert server.stdout is not None
        port = json.loads(server.stdout.readline())
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def account(endpoint: str) -> Account:
    return Account(endpoint=endpoint)


@pytest.fixture
def rig(tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch) -> AwsRig:
    return AwsRig(folder=tmp_path, account=account, monkeypatch=monkeypatch)

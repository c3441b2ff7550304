"""``kill -9`` of Holdfast while Ansible or CloudFormation is at work: adopted or unknown, and never run twice.

Ansible is real; AWS is moto as `moto_as_the_service.py` extends it, with executions that take a while.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lab import serving_aws
from e2e_yard import Yard, until

from orchestrator.model.event import ApplyStarted

pytestmark = [pytest.mark.needs("git"), pytest.mark.full, pytest.mark.timeout(1500)]

KILLS = 20
SITE = """
- hosts: all
  gather_facts: false
  tasks:
    - name: before
      ansible.builtin.copy: {{dest: "{made}/before", content: "{version}\\n"}}
    - name: ledger
      ansible.builtin.shell: echo {version} >>{made}/ledger && sleep 0.5 && touch {made}/done-{version}
      args: {{creates: "{made}/done-{version}"}}
    - name: after
      ansible.builtin.copy: {{dest: "{made}/after", content: "{version}\\n"}}
"""
TEMPLATE = """
Resources:
  First:
    Type: AWS::SQS::Queue
    Properties: {{QueueName: killed-first, VisibilityTimeout: {version}}}
  Second:
    Type: AWS::SQS::Queue
    Properties: {{QueueName: killed-second, VisibilityTimeout: {version}}}
"""


def attempts(yard: Yard) -> int:
    return sum(isinstance(entry.event, ApplyStarted) for entry in yard.entries("web"))


def killed_at_work(yard: Yard, after: float) -> bool:
    """Apply, and kill Holdfast so many seconds after its attempt began; whether it was still there to be killed."""
    before = attempts(yard)
    process = yard.start("apply", "--yes", "--confirm", "web")
    until(lambda: process.poll() is not None or attempts(yard) > before, 120)
    time.sleep(after)
    there = process.poll() is None
    if there:
        os.kill(process.pid, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    return there


def settled(yard: Yard) -> str:
    """Apply anew, as the next run does; returns what came of the attempt in a word."""
    done = yard.apply("--confirm", "web")
    assert "Traceback" not in done.said
    if done.code == 5:
        assert yard.state("web").unknown is not None
        yard.apply("--confirm", "web", "--accept-duplicates").ended(0)
        return "unknown, then accepted"
    done.ended(0)
    return "adopted"


def many_kills(yard: Yard, longest: float, commit: Any, is_right: Any) -> None:
    """Kill in the middle of the apply of one version after another; every promise is checked after each."""
    moments = random.Random(20261125)  # noqa: S311 - to be the same every time is the point
    came: Counter[str] = Counter()
    version = 0
    while came.total() - came["over already"] < KILLS:
        version += 1
        commit(version)
        struck = killed_at_work(yard, moments.uniform(0.0, longest))
        came[settled(yard) if struck else "over already"] += 1
        is_right(version)
        assert version < KILLS * 3, f"hardly anybody was there to be killed: {came}"
    yard.record_is_sound()
    print(dict(came))


def test_a_playbook_whose_worker_is_killed_is_never_run_twice(yard: Yard) -> None:
    made = yard.folder / "made"
    made.mkdir()
    host = f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    stacks = "version: 1\nproject: estate\nstacks:\n  web: {tool: ansible, path: web, inventory: hosts}\n"

    def commit(version: int) -> None:
        yard.commit(
            {"stacks.yaml": stacks, "web/hosts": host, "web/site.yml": SITE.format(made=made, version=version)},
            f"version {version}",
        )

    def is_right(version: int) -> None:
        assert (made / "ledger").read_text().split() == [str(number) for number in range(1, version + 1)]
        assert {(made / name).read_text() for name in ("before", "after")} == {f"{version}\n"}

    many_kills(yard, 4.0, commit, is_right)


@pytest.fixture
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serving_aws(tmp_path_factory.mktemp("aws")) as granted:
        yield granted


def test_a_change_set_whose_worker_is_killed_is_never_executed_twice(yard: Yard, aws: dict[str, str]) -> None:
    import boto3  # noqa: PLC0415 - takes a moment to load

    operator = yard.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "credentials": {"aws": {"environment": aws, "stacks": ["*"]}}}))
    yard.extra |= {"HOLDFAST_CONFIG": str(operator)}
    settings = "{tool: cloudformation, path: web, region: eu-central-1, stack_name: killed, credentials: {plan: aws, apply: aws}}"
    cloud = boto3.client(
        "cloudformation",
        region_name="eu-central-1",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
    )

    def commit(version: int) -> None:
        stacks = f"version: 1\nproject: estate\nstacks:\n  web: {settings}\n"
        yard.commit({"stacks.yaml": stacks, "web/template.yaml": TEMPLATE.format(version=version)}, f"{version}")

    def is_right(version: int) -> None:
        events = cloud.describe_stack_events(StackName="killed")["StackEvents"]
        whole = [one for one in events if one["ResourceType"] == "AWS::CloudFormation::Stack"]
        ended = [one for one in whole if one["ResourceStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}]
        assert len(ended) == version
        tokens = Counter(one.get("ClientRequestToken", "") for one in ended)
        assert set(tokens.values()) == {1}, tokens

    many_kills(yard, 0.8, commit, is_right)

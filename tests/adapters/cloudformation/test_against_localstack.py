"""What takes its time and what goes wrong half-way, against a service that works by itself: LocalStack in host mode.

The other tests of this folder run against moto, where an operation goes on because somebody looks. Here it goes on in a
thread of the service's own, whoever looks: that is what these tests are for. ``scripts/with-localstack`` brings the
server, ``localstack_as_the_service.py`` says what is added to it.

What LocalStack 2026.3.0 does not do, and is therefore not tested here:

- drift: DetectStackDrift is refused as "not yet emulated". That the refusal is told in one line is tested.
- stack policies: it has none. No change sets that put drift back either: DeploymentMode is taken and ignored.
- the time of the last update: it is always that of the creation, so two updates look alike to a plan.
- the way back itself: after a failure the stack's statuses and events are the service's, but what the operation had
  created stays, what it had modified stays modified, and the template that failed counts as the stack's. So nothing is
  said here of the world after a rollback. Nor is the next update applied: making its change set puts a stack that was
  rolled back into REVIEW_IN_PROGRESS, which an apply rightly takes for somebody else's doing.
- a resource type that it does not know is said to be created. A failure here is one that the resource itself reports.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from queue_stack import QUEUE, plain

from adapters.cloudformation.adapter import build
from adapters.contract import ChangeKind, Finished, Goal, Handle, Plan, Running, ToolBusy, ToolFailed, ToolStopped

if TYPE_CHECKING:
    from conftest import AwsRig, AwsSubject

pytestmark = [pytest.mark.full, pytest.mark.localstack]

#: Path of the Python of LocalStack's own environment.
PYTHON = "HOLDFAST_TEST_LOCALSTACK"
REGION = "eu-central-1"
#: How long the server may take until it answers, on a machine that is busy (seconds).
UP_WITHIN = 60

#: Two queues; the second waits for a word to the stack, see `give_word`.
WAITING = """\
Resources:
  First:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "${AWS::StackName}-first"}
  Word:
    Type: AWS::CloudFormation::WaitConditionHandle
  Waits:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: First
    Properties: {Handle: !Ref Word, Timeout: "120"}
  Second:
    Type: AWS::SQS::Queue
    DependsOn: Waits
    Properties: {QueueName: !Sub "${AWS::StackName}-second"}
Outputs:
  Url: {Value: !Ref Second}
"""
#: A queue that cannot be: its creation is refused, not the change set.
BAD = """\
  Bad:
    Type: AWS::SQS::Queue
    DependsOn: %s
    Properties: {QueueName: no name for a queue}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a LocalStack of this module's own, which keeps everything in one folder."""
    if PYTHON not in os.environ:
        pytest.skip("no LocalStack: run it by scripts/with-localstack")
    folder, port = tmp_path_factory.mktemp("localstack"), free_port()
    program = Path(__file__).with_name("localstack_as_the_service.py")
    settings = {
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "FILESYSTEM_ROOT": str(folder),
        "HOME": str(folder),
        "OVERRIDE_IN_DOCKER": "0",
        "PATH": os.environ["PATH"],
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "SQS_ENDPOINT_STRATEGY": "path",
    }
    log = folder / "server.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(
            [os.environ[PYTHON], program, str(port)], cwd=folder, env=settings, stdout=said, stderr=said
        ) as server,
    ):
        try:
            wait_for(server, f"http://127.0.0.1:{port}/_localstack/health", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            # It keeps nothing, and would take seconds to say goodbye.
            server.kill()


def wait_for(server: subprocess.Popen[bytes], health: str, log: Path) -> None:
    """Return once the server answers; fail with what it said where it ends, or does not answer in time."""
    looks_a_second = 5
    for _ in range(UP_WITHIN * looks_a_second):
        try:
            with urllib.request.urlopen(health, timeout=10) as answer:  # noqa: S310 - our own address
                assert json.load(answer)["version"]
        except OSError:
            try:
                server.wait(timeout=1 / looks_a_second)
            except subprocess.TimeoutExpired:
                continue
            break
        else:
            return
    pytest.fail(f"LocalStack did not come up within {UP_WITHIN} s:\n{log.read_text()[-2000:]}")


def planned(subject: AwsSubject, goal: Goal = Goal.CONVERGE) -> Plan:
    return subject.again().plan(subject.workspace, goal)


def saved(plan: Plan) -> dict[str, Any]:
    assert plan.saved is not None
    found: dict[str, Any] = json.loads(plan.saved.read_bytes())
    return found


def stack_id(plan: Plan) -> str:
    return str(saved(plan)["expected"]["id"])


def status(subject: AwsSubject, plan: Plan) -> str:
    """Return the status of the very stack that was planned: it is known by its id when its name is gone."""
    return str(subject.cloudformation.describe_stacks(StackName=stack_id(plan))["Stacks"][0]["StackStatus"])


def watched(subject: AwsSubject, plan: Plan, look: Callable[[], Any]) -> None:
    """Apply, and have ``look`` called again and again while that is at work."""

    def looking() -> bool:
        look()
        return False

    build(subject.settings, subject.shell(cancelled=looking)).apply(subject.workspace, plan)


def killed_when(subject: AwsSubject, plan: Plan, told: str) -> Handle:
    """Apply, have the client killed once it has told of ``told``, and return what is left of the attempt."""

    def kill() -> None:
        if told not in subject.said():
            return
        for each in psutil.process_iter(["cmdline"]):
            words = each.info["cmdline"] or []
            if "adapters.cloudformation.client" in words and str(plan.saved) in words:
                each.kill()

    with pytest.raises(ToolStopped, match="signal 9"):
        watched(subject, plan, kill)
    return subject.handle()


def give_word(subject: AwsSubject, plan: Plan) -> None:
    """Have the stack's wait condition wait no longer: put an object where its handle's address points to."""
    s3, bucket = subject.account.client("s3"), f"cloudformation-waitcondition-{REGION}"
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key=stack_id(plan), Body=b"{}")


def followed(subject: AwsSubject, plan: Plan, handle: Handle) -> Finished:
    """Ask until the attempt has ended, and return how."""
    for _ in range(200):
        found = subject.adapter.resume(subject.workspace, plan, handle)
        if not isinstance(found, Running):
            assert isinstance(found, Finished), found
            return found
    pytest.fail("it never ended")


def test_a_creation_goes_on_by_itself_and_is_told_while_it_does(rig: AwsRig) -> None:
    subject = plain(rig, WAITING, apply=False)
    plan = planned(subject)
    assert [change.kind for change in plan.changes] == [ChangeKind.CREATE] * 4
    seen: set[str] = set()

    def look() -> None:
        # What was made is told of while the rest is still to come: before that the stack gets no word.
        if "First (AWS::SQS::Queue): CREATE_COMPLETE" in subject.said() and not seen:
            seen.add(status(subject, plan))
            give_word(subject, plan)

    watched(subject, plan, look)
    assert seen == {"CREATE_IN_PROGRESS"}
    assert status(subject, plan) == "CREATE_COMPLETE"
    told = [line.partition(" (AWS::SQS::Queue): ") for line in subject.said().splitlines() if "SQS" in line]
    order = [(name.split()[-1], said) for name, _, said in told]
    both = ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    assert order == [(name, said) for name in ("First", "Second") for said in both]
    assert subject.adapter.outputs(subject.workspace)["Url"].value == subject.queue("second")
    assert planned(subject).empty


def test_what_another_process_began_is_running_until_the_service_says_how_it_ended(rig: AwsRig) -> None:
    subject = plain(rig, WAITING, apply=False)
    plan = planned(subject)
    kept = saved(plan)
    subject.cloudformation.execute_change_set(ChangeSetName=kept["change_set"], ClientRequestToken=kept["token"])
    nothing_said = Handle(folder=subject.folder, result=None, alive=False)
    assert subject.adapter.resume(subject.workspace, plan, nothing_said) == Running()
    other = subject.folder / "other"
    other.mkdir()
    for goal in (Goal.CONVERGE, Goal.DESTROY):
        with pytest.raises(ToolBusy, match="is in CREATE_IN_PROGRESS"):
            subject.adapter.plan(replace(subject.workspace, private=other), goal)
    give_word(subject, plan)
    assert followed(subject, plan, nothing_said) == Finished()
    assert status(subject, plan) == "CREATE_COMPLETE"


def test_a_client_that_is_killed_leaves_the_service_at_work_and_resume_adopts_it(rig: AwsRig) -> None:
    subject = plain(rig, WAITING, apply=False)
    plan = planned(subject)
    handle = killed_when(subject, plan, "First (AWS::SQS::Queue): CREATE_COMPLETE")
    assert status(subject, plan) == "CREATE_IN_PROGRESS"
    assert subject.adapter.resume(subject.workspace, plan, handle) == Running()
    give_word(subject, plan)
    assert followed(subject, plan, handle) == Finished()
    assert planned(subject).empty, "nothing is made a second time"


def test_a_creation_that_fails_is_told_in_one_line_by_the_first_resource_that_did(rig: AwsRig) -> None:
    subject = plain(rig, QUEUE + BAD % "Queue", apply=False)
    plan = planned(subject)
    with pytest.raises(ToolFailed) as failed:
        subject.adapter.apply(subject.workspace, plan)
    assert f"{subject.name} ended in ROLLBACK_COMPLETE: Bad (AWS::SQS::Queue) CREATE_FAILED: " in failed.value.message
    assert "InvalidParameterValue" in failed.value.message
    assert "\n" not in failed.value.message
    assert "--destroy" in failed.value.hint
    with pytest.raises(ToolFailed, match="is in ROLLBACK_COMPLETE"):
        planned(subject)
    removal = planned(subject, Goal.DESTROY)
    subject.adapter.apply(subject.workspace, removal)
    assert status(subject, removal) == "DELETE_COMPLETE"


def test_an_update_that_fails_is_rolled_back_told_in_one_line_and_can_be_planned_again(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    subject.apply()
    subject.template.write_text(QUEUE + BAD % "Queue")
    plan = planned(subject)
    with pytest.raises(ToolFailed) as failed:
        subject.adapter.apply(subject.workspace, plan)
    cause = " ended in UPDATE_ROLLBACK_COMPLETE: Bad (AWS::SQS::Queue) CREATE_FAILED: "
    assert cause in failed.value.message
    assert "InvalidParameterValue" in failed.value.message
    assert "\n" not in failed.value.message
    assert "plan again" in failed.value.hint
    assert status(subject, plan) == "UPDATE_ROLLBACK_COMPLETE"
    subject.template.write_text((QUEUE + BAD % "Queue").replace("no name for a queue", f"{subject.name}-good"))
    assert [change.address for change in planned(subject).changes] == ["Bad"]


def test_an_update_tells_what_stands_and_what_will_and_does_it(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    subject.apply()
    subject.template.write_text(QUEUE.replace("Default: 30", "Default: 60"))
    plan = planned(subject)
    (change,) = plan.changes
    (attribute,) = change.attributes
    assert (change.address, change.kind) == ("Queue", ChangeKind.UPDATE)
    assert (attribute.path, str(attribute.before), str(attribute.after)) == ("VisibilityTimeout", "30", "60")
    subject.adapter.apply(subject.workspace, plan)
    url = subject.queue("queue")
    standing = subject.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert standing == {"VisibilityTimeout": "60"}
    assert status(subject, plan) == "UPDATE_COMPLETE"


def test_a_killed_client_whose_operation_fails_later_is_told_with_the_same_cause(rig: AwsRig) -> None:
    subject = plain(rig, WAITING.replace("Outputs:\n", BAD % "Second" + "Outputs:\n"), apply=False)
    plan = planned(subject)
    handle = killed_when(subject, plan, "First (AWS::SQS::Queue): CREATE_COMPLETE")
    assert subject.adapter.resume(subject.workspace, plan, handle) == Running()
    give_word(subject, plan)
    error = str(followed(subject, plan, handle).error)
    assert error.startswith("the stack ended in ROLLBACK_COMPLETE: Bad (AWS::SQS::Queue) CREATE_FAILED: ")
    assert "\n" not in error


def test_a_removal_is_followed_to_its_end_and_leaves_nothing(rig: AwsRig) -> None:
    subject = rig.fresh()
    subject.apply()
    plan = planned(subject, Goal.DESTROY)
    assert {change.kind for change in plan.changes} == {ChangeKind.DELETE}
    subject.adapter.apply(subject.workspace, plan)
    said = subject.said()
    for name in ("First", "Second"):
        assert f"{name} (AWS::SQS::Queue): DELETE_COMPLETE" in said
    assert status(subject, plan) == "DELETE_COMPLETE"
    assert not subject.sqs.list_queues(QueueNamePrefix=f"{subject.name}-").get("QueueUrls")
    nothing_said = Handle(folder=subject.folder, result=None, alive=False)
    assert subject.adapter.resume(subject.workspace, plan, nothing_said) == Finished()
    assert planned(subject).changes, "a stack of that name can be made again"


def test_a_service_that_detects_no_drift_is_told_in_one_line(rig: AwsRig) -> None:
    subject = plain(rig, apply=False)
    subject.apply()
    with pytest.raises(ToolFailed, match=r"DetectStackDrift: .*not yet") as refused:
        subject.again().drift(subject.workspace)
    assert "\n" not in refused.value.message

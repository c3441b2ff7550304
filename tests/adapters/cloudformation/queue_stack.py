"""A stack of one queue, whose parameters are no secrets: for tests of what a plan tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import AwsRig, AwsSubject

QUEUE = """\
Parameters:
  Wait: {Type: Number, Default: 30}
  Label: {Type: String, Default: plain}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-queue"
      VisibilityTimeout: !Ref Wait
      Tags:
        - {Key: label, Value: !Ref Label}
"""


def plain(rig: AwsRig, text: str = QUEUE, *, apply: bool = True, **settings: object) -> AwsSubject:
    """Return a subject of one queue; where it stands already, the service was asked directly: that is quicker."""
    subject = rig.fresh(text, **settings)  # type: ignore[arg-type]
    subject.inputs = {}
    if apply:
        deploy(subject, text, protected=bool(settings.get("termination_protection")))
    return subject


def deploy(subject: AwsSubject, text: str, *, protected: bool = False) -> None:
    """Create the stack as a person would, by the service itself."""
    cloudformation = subject.account.client("cloudformation", str(subject.settings["region"]))
    made = cloudformation.create_change_set(
        StackName=subject.name, ChangeSetName="by-hand", ChangeSetType="CREATE", TemplateBody=text
    )
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    for _ in range(3):
        cloudformation.describe_stack_events(StackName=subject.name)
    cloudformation.update_termination_protection(StackName=subject.name, EnableTerminationProtection=protected)

"""Drift: what the service compares, what it leaves out, and what can be put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from queue_stack import QUEUE, plain

from adapters.contract import ChangeKind, Goal, Input, InvalidSettings

if TYPE_CHECKING:
    from conftest import AwsRig

TOPIC = '  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: !Sub "${AWS::StackName}-topic"}\n'


def test_what_was_not_checked_is_counted_and_named(rig: AwsRig) -> None:
    subject = plain(rig, QUEUE + TOPIC)
    found = subject.adapter.drift(subject.workspace)
    assert not found.items
    assert any("1 of the stack's resources were not checked: Topic" in spot for spot in found.blind_spots)


def test_a_tag_changed_by_hand_is_told_by_its_place_in_the_list_and_put_back(rig: AwsRig) -> None:
    subject = plain(rig)
    before = subject.world()
    subject.sqs.tag_queue(QueueUrl=subject.queue("queue"), Tags={"label": "hacked"})
    (item,) = subject.adapter.drift(subject.workspace).items
    assert [(one.path, one.before, one.after) for one in item.change.attributes] == [
        ("Tags[0].Value", "plain", "hacked")
    ]
    name = subject.queue("queue").rpartition("/")[2]
    assert item.identities == (
        f"arn:aws:sqs:eu-central-1:123456789012:{name}",
        f"https://sqs.eu-central-1.amazonaws.com/123456789012/{name}",
    )
    plan = subject.adapter.plan(subject.workspace, Goal.REVERT_DRIFT)
    assert [(one.address, one.kind) for one in plan.changes] == [("Queue", ChangeKind.UPDATE)]
    subject.adapter.apply(subject.workspace, plan)
    assert subject.world() == before


def test_drift_of_a_secret_is_told_without_either_value(rig: AwsRig) -> None:
    subject = rig.converged()
    subject.sqs.tag_queue(QueueUrl=subject.queue("first"), Tags={"secret": "another"})
    found = subject.adapter.drift(subject.workspace)
    (attribute,) = [one for item in found.items for one in item.change.attributes]
    assert attribute.sensitive
    assert subject.canary not in repr(found)
    assert "another" not in repr(found)
    assert any("NoEcho parameters are worth: Secret" in spot for spot in found.blind_spots)


def test_a_queue_removed_by_hand_is_made_anew(rig: AwsRig) -> None:
    subject = plain(rig)
    before = subject.world()
    subject.sqs.delete_queue(QueueUrl=subject.queue("queue"))
    subject.adapter.apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.REVERT_DRIFT))
    assert subject.world() == before


def test_a_stack_removed_by_hand_is_drift(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.cloudformation.delete_stack(StackName=subject.name)
    (item,) = subject.adapter.drift(subject.workspace).items
    assert (item.change.address, item.change.kind) == (f"stack {subject.name}", ChangeKind.DELETE)
    plan = subject.adapter.plan(subject.workspace, Goal.REVERT_DRIFT)
    assert {change.kind for change in plan.changes} == {ChangeKind.CREATE}


def test_a_parameter_that_the_files_give_another_value_is_pending(rig: AwsRig) -> None:
    subject = plain(rig)
    subject.inputs = {"Wait": Input(value=60)}
    left = len(subject.cloudformation.list_change_sets(StackName=subject.name)["Summaries"])
    found = subject.adapter.drift(subject.workspace)
    assert not found.items
    assert [(one.address, one.kind) for one in found.pending] == [("Queue", ChangeKind.UPDATE)]
    assert len(subject.cloudformation.list_change_sets(StackName=subject.name)["Summaries"]) == left


def test_without_change_sets_for_drift_nothing_claims_to_put_it_back(rig: AwsRig) -> None:
    subject = plain(rig, revert_drift=False)
    assert subject.adapter.traits.heals_drift is False
    subject.sqs.set_queue_attributes(QueueUrl=subject.queue("queue"), Attributes={"VisibilityTimeout": "99"})
    (item,) = subject.adapter.drift(subject.workspace).items
    assert item.will_be_reverted is False
    with pytest.raises(InvalidSettings, match="no change sets that put drift back") as refused:
        subject.adapter.plan(subject.workspace, Goal.REVERT_DRIFT)
    assert "by hand" in refused.value.hint


def test_a_region_that_does_not_offer_them_says_so_and_names_the_setting(rig: AwsRig) -> None:
    subject = plain(rig, region="eu-south-1")
    with pytest.raises(InvalidSettings, match="no drift-aware change sets here") as refused:
        subject.adapter.plan(subject.workspace, Goal.REVERT_DRIFT)
    assert "revert_drift: false" in refused.value.hint

"""What of CloudTrail's answer is read how, where asking for it would take too long."""

from __future__ import annotations

from adapters.contract import Change, ChangeKind, DriftItem
from orchestrator.effects import trail


def item(number: int) -> DriftItem:
    change = Change(address=f"x.{number}", kind=ChangeKind.UPDATE)
    return DriftItem(change=change, will_be_reverted=True, identities=(f"name-{number}",))


def test_where_there_are_more_names_than_are_asked_for_the_rest_is_told_apart() -> None:
    items = [item(number) for number in range(trail.MOST_NAMES + 1)]
    asked = trail.names(items, "")[: trail.MOST_NAMES]
    *most, last = trail.testimonies(items, [], asked, frozenset())
    assert last.what == f"not asked: {trail.MOST_NAMES} names are asked for in one look"
    assert not last.late
    assert all(word.late for word in most)


def test_what_has_no_name_is_not_spoken_of() -> None:
    bare = DriftItem(change=Change(address="x", kind=ChangeKind.UPDATE), will_be_reverted=True)
    assert trail.testimonies([bare], [], (), frozenset()) == ()


def test_a_caller_of_unknown_kind_is_told_by_whatever_name_there_is() -> None:
    call = {"kind": "", "arn": "", "account": "", "by": "", "of": "s3.amazonaws.com", "user": ""}
    assert trail.who(call) == "somebody unnamed"
    assert trail.who({**call, "user": "ana"}) == "ana"
    assert trail.who({**call, "kind": "AssumedRole", "arn": "arn:odd"}) == "arn:odd"
    assert trail.who({**call, "kind": "AWSService"}) == "s3.amazonaws.com"

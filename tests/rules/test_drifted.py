"""What counts of all that differs: rules, looks in a row, and what keeps coming back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from situations import NOW, STACK

from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem
from orchestrator.model.drift import Sighting, parts, seen, sighted
from orchestrator.model.observed import Drift, Looks, Observed, State
from orchestrator.model.policy import DriftPolicy, Ignore, RepairLimit
from orchestrator.rules.drifted import expired, recurring, weigh


def item(address, *paths, kind=ChangeKind.UPDATE, actual=2, reverted=True):
    attributes = tuple(AttributeChange(path=path, before=1, after=actual) for path in paths)
    return DriftItem(change=Change(address=address, kind=kind, attributes=attributes), will_be_reverted=reverted)


def rule(address, path="", **more):
    return replace(Ignore(address=address, path=path, owner="team:net", reason="autoscaled"), **more)


def state(*items, at=NOW - 100, **more):
    return State(drift=Drift(items=items, first_seen=at, revision="r1"), occurrences=seen((), items, "r1", at), **more)


def weighed(found, *, looks=None, now=NOW, **policy):
    seen_now = Observed(stack=STACK, track="main")
    return weigh(seen_now, found, looks or Looks(), DriftPolicy(**policy), now)


def names(items):
    return [(one.change.address, [a.path for a in one.change.attributes]) for one in items]


def test_an_attribute_that_is_ignored_leaves_the_others_of_its_resource():
    found = weighed(state(item("x.one", "size", "tags.a")), ignore=(rule("x.*", "tags.*"),))
    assert names(found.drift.items) == [("x.one", ["size"])]
    assert names([one.item for one in found.ignored]) == [("x.one", ["tags.a"])]


def test_a_resource_whose_every_difference_is_ignored_is_no_drift():
    found = weighed(state(item("x.one", "size")), ignore=(rule("x.one"),))
    assert found.drift is None
    assert found.ignored[0].rule.owner == "team:net"


def test_a_rule_for_an_attribute_never_hides_that_the_resource_is_gone():
    gone = item("x.one", "size", kind=ChangeKind.DELETE)
    assert weighed(state(gone), ignore=(rule("x.one", "*"),)).drift
    assert weighed(state(gone), ignore=(rule("x.one"),)).drift is None


@pytest.mark.parametrize(
    ("glob", "address", "fits"),
    [
        ('x.y["a"]', 'x.y["a"]', True),
        ('x.y["a"]', "x.ya", False),
        ("x.y[0]", "x.y[0]", True),
        ("x.y[*]", "x.y[17]", True),
        ("x.y", "x.yz", False),
        ("module.*", "module.a.x.y", True),
    ],
)
def test_brackets_in_an_address_mean_themselves(glob, address, fits):
    assert (weighed(state(item(address, "size")), ignore=(rule(glob),)).drift is None) is fits


def test_what_people_ignored_by_word_counts_beside_the_files():
    found = state(item("x.one", "size"), ignores=(rule("x.one", owner="ana"),))
    assert weighed(found).ignored[0].rule.owner == "ana"


def test_a_rule_that_ended_has_what_it_hid_count_again_and_is_said_aloud():
    ended = rule("x.one", until=NOW - 1)
    found = state(item("x.one", "size"), ignores=(ended,))
    assert weighed(found).drift
    assert weighed(found, now=NOW - 2).drift is None
    assert expired(found, DriftPolicy(), NOW) == (ended,)
    assert expired(found, DriftPolicy(), NOW - 2) == ()
    assert expired(replace(found, drift=None), DriftPolicy(), NOW) == ()
    assert expired(found, DriftPolicy(ignore=(rule("x.*"),)), NOW) == ()


def test_drift_counts_once_as_many_looks_in_a_row_saw_it_as_policy_asks_for():
    found = state(item("x.one", "size"), item("x.two", "size"))
    one, two = (parts(each)[0].place for each in found.drift.items)
    looks = Looks(sightings=(Sighting(place=one, count=2), Sighting(place=two, count=1)))
    counted = weighed(found, looks=looks, confirm=2)
    assert names(counted.drift.items) == [("x.one", ["size"])]
    assert names(counted.unconfirmed) == [("x.two", ["size"])]
    assert weighed(found, looks=looks, confirm=1).unconfirmed == ()
    assert weighed(found, looks=looks, confirm=3).drift is None


def test_looks_in_a_row_are_counted_for_each_difference_by_itself():
    first, second = item("x.one", "size"), item("x.two", "size")
    once = sighted((), (), [first])
    twice = sighted(once, [first], [first, second])
    assert [one.count for one in twice] == [2, 1]
    changed = item("x.one", "size", actual=3)
    assert [one.count for one in sighted(twice, [first, second], [changed, second])] == [3, 2]


def test_what_was_put_back_meanwhile_is_seen_for_the_first_time():
    one = item("x.one", "size")
    assert [s.count for s in sighted(sighted((), (), [one]), (), [one])] == [1]


def test_drift_is_as_old_as_what_counts_of_it():
    old = state(item("x.old", "size"), at=NOW - 9000)
    both = (*old.drift.items, item("x.new", "size"))
    found = replace(old, drift=replace(old.drift, items=both), occurrences=seen(old.occurrences, both, "r1", NOW - 50))
    assert weighed(found).drift.first_seen == NOW - 9000
    assert weighed(found).drift.changed_at == NOW - 50
    assert weighed(found, ignore=(rule("x.old"),)).drift.first_seen == NOW - 50


LIMIT = RepairLimit(repairs=2, within_s=1000.0)


def drifting(since, *repaired_at):
    drift = Drift(items=(item("x.one", "size"),), first_seen=since, revision="r1")
    return Observed(stack=STACK, track="main", drift=drift, repaired_at=repaired_at)


def test_what_was_put_back_too_often_within_the_window_recurs():
    assert recurring(drifting(NOW, NOW - 900, NOW - 100), LIMIT)
    assert not recurring(drifting(NOW, NOW - 100), LIMIT)
    assert not recurring(drifting(NOW, NOW - 1100, NOW - 100), LIMIT)
    assert not recurring(drifting(NOW, NOW - 900, NOW - 100), None)
    assert not recurring(replace(drifting(NOW, NOW - 900, NOW - 100), drift=None), LIMIT)


def test_whether_it_recurs_does_not_change_while_nobody_does_anything():
    """Else it would be put back once a window, for ever, and nobody would be told."""
    assert recurring(drifting(NOW - 500_000, NOW - 500_900, NOW - 500_100), LIMIT)

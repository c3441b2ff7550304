"""What tools call drift and is none: each kind of noise, and what only looks like it."""

from __future__ import annotations

import pytest

from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem, Drifts
from orchestrator.rules.noise import is_nothing, quiet


def attribute(path, before, after, **more):
    return AttributeChange(path=path, before=before, after=after, **more)


def drifts(*attributes, reverted=False, kind=ChangeKind.UPDATE):
    change = Change(address="x.one", kind=kind, attributes=attributes)
    return Drifts(items=(DriftItem(change=change, will_be_reverted=reverted),), blind_spots=("the rest",))


def left(found):
    """Return the paths that are still drift."""
    return [one.path for item in quiet(found)[0].items for one in item.change.attributes]


@pytest.mark.parametrize("empty", ["", [], {}])
def test_nothing_written_in_another_way_is_no_drift(empty):
    for one in (attribute("tags", None, empty), attribute("tags", empty, None)):
        calm, said = quiet(drifts(one))
        assert calm.items == ()
        assert said == ("x.one tags: no drift, nothing is written in two ways",)


@pytest.mark.parametrize("value", [0, False, "0", [None], {"a": None}])
def test_zero_and_false_and_what_holds_something_are_values(value):
    assert not is_nothing(value)
    assert left(drifts(attribute("size", None, value))) == ["size"]


def test_a_list_in_another_order_is_no_drift():
    assert left(drifts(attribute("zones", ["a", "b", "b"], ["b", "a", "b"]))) == []
    assert left(drifts(attribute("rules", [{"p": 1, "q": 2}, {"p": 3}], [{"p": 3}, {"q": 2, "p": 1}]))) == []


def test_a_list_that_holds_something_else_or_more_often_is_drift():
    assert left(drifts(attribute("zones", ["a", "b"], ["a", "c"]))) == ["zones"]
    assert left(drifts(attribute("zones", ["a", "b"], ["a", "b", "b"]))) == ["zones"]


def test_a_list_told_position_by_position_is_judged_as_one():
    moved = (attribute("zones[0]", "a", "b"), attribute("zones[1]", "b", "a"))
    assert left(drifts(*moved)) == []
    assert left(drifts(*moved, attribute("zones[2]", "c", "d"))) == ["zones[0]", "zones[1]", "zones[2]"]


def test_keys_of_a_map_that_swapped_their_values_are_drift():
    swapped = (attribute('tags["a"]', "1", "2"), attribute('tags["b"]', "2", "1"))
    assert left(drifts(*swapped)) == ['tags["a"]', 'tags["b"]']


def test_what_only_the_world_knows_is_no_drift():
    assert left(drifts(attribute("etag", "x", None, computed=True))) == []


def test_what_both_sides_hide_is_never_called_noise():
    assert left(drifts(attribute("password", None, "", sensitive=True))) == ["password"]


def test_what_the_tool_would_put_back_is_drift_however_alike_it_looks():
    """An order may matter: who would change it back says that it does."""
    assert left(drifts(attribute("rules", ["deny", "allow"], ["allow", "deny"]), reverted=True)) == ["rules"]


def test_noise_beside_real_drift_is_left_out():
    found = drifts(attribute("size", 1, 2), attribute("tags", None, {}), reverted=True)
    assert left(found) == ["size"]
    assert quiet(found)[1] == ("x.one tags: no drift, nothing is written in two ways",)


def test_a_resource_that_is_gone_or_came_is_drift_whatever_is_said_of_it():
    for kind in (ChangeKind.DELETE, ChangeKind.CREATE, ChangeKind.UNKNOWN, ChangeKind.REPLACE):
        found = drifts(attribute("tags", None, {}), kind=kind)
        assert quiet(found) == (found, ())
    found = drifts()
    assert quiet(found) == (found, ())


def test_what_cannot_be_seen_is_handed_on():
    assert quiet(drifts(attribute("tags", None, {})))[0].blind_spots == ("the rest",)

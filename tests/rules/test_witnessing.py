"""What witnesses are asked, and when: once for each difference, and about the time in which it came about."""

from __future__ import annotations

from dataclasses import replace

from situations import APPLIED, NOW

from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem
from adapters.testimony import Confidence, Testimony
from orchestrator.model import event as events
from orchestrator.model.drift import parts
from orchestrator.model.fold import fold
from orchestrator.model.observed import Looks, State
from orchestrator.model.policy import DriftPolicy, Ignore
from orchestrator.model.stack import StackKey
from orchestrator.rules.witnessing import LATE_S, inquiries, ranked

KEY = StackKey(source="infra", name="web")
OLD = replace(APPLIED, at=NOW - 90_000, verified_at=NOW - 80_000)
EMPTY = State(applied=OLD)
LOOKED = Looks(drift_at=NOW - 3600)


def item(address: str, **actual: int) -> DriftItem:
    attributes = tuple(AttributeChange(path=path, before=0, after=value) for path, value in actual.items())
    return DriftItem(
        change=Change(address=address, kind=ChangeKind.UPDATE, attributes=attributes), will_be_reverted=True
    )


def asked(state: State, *items: DriftItem, looks: Looks = LOOKED, policy: DriftPolicy | None = None, now: float = NOW):
    return inquiries(KEY, state, looks, items, policy or DriftPolicy(), now)


def told(state: State, *items: DriftItem, at: float, late: bool = False, who: str = "") -> State:
    (one,) = asked(state, *items, now=at)
    word = Testimony(who=who, what="w", source="CloudTrail", confidence=Confidence.HINT, late=late)
    seen = fold(state, events.DriftSeen(revision="r1", items=items), at)
    return fold(seen, events.DriftWitnessed(about=one.marks, since=one.since, testimonies=(word,)), at)


def test_what_is_new_is_asked_about_from_before_the_last_look_until_now():
    (one,) = asked(EMPTY, item("x.a", size=1))
    assert (one.stack, [found.change.address for found in one.items]) == (KEY, ["x.a"])
    assert one.marks == tuple(part.mark for part in parts(item("x.a", size=1)))
    assert (one.since, one.until) == (LOOKED.drift_at - 600, NOW)


def test_nothing_is_asked_about_before_the_apply_nor_about_a_stack_that_was_never_applied():
    (one,) = asked(replace(EMPTY, applied=replace(OLD, at=NOW - 100)), item("x.a", size=1))
    assert one.since == NOW - 100
    assert asked(State(), item("x.a", size=1)) == ()


def test_a_look_that_could_not_see_says_nothing_of_the_time():
    (one,) = asked(replace(EMPTY, drift_check_error="blind"), item("x.a", size=1))
    assert one.since == OLD.verified_at - 600


def test_a_difference_is_asked_about_once_whatever_was_said():
    state = told(EMPTY, item("x.a", size=1), at=NOW - 1800)
    assert asked(state, item("x.a", size=1)) == ()
    (one,) = asked(state, item("x.a", size=1), item("x.b", size=1))
    assert [found.change.address for found in one.items] == ["x.b"]


def test_another_value_of_the_same_thing_is_asked_about_anew():
    state = told(EMPTY, item("x.a", size=1, tags=1), at=NOW - 1800)
    (one,) = asked(state, item("x.a", size=2, tags=1))
    assert one.marks == (parts(item("x.a", size=2))[0].mark,)


def test_a_witness_that_hears_late_is_asked_once_more_and_about_the_same_time():
    first = NOW - LATE_S
    state = told(EMPTY, item("x.a", size=1), at=first, late=True)
    assert asked(state, item("x.a", size=1), now=NOW - 1) == ()
    (one,) = asked(state, item("x.a", size=1))
    assert (one.since, one.until) == (LOOKED.drift_at - 600, first)
    again = fold(state, events.DriftWitnessed(about=one.marks, since=one.since, testimonies=()), NOW)
    assert asked(again, item("x.a", size=1), now=NOW + 9000) == ()


def test_what_an_older_record_holds_is_asked_about_since_the_apply_and_apart_from_what_is_new():
    older = fold(EMPTY, events.DriftSeen(revision="r1", items=(item("x.a", size=1),)), NOW - 7200)
    first, second = asked(older, item("x.a", size=1), item("x.b", size=1))
    assert (first.since, first.until, first.items) == (OLD.at, NOW - 7200, (item("x.a", size=1),))
    assert (second.until, second.items) == (NOW, (item("x.b", size=1),))


def test_nobody_is_asked_about_what_is_ignored():
    rule = Ignore(address="x.*", path="size", owner="ana", reason="autoscaled", until=NOW + 60)
    policy = DriftPolicy(ignore=(rule,))
    assert asked(EMPTY, item("x.a", size=1), policy=policy) == ()
    assert asked(replace(EMPTY, ignores=(rule,)), item("x.a", size=1)) == ()
    (one,) = asked(EMPTY, item("x.a", size=1, tags=1), policy=policy)
    assert one.marks == (parts(item("x.a", tags=1))[0].mark,)


def test_words_stay_with_the_differences_that_they_are_about_and_no_others():
    state = told(EMPTY, item("x.a", size=1), at=NOW - 1800, who="eve")
    both = fold(state, events.DriftSeen(revision="r1", items=(item("x.a", size=1), item("x.b", size=1))), NOW)
    (one,) = asked(state, item("x.a", size=1), item("x.b", size=1))
    word = Testimony(address="x.a", who="mallory", what="w", source="s", confidence=Confidence.CERTAIN)
    seen = fold(both, events.DriftWitnessed(about=one.marks, since=one.since, testimonies=(word,)), NOW)
    who = {one.address: [word.who for word in one.testimonies] for one in seen.occurrences}
    assert who == {"x.a": ["eve"], "x.b": []}
    assert all(one.asked_at for one in seen.occurrences)


def test_who_names_somebody_comes_first_then_who_proves_most_then_the_newest():
    def word(who: str, confidence: Confidence, at: float | None = None) -> Testimony:
        return Testimony(who=who, what="w", source="s", confidence=confidence, at=at)

    said = [
        word("", Confidence.CERTAIN),
        word("c", Confidence.HINT),
        word("a", Confidence.LIKELY, 1.0),
        word("b", Confidence.LIKELY, 2.0),
    ]
    assert [one.who for one in ranked(said)] == ["b", "a", "c", ""]

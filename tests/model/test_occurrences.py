"""Each occurrence of drift has a beginning, an end, and somebody or nobody who ended it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from situations import APPLIED, ATTEMPT, DRIFT, PROPOSAL

from adapters.contract import MASK, AttributeChange, Change, ChangeKind, DriftItem, Goal
from orchestrator.model import event as events
from orchestrator.model.drift import KEPT, Ending, Repair, lasting
from orchestrator.model.drifted import MOST_REPAIRS
from orchestrator.model.event import Outcome
from orchestrator.model.fold import fold
from orchestrator.model.observed import State
from orchestrator.model.policy import Ignore

AT_REST = State(applied=APPLIED)


def item(actual, *, address="x.one", reverted=True, **more):
    attribute = AttributeChange(path="size", before=1, after=actual, **more)
    change = Change(address=address, kind=ChangeKind.UPDATE, attributes=(attribute,))
    return DriftItem(change=change, will_be_reverted=reverted)


def drift(*items):
    return events.DriftSeen(revision="r1", items=items)


def told(state, *happened):
    """Fold what happened, one thing each ten seconds."""
    for step, one in enumerate(happened):
        state = fold(state, one, 100.0 + 10 * step)
    return state


def apply(number, *, fingerprint="f1", goal=Goal.CONVERGE, outcome=Outcome.SUCCEEDED):
    proposal = replace(PROPOSAL, fingerprint=fingerprint, goal=goal)
    applied = replace(APPLIED, fingerprint=fingerprint, goal=goal) if outcome is Outcome.SUCCEEDED else None
    return (
        events.ApplyStarted(attempt=replace(ATTEMPT, number=number, run=number, proposal=proposal)),
        events.ApplyEnded(attempt=number, outcome=outcome, applied=applied, message="no"),
    )


def ends(state):
    return [(one.address, one.actual, one.ended, one.run, one.by) for one in state.occurrences]


def test_a_repair_is_told_with_its_run_and_who_started_it():
    seen = told(AT_REST, drift(item(2)), *apply(6))
    assert ends(seen) == [("x.one", "2", Ending.REPAIRED, 6, "ana")]
    (one,) = seen.occurrences
    assert (one.since, one.until, one.expected) == (100.0, 120.0, "1")
    assert seen.repairs == (Repair(at=120.0, run=6, by="ana"),)


def test_each_time_that_it_comes_back_is_a_line_of_its_own():
    seen = told(AT_REST, drift(item(2)), *apply(6), drift(item(2)), *apply(7), drift(item(2)))
    assert [one.ended for one in seen.occurrences] == [Ending.REPAIRED, Ending.REPAIRED, None]
    assert [one.since for one in seen.occurrences] == [100.0, 130.0, 160.0]
    assert len(seen.repairs) == 2


def test_a_second_change_of_the_same_thing_ends_the_first_and_drifts_on():
    seen = told(AT_REST, drift(item(2)), drift(item(3)))
    assert [(one.actual, one.ended) for one in seen.occurrences] == [("2", Ending.CHANGED), ("3", None)]
    assert [one.drifting_since for one in seen.occurrences] == [100.0, 100.0]


def test_what_a_look_no_longer_finds_went_by_itself_and_the_rest_goes_on():
    seen = told(AT_REST, drift(item(2), item(2, address="x.two")), drift(item(2, address="x.two")))
    assert ends(seen) == [("x.one", "2", Ending.GONE, 0, ""), ("x.two", "2", None, 0, "")]
    assert lasting(told(seen, events.DriftGone()).occurrences) == ()
    assert lasting(told(seen, events.Verified(attempt=4)).occurrences) == ()


def test_what_vanishes_after_an_attempt_that_failed_names_that_attempt():
    failed = told(AT_REST, drift(item(2)), *apply(6, outcome=Outcome.FAILED))
    assert ends(failed) == [("x.one", "2", None, 6, "ana")]
    assert ends(told(failed, events.DriftGone())) == [("x.one", "2", Ending.GONE, 6, "ana")]
    assert failed.repairs == ()


def test_other_files_that_ask_for_what_is_there_have_adopted_it():
    adopted = events.Converged(track="main", applied=replace(APPLIED, fingerprint="f2", run=9))
    assert ends(told(AT_REST, drift(item(2)), adopted)) == [("x.one", "2", Ending.ADOPTED, 9, "")]


def test_an_apply_of_other_files_is_no_repair():
    seen = told(AT_REST, drift(item(2), item(2, address="x.two", reverted=False)), *apply(6, fingerprint="f2"))
    assert [(one[0], one[2]) for one in ends(seen)] == [("x.one", Ending.SUPERSEDED), ("x.two", Ending.ADOPTED)]
    assert seen.repairs == ()


def test_what_no_apply_puts_back_is_never_said_to_be_repaired():
    seen = told(AT_REST, drift(item(2), item(2, address="x.two", reverted=False)), *apply(6))
    assert [(one[0], one[2]) for one in ends(seen)] == [("x.one", Ending.REPAIRED), ("x.two", Ending.ADOPTED)]


def test_a_plan_that_finds_nothing_to_do_leaves_what_no_apply_would_put_back():
    same = events.Converged(track="main", applied=replace(APPLIED, run=9))
    kept = item(2, address="x.two", reverted=False)
    seen = told(AT_REST, drift(item(2), kept), same)
    assert seen.drift.items == (kept,)
    assert [(one[0], one[2]) for one in ends(seen)] == [("x.one", Ending.GONE), ("x.two", None)]
    assert told(AT_REST, drift(item(2)), same).drift is None


@pytest.mark.parametrize("by_plan", [True, False])
def test_what_was_taken_down_drifts_no_more(by_plan):
    gone = replace(APPLIED, goal=Goal.DESTROY)
    happened = (events.Converged(track="main", applied=gone),) if by_plan else apply(6, goal=Goal.DESTROY)
    assert [one[2] for one in ends(told(AT_REST, drift(item(2)), *happened))] == [Ending.DESTROYED]


def test_a_secret_is_kept_by_neither_side_of_an_occurrence():
    seen = told(AT_REST, drift(item("hunter2", sensitive=True)))
    (one,) = seen.occurrences
    assert (one.expected, one.actual) == (MASK, MASK)
    assert "hunter2" not in repr(replace(seen, drift=None))


def test_a_resource_that_is_gone_is_one_difference_whatever_it_had():
    gone = replace(item(2), change=replace(item(2).change, kind=ChangeKind.DELETE))
    (one,) = told(AT_REST, drift(gone)).occurrences
    assert (one.path, one.kind, one.actual) == ("", ChangeKind.DELETE, "")


def test_history_has_an_end_and_what_lasts_is_always_kept():
    state = AT_REST
    for number in range(KEPT + 5):
        state = told(state, drift(item(number)))
    assert len(state.occurrences) == KEPT + 1
    assert lasting(state.occurrences)[0].actual == str(KEPT + 4)


def test_repairs_are_counted_until_somebody_resumes_them():
    state = AT_REST
    for number in range(MOST_REPAIRS + 2):
        state = told(state, drift(*DRIFT.items), *apply(6 + number))
    assert len(state.repairs) == MOST_REPAIRS
    resumed = told(state, events.RepairsResumed(by="ana", reason="the script is gone"))
    assert resumed.repairs == ()
    assert resumed.occurrences == state.occurrences


def test_a_word_on_the_very_same_takes_the_place_of_the_one_before():
    rule = Ignore(address="x.one", owner="ana", reason="known", until=9.0)
    longer, other = replace(rule, until=99.0), replace(rule, path="size")
    seen = told(AT_REST, *(events.DriftIgnored(rule=one) for one in (rule, other, longer)))
    assert seen.ignores == (other, longer)
    assert told(seen, events.DriftHeeded(address="x.one", path="", by="ana")).ignores == (other,)

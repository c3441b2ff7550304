from __future__ import annotations

import pytest

from orchestrator.model.action import Apply, MakePlan, Reason, Rest
from orchestrator.telling.outcome import exit_after_apply, exit_after_plan, mark_of
from orchestrator.telling.rows import Mark

#: Reasons for doing something: nothing ever rests for them.
DOING = {
    Reason.DRIFT_DUE,
    Reason.NO_PLAN,
    Reason.OUTDATED,
    Reason.TOO_OLD,
    Reason.NOT_CONVERGED,
    Reason.LOOK_AFTER_UNKNOWN,
    Reason.DRIFT_REPAIR,
    Reason.APPROVED,
    Reason.AUTOMATIC,
}


@pytest.mark.parametrize("reason", sorted(set(Reason) - DOING))
def test_every_reason_to_rest_has_a_mark(reason):
    assert mark_of(Rest(reason=reason, why=""), ()) in set(Mark)


def test_a_stack_that_was_applied_on_the_way_says_so():
    rest = Rest(reason=Reason.CONVERGED, why="")
    did = (MakePlan(reason=Reason.NO_PLAN, why=""), Apply(reason=Reason.APPROVED, why=""))
    assert mark_of(rest, did) is Mark.APPLIED
    assert mark_of(rest, did[:1]) is Mark.NONE
    assert mark_of(Rest(reason=Reason.STALLED, why=""), did) is Mark.FAILED


@pytest.mark.parametrize(
    ("marks", "plain", "detailed"),
    [
        ([], 0, 0),
        ([Mark.NONE], 0, 0),
        ([Mark.CHANGES, Mark.NONE], 0, 2),
        ([Mark.CHANGES, Mark.DEFERRED], 0, 2),
        ([Mark.DEFERRED, Mark.NONE], 5, 5),
        ([Mark.CHANGES, Mark.HELD], 5, 5),
        ([Mark.CHANGES, Mark.FAILED], 1, 1),
        ([Mark.DENIED, Mark.CHANGES], 4, 4),
        ([Mark.LOCKED], 75, 75),
        ([Mark.UNKNOWN], 5, 5),
    ],
)
def test_a_plan_ends_in_the_exit_code_of_the_worst(marks, plain, detailed):
    assert exit_after_plan(marks, detailed=False) == plain
    assert exit_after_plan(marks, detailed=True) == detailed


@pytest.mark.parametrize(
    ("marks", "code"),
    [
        ([], 0),
        ([Mark.APPLIED, Mark.NONE], 0),
        ([Mark.CHANGES, Mark.APPLIED], 3),
        ([Mark.DENIED, Mark.CHANGES], 4),
        ([Mark.DEFERRED], 5),
        ([Mark.HELD], 5),
        ([Mark.UNKNOWN, Mark.DENIED], 5),
        ([Mark.LOCKED, Mark.CHANGES], 75),
        ([Mark.FAILED, Mark.UNKNOWN, Mark.LOCKED], 1),
    ],
)
def test_an_apply_ends_in_the_exit_code_of_the_worst(marks, code):
    assert exit_after_apply(marks) == code

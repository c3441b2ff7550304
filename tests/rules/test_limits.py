"""How much is worked at once: never more than allowed, and looks for drift never take the last place."""

from __future__ import annotations

import pytest

from orchestrator.model.workers import Limit, Workers
from orchestrator.ports import Due
from orchestrator.rules.limits import admits
from orchestrator.rules.pace import APPLY, DRIFT, PLAN


def due(stack: str, priority: int = PLAN) -> Due:
    return Due(stack=stack, track="main", at=0, why="", priority=priority)


PROD = Limit(stacks="infra/*@prod", at_once=2, drift_at_once=1)


def test_no_more_is_worked_than_there_are_places() -> None:
    working = [due("infra/a@dev"), due("infra/b@dev")]
    assert admits(Workers(count=3), due("infra/c@dev"), working)
    assert not admits(Workers(count=2), due("infra/c@dev", APPLY), working)


def test_a_look_for_drift_leaves_the_last_place_to_what_somebody_waits_for() -> None:
    working = [due("infra/a@dev", DRIFT)]
    assert not admits(Workers(count=2), due("infra/b@dev", DRIFT), working)
    assert admits(Workers(count=2), due("infra/b@dev", PLAN), working)
    assert admits(Workers(count=1), due("infra/b@dev", DRIFT), []), "with one place it would never be looked for"


@pytest.mark.parametrize(
    ("stack", "priority", "working", "admitted"),
    [
        ("infra/c@prod", PLAN, [due("infra/a@prod"), due("infra/b@prod")], False),
        ("infra/c@dev", PLAN, [due("infra/a@prod"), due("infra/b@prod")], True),
        ("other/c@prod", PLAN, [due("infra/a@prod"), due("infra/b@prod")], True),
        ("infra/c@prod", DRIFT, [due("infra/a@prod", DRIFT)], False),
        ("infra/c@prod", DRIFT, [due("infra/a@prod", PLAN)], True),
        ("infra/c@prod", APPLY, [due("infra/a@prod", DRIFT)], True),
    ],
)
def test_a_limit_counts_for_the_stacks_that_it_names(
    stack: str, priority: int, working: list[Due], admitted: bool
) -> None:
    assert admits(Workers(count=9, limits=(PROD,)), due(stack, priority), working) is admitted


def test_the_strictest_of_several_limits_counts() -> None:
    both = Workers(count=9, limits=(Limit(stacks="*", at_once=5), Limit(stacks="infra/*", at_once=1)))
    assert not admits(both, due("infra/b@dev"), [due("infra/a@dev")])
    assert admits(both, due("lab/b@dev"), [due("infra/a@dev")])

"""When a stack is looked at again: no sooner than it asked for, a little later each to its own, and always some time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.action import Reason, Rest
from orchestrator.rules.pace import ANYWAY_S, DRIFT, PLAN, again, again_of_a_pull, jittered

NOW = 1_000_000.0


@given(st.floats(0, 1e7), st.text())
def test_a_wait_is_stretched_by_a_tenth_at_most_and_never_shortened(wait: float, seed: str) -> None:
    assert wait <= jittered(wait, seed) <= wait * 1.1


def test_what_began_together_does_not_come_due_together() -> None:
    rest = Rest(reason=Reason.CONVERGED, why="", until=NOW + 3600)
    times = [again(f"infra/s{n}@default", rest, NOW)[0] for n in range(1000)]
    assert max(times) - min(times) > 300
    tenths = [sum(n * 36 <= at - NOW - 3600 < (n + 1) * 36 for at in times) for n in range(10)]
    assert min(tenths) > 60, "spread evenly"


def test_a_stack_that_waits_for_nothing_but_a_nudge_is_looked_at_some_time() -> None:
    at, priority = again("infra/a@default", Rest(reason=Reason.DEFERRED, why=""), NOW)
    assert NOW + ANYWAY_S <= at <= NOW + ANYWAY_S * 1.1
    assert priority == DRIFT


def test_what_may_end_without_anybody_telling_is_looked_at_soon() -> None:
    at, _ = again("infra/a@default", Rest(reason=Reason.GATED, why="the store does not answer"), NOW)
    assert at < NOW + 600


def test_a_stack_of_a_pull_request_waits_for_a_nudge_unless_nobody_would_give_one() -> None:
    asks, gated = (Rest(reason=reason, why="") for reason in (Reason.AWAITING_APPROVAL, Reason.GATED))
    assert again_of_a_pull("infra/a@default", asks, NOW)[0] == float("inf")
    assert again_of_a_pull("infra/a@default", replace(asks, until=NOW), NOW)[0] == NOW
    assert again_of_a_pull("infra/a@default", gated, NOW) == again("infra/a@default", gated, NOW)


def test_a_date_that_has_passed_is_due_at_once() -> None:
    assert again("infra/a@default", Rest(reason=Reason.GATED, why="", until=NOW - 5), NOW) == (NOW, PLAN)


def test_the_end_of_a_wait_is_as_urgent_as_what_follows_it() -> None:
    backing_off = Rest(reason=Reason.BACKING_OFF, why="", until=NOW + 5)
    quiet = Rest(reason=Reason.CONVERGED, why="", until=NOW + 5)
    assert (again("a/b@c", backing_off, NOW)[1], again("a/b@c", quiet, NOW)[1]) == (PLAN, DRIFT)

"""`narrow` is a meet: three laws, and what they mean for the fields where they could go wrong."""

from __future__ import annotations

from functools import cache
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Group, Ignore, Mode, Policy, RepairLimit
from orchestrator.rules.narrow import NOBODY, UNLIMITED, in_groups, in_order, narrow
from orchestrator.rules.windows import opening

ANSWERS = list(DriftAnswer)
WINDOWS = ["Mon 09:00-16:00 UTC", "Tue 09:00-16:00 UTC", "daily 12:00-13:00 UTC"]
#: The second at which the week begins that is looked at.
WEEK = 1_800_000_000
RULES = [Ignore(address=f"x.{name}", owner="user:ana", reason="known", until=None) for name in "abc"]

approvals = st.builds(
    Approvals,
    required=st.integers(0, 3),
    eligible=st.lists(st.sampled_from(["team:a", "team:b", "user:c"]), unique=True).map(sorted).map(tuple),
    groups=st.lists(
        st.builds(Group, of=st.sampled_from([("team:a",), ("team:a", "team:b")]), at_least=st.integers(1, 3)),
        max_size=3,
    ).map(in_groups),
    allow_author=st.booleans(),
    valid_s=st.none() | st.sampled_from([60.0, 3600.0]),
)
policies = st.builds(
    Policy,
    mode=st.sampled_from(Mode),
    approvals=approvals,
    windows=st.lists(st.sampled_from(WINDOWS), unique=True).map(sorted).map(tuple),
    delete_limit=st.none() | st.integers(0, 5),
    drift=st.builds(
        DriftPolicy,
        every_s=st.sampled_from([0.0, 60.0, 3600.0]),
        answer=st.sampled_from(ANSWERS),
        confirm=st.integers(1, 3),
        limit=st.none() | st.builds(RepairLimit, repairs=st.integers(1, 3), within_s=st.sampled_from([60.0, 3600.0])),
        ignore=st.lists(st.sampled_from(RULES), unique=True).map(in_order),
    ),
    retries=st.integers(0, 5),
    timeout_s=st.sampled_from([60.0, 1800.0]),
    plan_ttl_s=st.sampled_from([60.0, 86400.0]),
)


@cache
def open_in_a_week(windows: tuple[str, ...]) -> frozenset[int]:
    """Each half hour of a week at which they are open: the windows themselves are asked, not their texts."""
    found, half_hours = set(), range(WEEK, WEEK + 7 * 24 * 3600, 1800)
    at: float | None = WEEK
    while at is not None and (at := opening(windows, at)) is not None and at < half_hours.stop:
        step = WEEK + ceil((at - WEEK) / 1800) * 1800
        if step in half_hours and opening(windows, step) == step:
            found.add(step)
        at = step + 1800
    return frozenset(found)


def allows(looser: Policy, stricter: Policy) -> bool:
    """Whether everything that ``stricter`` lets happen is something that ``looser`` lets happen."""
    eligible = set(stricter.approvals.eligible) - {NOBODY}
    who = not looser.approvals.eligible or (
        bool(stricter.approvals.eligible) and eligible <= set(looser.approvals.eligible)
    )
    grouped = all(
        any(more.of == one.of and more.at_least >= one.at_least for more in stricter.approvals.groups)
        for one in looser.approvals.groups
    )
    expires = (
        looser.approvals.valid_s is None or (stricter.approvals.valid_s or float("inf")) <= looser.approvals.valid_s
    )
    limits = looser.delete_limit is None or (
        stricter.delete_limit is not None and stricter.delete_limit <= looser.delete_limit
    )
    looks = not looser.drift.every_s or 0 < stricter.drift.every_s <= looser.drift.every_s
    repairs = looser.drift.limit is None or (
        stricter.drift.limit is not None
        and stricter.drift.limit.repairs <= looser.drift.limit.repairs
        and stricter.drift.limit.within_s >= looser.drift.limit.within_s
    )
    surer = stricter.drift.confirm >= looser.drift.confirm
    spared = set(stricter.drift.ignore) >= set(looser.drift.ignore)
    opens = open_in_a_week(stricter.windows) <= open_in_a_week(looser.windows)
    return (
        stricter.mode <= looser.mode
        and stricter.approvals.required >= looser.approvals.required
        and (looser.approvals.allow_author or not stricter.approvals.allow_author)
        and ANSWERS.index(stricter.drift.answer) <= ANSWERS.index(looser.drift.answer)
        and stricter.retries <= looser.retries
        and stricter.timeout_s <= looser.timeout_s
        and stricter.plan_ttl_s <= looser.plan_ttl_s
        and all((who, grouped, expires, limits, looks, opens, repairs, surer, spared))
    )


@given(policies, policies)
def test_it_does_not_matter_who_is_asked_first(one, other):
    assert narrow(one, other) == narrow(other, one)


@given(policies)
def test_narrowing_by_oneself_changes_nothing(one):
    assert narrow(one, one) == one


@settings(max_examples=40, deadline=None)
@given(policies, policies)
def test_the_result_is_never_above_either_side(one, other):
    both = narrow(one, other)
    assert allows(one, both)
    assert allows(other, both)


@given(policies, policies, policies)
def test_three_sides_may_be_narrowed_in_any_order(one, other, third):
    assert narrow(narrow(one, other), third) == narrow(one, narrow(other, third))


@given(policies)
def test_an_operator_who_says_nothing_limits_nothing(one):
    assert narrow(UNLIMITED, one) == one


def test_approvers_with_nobody_in_common_leave_nobody_rather_than_anybody():
    one = Policy(approvals=Approvals(eligible=("team:a",)))
    other = Policy(approvals=Approvals(eligible=("team:b",)))
    assert narrow(one, other).approvals.eligible == (NOBODY,)


def test_windows_of_both_sides_must_be_open():
    one, other = Policy(windows=("Mon-Fri 09:00-16:00 UTC",)), Policy(windows=("daily 12:00-13:00 UTC",))
    assert narrow(one, other).windows == ("Mon-Fri 09:00-16:00 UTC & daily 12:00-13:00 UTC",)

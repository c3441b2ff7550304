"""The checks of a commit and its one status: what is green, what is not, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reviews import attribute, change, example, part, planned, review

from adapters.contract import ChangeKind, Problem, Severity
from orchestrator.model import verdict
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.review import Fare, Review
from orchestrator.model.verdict import Check, CheckConclusion
from orchestrator.telling.review.checks import checks, status
from orchestrator.telling.review.sheet import Sheet

SHEET = Sheet(source="infra")
FINE = frozenset({Fare.PLANNED, Fare.EMPTY, Fare.APPLIED})


def one(found: Review) -> Check:
    (check,) = checks(found, SHEET)
    return check


def stack(fare: Fare, name: str = "web@prod", **more: object):
    return planned(name, change("a"), fare=fare, **more) if fare is Fare.PLANNED else part(name, fare, **more)


def test_there_is_a_check_for_each_environment() -> None:
    found = checks(
        review(stack(Fare.PLANNED, "web@dev"), stack(Fare.FAILED, "web@prod"), stack(Fare.EMPTY, "db@dev")), SHEET
    )
    assert [(check.name, check.conclusion) for check in found] == [
        ("holdfast / dev", CheckConclusion.SUCCESS),
        ("holdfast / prod", CheckConclusion.FAILURE),
    ]
    assert "`web`" in found[0].summary
    assert "1 failed" in found[1].title
    assert "failed" not in found[0].summary


def test_without_environments_and_without_stacks_there_is_one() -> None:
    assert one(review(stack(Fare.PLANNED, "web"))).name == "holdfast"
    assert one(review()).name == "holdfast"
    assert one(review()).conclusion is CheckConclusion.SUCCESS
    assert one(review()).title == "no changes"
    assert one(review(trouble="no")).name == "holdfast"


def test_while_nobody_knows_what_it_touches_there_is_only_the_status() -> None:
    found = review(planned_at=0.0)
    assert checks(found, SHEET) == ()
    assert status(found).conclusion is CheckConclusion.PENDING
    assert status(found).title == "still being planned"


@pytest.mark.parametrize(
    ("fare", "check", "said"),
    [
        (Fare.PLANNING, CheckConclusion.PENDING, CheckConclusion.PENDING),
        (Fare.PLANNED, CheckConclusion.SUCCESS, CheckConclusion.SUCCESS),
        (Fare.EMPTY, CheckConclusion.SUCCESS, CheckConclusion.SUCCESS),
        (Fare.DEFERRED, CheckConclusion.NEUTRAL, CheckConclusion.SUCCESS),
        (Fare.QUEUED, CheckConclusion.PENDING, CheckConclusion.PENDING),
        (Fare.UNTRUSTED, CheckConclusion.ACTION_REQUIRED, CheckConclusion.PENDING),
        (Fare.DENIED, CheckConclusion.FAILURE, CheckConclusion.FAILURE),
        (Fare.FAILED, CheckConclusion.FAILURE, CheckConclusion.FAILURE),
        (Fare.APPLYING, CheckConclusion.PENDING, CheckConclusion.PENDING),
        (Fare.APPLIED, CheckConclusion.SUCCESS, CheckConclusion.SUCCESS),
        (Fare.UNKNOWN, CheckConclusion.FAILURE, CheckConclusion.FAILURE),
    ],
)
def test_each_way_to_fare_has_its_conclusion(fare: Fare, check: CheckConclusion, said: CheckConclusion) -> None:
    found = review(stack(Fare.PLANNED), stack(fare, "db@prod"))
    assert one(found).conclusion is check
    assert status(found).conclusion is said


@settings(max_examples=150)
@given(st.lists(st.sampled_from(Fare), max_size=5), st.booleans(), st.sampled_from(["merge", "comment"]), st.booleans())
def test_nothing_is_green_that_is_not_known_to_be(
    fares: list[Fare], planned_already: bool, apply_on: str, trouble: bool
) -> None:
    found = review(
        *(stack(fare, f"s{number}@prod") for number, fare in enumerate(fares)),
        planned_at=1.0 if planned_already else 0.0,
        apply_on=apply_on,
        trouble="no" if trouble else "",
    )
    said = status(found).conclusion
    green = set(fares) <= FINE and planned_already and not trouble
    if fares:
        assert (one(found).conclusion is CheckConclusion.SUCCESS) == green
    known = set(fares) <= {*FINE, Fare.DEFERRED} and planned_already and not trouble
    assert (said is CheckConclusion.SUCCESS) == (known and (apply_on == "merge" or Fare.DEFERRED not in fares))
    assert said in {CheckConclusion.PENDING, CheckConclusion.SUCCESS, CheckConclusion.FAILURE}


def test_what_is_deferred_is_said_before_what_is_planned() -> None:
    found = review(stack(Fare.PLANNED), stack(Fare.DEFERRED, "db@prod"))
    assert status(found).title == "1 deferred, 1 to change"
    assert one(found).title == status(found).title


def test_a_failure_does_not_wait_for_the_others() -> None:
    assert status(review(stack(Fare.PLANNING), stack(Fare.FAILED, "db@prod"))).conclusion is CheckConclusion.FAILURE


def test_a_yes_is_due_where_the_pull_request_itself_waits_for_it() -> None:
    waiting = (stack(Fare.PLANNED, asks="1 approval from platform"),)
    before = review(*waiting, apply_on="comment")
    assert one(before).conclusion is CheckConclusion.ACTION_REQUIRED
    assert one(before).title == "1 to change, asks for 1 approval from platform"
    # Merging comes first: a check that waited for the yes after it would keep it from ever happening.
    assert one(review(*waiting)).conclusion is CheckConclusion.SUCCESS


def buttons(found: Review) -> list[str]:
    return [button.identifier for button in one(found).buttons]


def test_only_buttons_that_make_sense_are_there() -> None:
    ready = stack(Fare.PLANNED)
    # Who presses a button is not proven: none says yes or no, and none applies.
    assert buttons(review(ready)) == ["replan"]
    assert buttons(review(ready, apply_on="comment")) == ["replan"]
    assert buttons(review(replace(ready, asks="1 approval"), apply_on="comment")) == ["replan"]
    assert buttons(review(stack(Fare.FAILED))) == ["replan"]
    assert buttons(review(stack(Fare.UNTRUSTED))) == []
    assert buttons(review(stack(Fare.APPLYING))) == []
    assert buttons(review(ready, planned_at=0.0)) == []
    assert buttons(review(ready, pull=None)) == []
    assert buttons(review(ready, pull=Pull(number=1, state=PullState.MERGED))) == []


def test_buttons_are_as_short_as_github_asks_for() -> None:
    shown = one(review(stack(Fare.PLANNED), apply_on="comment")).buttons
    assert shown
    for button in shown:
        assert 0 < len(button.label) <= 20
        assert 0 < len(button.description) <= 40
        assert 0 < len(button.identifier) <= 20


def test_titles_and_summaries_stay_within_their_limits_whatever_is_in_them() -> None:
    huge = change("a" * 400, ChangeKind.DELETE, attribute("b", "x" * 3_000, "y" * 3_000))
    found = review(
        *(planned(f"s{number}@prod", huge, asks=f"{number} of\n\u202eteam " + "x" * 200) for number in range(300)),
        run_url="https://holdfast.example/runs/{run}",
    )
    check = one(found)
    assert len(check.title) <= 140
    assert len(check.summary) <= 65_535
    assert len(status(found).title) <= 140
    assert "\n" not in status(found).title
    assert "\u202e" not in status(found).title
    assert check.url == "https://holdfast.example/runs/42"


def test_a_change_that_cannot_be_planned_says_the_code() -> None:
    found = review(trouble="stacks.yaml cannot be read", code="HF-1003")
    assert status(found).conclusion is CheckConclusion.FAILURE
    assert status(found).title == "HF-1003 cannot be planned"


def test_the_summary_of_a_check_bears_no_mark_of_a_comment() -> None:
    assert "<!--" not in one(example()).summary


def test_a_check_has_what_the_tools_say_at_its_lines() -> None:
    bad = Problem(severity=Severity.ERROR, summary="no such key", detail="in block", file="web/main.tf", line=7)
    note = Problem(severity=Severity.WARNING, summary="deprecated", file="web/main.tf", line=3)
    found = review(
        stack(Fare.FAILED, code="HF-2004", why="the tool said no", problems=(note, bad)),
        stack(Fare.DENIED, "db@prod", code="HF-4101", why="not on Fridays"),
    )
    shown = one(found).annotations
    assert [(item.severity, item.file, item.line) for item in shown] == [
        (verdict.Severity.FAILURE, "web/main.tf", 7),
        (verdict.Severity.FAILURE, "", 0),
        (verdict.Severity.WARNING, "web/main.tf", 3),
    ]
    assert shown[0].title == "HF-2004"
    assert shown[0].message == "web: no such key\nin block"
    assert shown[1].message == "db denied: not on Fridays"
    (quiet,) = checks(found, replace(SHEET, quiet=True))
    assert not [item for item in quiet.annotations if "Fridays" in item.message or "key" in item.message]

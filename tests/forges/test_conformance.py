"""What every forge does, whichever it is."""

from __future__ import annotations

import time

import pytest
from forge_stand import LIMIT, MARKER, Stand

from orchestrator.errors import ForgeAway, ForgeError
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.verdict import Annotation, Button, Check, CheckConclusion, Severity

HEAD, NEXT, MERGED = "a" * 40, "c" * 40, "d" * 40
EVIL = "\x00\x1b[31m`</details>` @everyone \ud800 \u202e <script>\r\n" + "é" * 300


def check(conclusion: CheckConclusion = CheckConclusion.SUCCESS, **more: object) -> Check:
    return Check(name="holdfast / prod", conclusion=conclusion, title="2 to add", summary="All.", **more)  # type: ignore[arg-type]


def test_open_pull_requests_are_listed_by_number(stand: Stand) -> None:
    second = stand.open_pull(NEXT, title="Second", author="ben-gh", branch="two", draft=True)
    first = stand.open_pull(HEAD, number=stand.before(second), branch="one")
    stand.open_pull(HEAD, base="other")
    closed = stand.open_pull(HEAD, branch="three")
    stand.close(closed)
    found = stand.forge.pulls("main")
    assert [one.number for one in found] == sorted([first, second])
    two = next(one for one in found if one.number == second)
    assert (two.title.removeprefix("Draft: "), two.author, two.base, two.head, two.branch) == ("Second", "ben-gh", "main", NEXT, "two")  # fmt: skip
    assert (two.draft, two.fork, two.state) == (True, False, PullState.OPEN)
    assert str(second) in two.url


def test_the_ref_that_leads_to_what_is_proposed_is_the_forge_s_own(stand: Stand) -> None:
    number = stand.open_pull(HEAD, fork=True)
    there = {"github": "refs/pull/{}/head", "gitea": "refs/pull/{}/head", "gitlab": "refs/merge-requests/{}/head"}
    assert stand.forge.pull(number).ref == there[stand.kind].format(number)


def test_a_fork_is_told_from_a_branch(stand: Stand) -> None:
    number = stand.open_pull(HEAD, fork=True)
    assert stand.forge.pull(number).fork


def test_a_pull_request_tells_what_it_became(stand: Stand) -> None:
    merged, closed = stand.open_pull(HEAD), stand.open_pull(NEXT, branch="two")
    assert stand.forge.pull(merged).merged_as == ""
    stand.merge(merged, MERGED)
    stand.close(closed)
    found = stand.forge.pull(merged), stand.forge.pull(closed)
    assert [(one.state, one.merged_as) for one in found] == [(PullState.MERGED, MERGED), (PullState.CLOSED, "")]


def test_a_push_moves_the_head(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    assert stand.forge.pull(number).head == HEAD
    stand.push(number, NEXT)
    assert (stand.forge.pull(number).head, stand.forge.pulls("main")[0].head) == (NEXT, NEXT)


def test_a_pull_request_that_is_not_there_is_said_to_be_not_there(stand: Stand) -> None:
    with pytest.raises(ForgeError) as error:
        stand.forge.pull(999)
    assert error.value.code == "HF-4704"


def test_another_repository_is_said_to_be_not_there(stand: Stand) -> None:
    with pytest.raises(ForgeError) as error:
        stand.elsewhere("acme/gone").pulls("main")
    assert error.value.code == "HF-4704"
    assert "acme/gone" in error.value.message


def test_what_people_write_is_read_oldest_first_and_from_where_it_was_left(stand: Stand) -> None:
    number, now = stand.open_pull(HEAD), int(time.time())
    stand.comment(number, "ana-gh", "holdfast plan", at=now - 30)
    second = stand.comment(number, "ben-gh", "looks good", at=now - 20)
    stand.comment(5, "ben-gh", "an issue's", at=now - 10, issue=True)
    found = stand.forge.remarks(now - 3600)
    assert [(one.pull, one.by, one.text, one.edited) for one in found] == [
        (number, "ana-gh", "holdfast plan", False),
        (number, "ben-gh", "looks good", False),
    ]
    assert [one.id for one in stand.forge.remarks(found[-1].changed_at)] == [str(second)]


def test_words_that_were_changed_afterwards_are_told_so(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    comment = stand.comment(number, "ana-gh", "fine", at=time.time() - 60)
    stand.edit_comment(comment, "holdfast apply")
    (found,) = stand.forge.remarks(time.time() - 30)
    assert (found.text, found.edited) == ("holdfast apply", True)


def test_our_own_words_are_nobody_s_remark(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    stand.forge.say(number, f"{MARKER}\nholdfast apply", marker=MARKER)
    assert stand.forge.remarks(0) == ()


def test_saying_the_same_again_makes_one_comment(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    known = stand.forge.say(number, f"{MARKER}\none", marker=MARKER)
    assert stand.forge.say(number, f"{MARKER}\ntwo", marker=MARKER, known=known) == known
    # Whoever has forgotten which one it was.
    assert stand.forge.say(number, f"{MARKER}\nthree", marker=MARKER) == known
    assert [one.text for one in stand.comments(number)] == [f"{MARKER}\nthree"]


def test_a_comment_whose_answer_was_lost_is_not_written_twice(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    stand.fail_next(502, done=True, method="POST")
    with pytest.raises(ForgeAway):
        stand.forge.say(number, f"{MARKER}\none", marker=MARKER)
    stand.forge.say(number, f"{MARKER}\none", marker=MARKER)
    assert len(stand.comments(number)) == 1


def test_a_comment_that_was_deleted_by_hand_is_written_anew(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    known = stand.forge.say(number, f"{MARKER}\none", marker=MARKER)
    stand.delete_comment(int(known))
    again = stand.forge.say(number, f"{MARKER}\ntwo", marker=MARKER, known=known)
    assert again != known
    assert [one.text for one in stand.comments(number)] == [f"{MARKER}\ntwo"]


def test_nobody_plants_the_comment_that_we_write_into(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    planted = stand.comment(number, "mallory", f"{MARKER}\nmine")
    ours = stand.forge.say(number, f"{MARKER}\none", marker=MARKER)
    assert ours != str(planted)
    assert [one.text for one in stand.comments(number)] == [f"{MARKER}\nmine", f"{MARKER}\none"]


def test_what_is_said_after_somebody_by_our_login_is_not_our_comment(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    ours = stand.tokens[stand.token]
    echoed = stand.comment(number, ours, f"mallory wrote: {MARKER}")
    said = stand.forge.say(number, "one", marker=MARKER)
    assert said != str(echoed)
    assert stand.comments(number)[-1].text == f"{MARKER}\none"


def test_a_check_is_told_of_a_commit_that_is_no_head_any_more(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    stand.push(number, NEXT)
    stand.forge.check(HEAD, check())


def test_our_comment_is_found_behind_many_others(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    for turn in range(120):
        stand.comment(number, "ana-gh", f"remark {turn}")
    known = stand.forge.say(number, f"{MARKER}\none", marker=MARKER)
    assert stand.forge.say(number, f"{MARKER}\ntwo", marker=MARKER) == known


def test_the_longest_comment_is_taken_and_a_longer_one_is_not_even_sent(stand: Stand) -> None:
    number, limit = stand.open_pull(HEAD), LIMIT[stand.kind]
    assert stand.forge.traits.comment_limit == limit
    longest = MARKER + "x" * (limit - len(MARKER))
    stand.forge.say(number, longest, marker=MARKER)
    before = len(stand.requests)
    with pytest.raises(ForgeError) as error:
        stand.forge.say(number, longest + "x", marker=MARKER)
    assert (error.value.code, len(stand.requests)) == ("HF-4706", before)
    assert [one.text for one in stand.comments(number)] == [longest]


def test_evil_texts_are_written_as_they_can_be(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    stand.forge.say(number, f"{MARKER}\n{EVIL}", marker=MARKER)
    stand.forge.check(HEAD, Check(name=EVIL, conclusion=CheckConclusion.FAILURE, title=EVIL, summary=EVIL * 300, annotations=(Annotation(severity=Severity.FAILURE, title=EVIL, message=EVIL, file="a b/ü.tf", line=3, column=2),), buttons=(Button(label=EVIL, description=EVIL, identifier="x" * 60),) * 5))  # fmt: skip
    stand.forge.status(HEAD, name=EVIL, conclusion=CheckConclusion.FAILURE, title=EVIL, url="https://holdfast.example")
    (said,) = stand.comments(number)
    assert "\x00" not in said.text
    assert "<script>" in said.text


@pytest.mark.parametrize("conclusion", list(CheckConclusion))
def test_every_conclusion_is_told(stand: Stand, conclusion: CheckConclusion) -> None:
    stand.open_pull(HEAD)
    stand.forge.check(HEAD, check(conclusion, url="https://holdfast.example/runs/1"))
    stand.forge.status(HEAD, name="holdfast", conclusion=conclusion, title="x" * 500, url="")
    told = stand.statuses(HEAD)[-1]
    assert stand.state(told) == stand.STATES[conclusion]


def test_a_commit_that_is_not_there_gets_no_status(stand: Stand) -> None:
    with pytest.raises(ForgeError):
        stand.forge.status("9" * 40, name="holdfast", conclusion=CheckConclusion.SUCCESS, title="", url="")


def test_who_approves_of_this_very_commit_is_named(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    stand.review(number, "zoe")
    stand.review(number, "ana-gh")
    assert stand.forge.approvers(number, HEAD) == ("ana-gh", "zoe")
    stand.push(number, NEXT)
    assert stand.forge.approvers(number, NEXT) == ()


def test_a_remark_is_given_a_thumb(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    comment = stand.comment(number, "ana-gh", "holdfast plan")
    (remark,) = stand.forge.remarks(0)
    stand.forge.thumb(remark)
    stand.forge.thumb(remark)
    assert len(stand.reactions[comment]) == 1


def test_a_forge_that_breaks_for_a_moment_is_asked_again(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    stand.fail_next(503, times=2)
    assert stand.forge.pull(number).number == number


def test_a_forge_that_stays_broken_is_said_to_be_away(stand: Stand) -> None:
    stand.fail_next(500, times=50)
    with pytest.raises(ForgeAway) as error:
        stand.forge.pulls("main")
    assert (error.value.code, error.value.transient) == ("HF-4701", True)
    assert len(stand.requests) <= 3


def test_a_forge_that_nobody_reaches_is_said_to_be_away(stand: Stand) -> None:
    with pytest.raises(ForgeAway) as error:
        stand.unreachable().pulls("main")
    assert error.value.code == "HF-4701"


def test_a_forge_that_counts_too_many_requests_is_left_alone_for_so_long(stand: Stand) -> None:
    stand.fail_next(429, {"Retry-After": "120"})
    with pytest.raises(ForgeAway) as error:
        stand.forge.pulls("main")
    assert error.value.code == "HF-4703"
    assert 110 < error.value.until - time.time() < 130
    before = len(stand.requests)
    with pytest.raises(ForgeAway):
        stand.forge.pulls("main")
    assert len(stand.requests) == before


def test_a_token_that_is_refused_is_said_to_be_refused_and_not_told(stand: Stand) -> None:
    canary = "ghs_c4n4ryc4n4ryc4n4ry"
    stand.fail_next(401, body=f'{{"message": "no {canary}"}}'.encode(), times=5)
    with pytest.raises(ForgeError) as error:
        stand.with_token(canary).pulls("main")
    assert error.value.code == "HF-4702"
    assert canary not in f"{error.value.message} {error.value.hint} {error.value!r}"


def test_a_list_without_an_end_is_not_read_to_its_end(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    for turn in range(60):
        stand.comment(number, "ana-gh", f"remark {turn}", at=time.time() - 600)
    stand.endless = True
    with pytest.raises(ForgeError) as error:
        stand.forge.pulls("main")
    assert error.value.code == "HF-4700"
    assert stand.forge.remarks(0)
    assert len(stand.requests) < 60


@pytest.mark.parametrize("body", [b"<html>", b"[1, 2", b'{"a": 1}', b"[" * 100_000, b'"\xff"', b"[{}]", b"null"])
def test_an_answer_that_cannot_be_meant_is_no_list_of_pull_requests(stand: Stand, body: bytes) -> None:
    stand.fail_next(200, body=body, times=5)
    with pytest.raises(ForgeError) as error:
        stand.forge.pulls("main")
    assert error.value.code == "HF-4700"


def test_a_number_may_be_a_track(stand: Stand) -> None:
    number = stand.open_pull(HEAD)
    assert isinstance(stand.forge.pull(number), Pull)
    assert stand.forge.pull(number).track == f"pull/{number}"

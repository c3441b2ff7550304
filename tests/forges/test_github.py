"""What is GitHub's own: check runs, Apps, the merge queue, how it limits requests, and what a bad server may answer."""

from __future__ import annotations

import gzip
import logging
import time
from http.server import BaseHTTPRequestHandler

import github_apps
import pytest
from forge_stand import MARKER, QUICK
from github_mock import GitHubMock

from orchestrator.effects.forge_github import GitHub
from orchestrator.effects.forge_http import MOST_BYTES, Patience, safe_api
from orchestrator.effects.forge_tokens import App
from orchestrator.errors import ForgeAway, ForgeError
from orchestrator.model.pull import Candidate
from orchestrator.model.verdict import Annotation, Button, Check, CheckConclusion, Severity

HEAD, NEXT = "a" * 40, "c" * 40


def check(conclusion: CheckConclusion = CheckConclusion.SUCCESS, annotations: int = 0, buttons: int = 0) -> Check:
    return Check(
        name="holdfast / prod",
        conclusion=conclusion,
        title="2 to add",
        summary="All of it.",
        annotations=tuple(
            Annotation(severity=Severity.NOTICE, title=f"no. {at}", message="m", file="main.tf", line=at)
            for at in range(annotations)
        ),
        buttons=tuple(Button(label=f"Apply {at}", description="d" * 60, identifier="apply") for at in range(buttons)),
    )


def app(mock: GitHubMock, *, installation: int = 0, key: str = "", **more: object) -> GitHub:
    made = App(id=github_apps.APP, key=lambda: key or github_apps.pem(), installation=installation)
    return GitHub("acme/infra", made, api=mock.url, patience=QUICK, **more)  # type: ignore[arg-type]


GIVEN = "ghs_given"


def given(mock: GitHubMock, token: str = GIVEN, **more: object) -> GitHub:
    return GitHub("acme/infra", lambda: token, api=mock.url, patience=QUICK, **more)  # type: ignore[arg-type]


def paths(mock: GitHubMock) -> list[str]:
    return [f"{one.method} {one.path.removeprefix('/repos/acme/infra')}" for one in mock.requests]


def test_an_app_is_given_a_token_for_this_repository_alone_and_keeps_it(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    forge = app(github_mock)
    assert forge.pulls("main")
    assert forge.pull(1)
    assert paths(github_mock) == [
        "GET /installation",
        f"POST /app/installations/{github_apps.INSTALLATION}/access_tokens",
        "GET /pulls",
        "GET /pulls/1",
    ]
    assert forge.traits.checks


def test_an_app_s_token_is_renewed_before_it_ends(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    clock = [time.time()]
    github_mock.apps.now = lambda: clock[0]
    forge = app(github_mock, installation=github_apps.INSTALLATION, now=lambda: clock[0])
    forge.pull(1)
    clock[0] += 3600 - 200
    forge.pull(1)
    assert len(github_mock.apps.given) == 2


def test_an_app_s_token_that_is_refused_is_renewed_once(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    forge = app(github_mock, installation=github_apps.INSTALLATION)
    forge.pull(1)
    github_mock.tokens.clear()
    assert forge.pull(1).number == 1
    github_mock.fail_next(401, only="/pulls", times=10)
    with pytest.raises(ForgeError) as error:
        forge.pull(1)
    assert (error.value.code, len(github_mock.apps.given)) == ("HF-4702", 3)


def test_an_app_whose_key_is_another_s_is_not_let_in(github_mock: GitHubMock) -> None:
    github_apps.key.cache_clear()
    former = github_apps.pem()
    github_apps.key.cache_clear()
    with pytest.raises(ForgeError) as error:
        app(github_mock, key=former).pulls("main")
    assert error.value.code == "HF-4702"
    assert "BEGIN" not in error.value.message


@pytest.mark.parametrize(
    "key", ["none", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "\x00"]
)
def test_what_is_no_key_is_said_to_be_none(github_mock: GitHubMock, key: str) -> None:
    with pytest.raises(ForgeError) as error:
        app(github_mock, key=key).pulls("main")
    assert (error.value.code, github_mock.requests) == ("HF-4702", [])


@pytest.mark.parametrize("token", ["", " ", "a b\nc", "é" * 20, "\x00"])
def test_what_is_no_token_is_not_sent(github_mock: GitHubMock, token: str) -> None:
    with pytest.raises(ForgeError) as error:
        given(github_mock, token).pulls("main")
    assert (error.value.code, github_mock.requests) == ("HF-4702", [])


def test_a_token_that_somebody_replaced_is_read_anew(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    tokens = ["ghs_given", "ghs_given", "ghs_old"]
    assert GitHub("acme/infra", tokens.pop, api=github_mock.url, patience=QUICK).pull(1).number == 1


def test_an_app_finds_its_own_comment_by_its_login(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    said = app(github_mock).say(1, f"{MARKER} a", marker=MARKER)
    assert app(github_mock).say(1, f"{MARKER} b", marker=MARKER) == said
    assert [one.by for one in github_mock.comments(1)] == [github_apps.LOGIN]


def test_a_person_s_token_tells_who_they_are_and_writes_a_status_for_a_check(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    github_mock.tokens["github_pat_1"] = "ana-gh"
    forge = given(github_mock, "github_pat_1")
    forge.say(1, f"{MARKER} a", marker=MARKER)
    forge.say(1, f"{MARKER} b", marker=MARKER)
    assert [one.text for one in github_mock.comments(1)] == [f"{MARKER} b"]
    assert not forge.traits.checks
    assert forge.check(HEAD, check(), known="7") == "7"
    assert [one["context"] for one in github_mock.statuses(HEAD)] == ["holdfast / prod"]
    assert github_mock.checks(HEAD) == []


def test_a_pending_check_is_ended_in_place_and_an_ended_one_is_followed_by_another(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    forge = given(github_mock)
    begun = forge.check(HEAD, check(CheckConclusion.PENDING, annotations=3))
    ended = forge.check(HEAD, check(CheckConclusion.ACTION_REQUIRED, annotations=3, buttons=5), known=begun)
    assert ended == begun
    another = forge.check(HEAD, check(), known=ended)
    assert another != ended
    first, second = github_mock.checks(HEAD)
    assert (first["conclusion"], len(first["annotations"]), len(first["actions"])) == ("action_required", 3, 3)
    assert (second["conclusion"], second["annotations"]) == ("success", [])
    # Whoever begins anew looks at how the run stands.
    third = given(github_mock).check(HEAD, check(CheckConclusion.PENDING), known=another)
    assert third not in {another, "404"}
    assert given(github_mock).check(HEAD, check(), known=third) == third
    assert given(github_mock).check(HEAD, check(), known="404") not in {third, "404"}


def test_many_annotations_are_sent_in_batches_the_worst_first_and_the_rest_is_counted(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    worst = Annotation(severity=Severity.FAILURE, title="the worst", message="", file="z\udcff.tf", line=0)
    nowhere = Annotation(severity=Severity.WARNING, title="about\nno file", message="m")
    many = check(annotations=130)
    given(github_mock).check(HEAD, Check(name="n", conclusion=CheckConclusion.FAILURE, title="t", summary="s" * 70_000, annotations=(*many.annotations, worst, nowhere)))  # fmt: skip
    (run,) = github_mock.checks(HEAD)
    assert len(run["annotations"]) == 100
    assert run["annotations"][0] == {"path": "z\ufffd.tf", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "the worst", "title": "the worst"}  # fmt: skip
    assert run["output"]["text"] == "- **warning** about no file: m\n- and 31 more that are not shown"
    assert len(run["output"]["summary"]) <= 65_535
    assert "was cut" in run["output"]["summary"]
    assert len(github_mock.requests) == 2


def test_a_summary_is_never_cut_inside_a_fence(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    long = "````diff\n" + "```\n+ line\n" * 9000 + "````\n"
    given(github_mock).check(HEAD, Check(name="n", conclusion=CheckConclusion.FAILURE, title="t", summary=long))
    summary = github_mock.checks(HEAD)[0]["output"]["summary"]
    assert len(summary) <= 65_535
    assert summary.count("````") == 2


def test_the_merge_queue_tells_what_it_tries_out(github_mock: GitHubMock) -> None:
    forge = given(github_mock)
    assert forge.candidates("main") == ()
    queued = github_mock.queue(12, HEAD)
    github_mock.queue(13, NEXT, base="main-2")
    released = github_mock.queue(14, NEXT, base="release/1.x")
    assert forge.candidates("main") == (Candidate(head=HEAD, ref=queued, pull=12),)
    assert forge.candidates("release/1.x") == (Candidate(head=NEXT, ref=released, pull=14),)


def test_approval_is_taken_back_by_whoever_gave_it_and_not_by_a_remark(github_mock: GitHubMock) -> None:
    number = github_mock.open_pull(HEAD)
    for by, state in [("ana", "APPROVED"), ("ana", "COMMENTED"), ("ben", "APPROVED"), ("ben", "CHANGES_REQUESTED"), ("cem", "APPROVED"), ("cem", "DISMISSED"), ("dan", "CHANGES_REQUESTED"), ("dan", "APPROVED"), ("eve", "PENDING")]:  # fmt: skip
        github_mock.review(number, by, state)
    github_mock.review(number, "fay", "APPROVED", NEXT)
    assert given(github_mock).approvers(number, HEAD) == ("ana", "dan")


def test_more_reviews_than_are_read_approve_of_nothing(github_mock: GitHubMock) -> None:
    number = github_mock.open_pull(HEAD)
    for _ in range(50):
        github_mock.review(number, "ana")
    github_mock.endless = True
    with pytest.raises(ForgeError) as error:
        given(github_mock).approvers(number, HEAD)
    assert error.value.code == "HF-4700"


def test_nobody_who_left_github_stops_anything(github_mock: GitHubMock) -> None:
    number = github_mock.open_pull(HEAD)
    github_mock.review(number, "")
    github_mock.comment(number, "", "farewell")
    assert given(github_mock).approvers(number, HEAD) == ()
    assert [one.by for one in given(github_mock).remarks(0)] == [""]


def test_looking_again_where_nothing_changed_costs_nothing_of_the_allowance(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    forge = given(github_mock)
    first = forge.pulls("main")
    assert forge.pulls("main") == first
    assert [one.status for one in github_mock.requests] == [200, 304]
    github_mock.push(1, NEXT)
    assert forge.pulls("main")[0].head == NEXT


def test_of_what_was_read_no_more_is_kept_than_is_small(github_mock: GitHubMock) -> None:
    forge = given(github_mock)
    for number in range(1, 5):
        github_mock.open_pull(HEAD, title="x" * (3 << 20))
        forge.pull(number)
    assert [len(forge._http._kept._told) - 1, len(forge._http._kept._told)] == [1, 2]
    forge.pull(4)
    forge.pull(1)
    assert [one.status for one in github_mock.requests[-2:]] == [304, 200]


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait"),
    [
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{in 900}"}, b'{"message": "API rate limit"}', 900),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{in 900}"}, b"{}", 900),
        (403, {"Retry-After": "30"}, b'{"message": "You have exceeded a secondary rate limit"}', 30),
        (403, {}, b'{"message": "You have exceeded a secondary rate limit. Please wait"}', 60),
        (403, {}, b'{"message": "You have triggered an abuse detection mechanism."}', 60),
        (429, {}, b"", 60),
        (503, {"Retry-After": "40"}, b"", 40),
        (429, {"Retry-After": "999999999"}, b"", 3600),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, b"{}", 1),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 400}, b"{}", 3600),
    ],
)
def test_each_way_of_being_asked_to_wait_is_understood(
    github_mock: GitHubMock, status: int, headers: dict[str, str], body: bytes, wait: int
) -> None:
    told = {name: value.replace("{in 900}", str(int(time.time()) + 900)) for name, value in headers.items()}
    github_mock.fail_next(status, told, body=body)
    forge = given(github_mock)
    with pytest.raises(ForgeAway) as error:
        forge.pulls("main")
    assert error.value.code == "HF-4703"
    assert error.value.until - time.time() == pytest.approx(wait, abs=3)
    with pytest.raises(ForgeAway) as again:
        forge.pull(1)
    assert again.value.code == "HF-4703"
    assert len(github_mock.requests) == 1


def test_a_forge_is_asked_again_once_the_wait_is_over(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    clock = [time.time()]
    forge = given(github_mock, now=lambda: clock[0])
    github_mock.fail_next(403, {"Retry-After": "30"})
    with pytest.raises(ForgeAway):
        forge.pulls("main")
    clock[0] += 31
    assert forge.pulls("main")


def test_a_refusal_that_is_no_limit_is_not_waited_for(github_mock: GitHubMock) -> None:
    github_mock.fail_next(403, body=b'{"message": "Resource not accessible\\u001b[31m by\\nintegration"}')
    with pytest.raises(ForgeError) as error:
        given(github_mock).pulls("main")
    assert (error.value.code, error.value.until) == ("HF-4702", 0)
    assert "Resource not accessible" in error.value.message
    assert error.value.message.isprintable()


def test_what_may_not_be_done_twice_is_not_tried_twice(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    github_mock.fail_next(502, times=1, method="POST")
    with pytest.raises(ForgeAway):
        given(github_mock).check(HEAD, check())
    assert len(github_mock.requests) == 1


def hang_up(answering: BaseHTTPRequestHandler) -> None:
    answering.connection.close()


def half(answering: BaseHTTPRequestHandler) -> None:
    answering.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[")


def huge(answering: BaseHTTPRequestHandler) -> None:
    squeezed = gzip.compress(b"[" + b" " * (MOST_BYTES + (8 << 20)) + b"]", 9)
    answering.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")
    answering.wfile.write(b"Content-Length: %d\r\n\r\n" % len(squeezed) + squeezed)


def test_a_connection_that_ends_early_is_tried_again(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    github_mock.fail_next(raw=hang_up)
    github_mock.fail_next(raw=half)
    assert given(github_mock).pull(1).number == 1
    assert len(github_mock.requests) == 3


def test_an_answer_without_end_is_not_read(github_mock: GitHubMock) -> None:
    github_mock.fail_next(200, raw=huge)
    with pytest.raises(ForgeError) as error:
        given(github_mock).pulls("main")
    assert error.value.code == "HF-4700"
    assert "MiB" in error.value.message


def test_an_answer_that_trickles_in_is_not_waited_for(github_mock: GitHubMock) -> None:
    began = time.monotonic()

    def slow(answering: BaseHTTPRequestHandler) -> None:
        answering.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while time.monotonic() - began < 20:
            try:
                answering.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.01)

    github_mock.fail_next(200, raw=slow)
    forge = GitHub("acme/infra", lambda: "ghs_given", api=github_mock.url, patience=Patience(whole_s=0.3))
    with pytest.raises(ForgeAway) as error:
        forge.pulls("main")
    assert error.value.code == "HF-4701"
    assert time.monotonic() - began < 5


def test_a_repository_that_was_renamed_is_followed_on_the_same_host_and_nowhere_else(github_mock: GitHubMock) -> None:
    github_mock.open_pull(HEAD)
    github_mock.fail_next(301, {"Location": f"{github_mock.url}/repos/acme/infra/pulls/1"}, only="/old/")
    assert GitHub("acme/old", lambda: "ghs_given", api=github_mock.url, patience=QUICK).pull(1).number == 1
    for away in ("http://localhost:1/", "http://127.0.0.1:1/", "//evil.example/x", "http://[::1", "https://evil.example"):  # fmt: skip
        github_mock.fail_next(302, {"Location": away})
        with pytest.raises(ForgeError) as error:
            given(github_mock).pull(1)
        assert error.value.code == "HF-4700"
    github_mock.fail_next(302, {"Location": "/repos/acme/infra/pulls/1"}, times=10)
    with pytest.raises(ForgeError):
        given(github_mock).pull(1)


@pytest.mark.parametrize("url", ["http://github.example", "ftp://127.0.0.1", "github.example", "", "http://127.0.0.1.evil.example", "https://u:p@github.example", "https://[::1", "https:///x"])  # fmt: skip
def test_a_token_does_not_go_over_the_network_in_clear(url: str) -> None:
    with pytest.raises(ForgeError) as error:
        safe_api(url)
    assert error.value.code == "HF-4700"


def test_no_token_is_ever_logged(github_mock: GitHubMock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    github_mock.open_pull(HEAD)
    app(github_mock).pull(1)
    given(github_mock).pull(1)
    assert "httpx2" in caplog.text
    assert "ghs_" not in caplog.text
    assert "eyJ" not in caplog.text


def test_a_pull_request_costs_ten_requests_at_most(github_mock: GitHubMock) -> None:
    """One of fifty stacks in two environments: seen, told that it is planned, planned, commented on and checked."""
    forge = app(github_mock)
    forge.pulls("main")
    forge.remarks(0)
    before = len(github_mock.requests)
    number = github_mock.open_pull(HEAD)
    assert [one.number for one in forge.pulls("main")] == [number]
    rows = "".join(f"| stack-{at} | `+1 ~2` |\n" for at in range(100))
    known = forge.say(number, f"{MARKER}\n{rows}", marker=MARKER)
    for environment in ("dev", "prod"):
        planning = Check(name=f"holdfast / {environment}", conclusion=CheckConclusion.PENDING, title="", summary="")
        run = forge.check(HEAD, planning)
        forge.check(HEAD, check(CheckConclusion.ACTION_REQUIRED, annotations=20, buttons=3), known=run)
    forge.say(number, f"{MARKER}\n{rows}\nplanned", marker=MARKER, known=known)
    sent = paths(github_mock)[before:]
    assert len(sent) == 9, sent
    assert len(sent) <= 10

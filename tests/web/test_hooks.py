"""Hooks: only what is signed is heard, nothing it says chooses anything, and the nudge is stored before the answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from serviced import KINDS, SECRETS, Service
from signed import PUSHES, mac, sent, signature, standard


def post(service: Service, source: str, body: bytes, headers: dict[str, str], address: str = "10.0.0.1") -> Any:
    return service.http.post(f"/hooks/{source}", content=body, headers={"x-forwarded-for": address, **headers})


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_push_has_its_source_looked_at_and_no_other(service: Service, kind: str) -> None:
    service.until(lambda: set(service.looked()) == {"lab", *KINDS})
    before = service.looked()
    body, headers = sent(kind)
    answer = post(service, kind, body, headers)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    service.until(lambda: service.looked()[kind] > before[kind])
    assert {name: at for name, at in service.looked().items() if name != kind} == {
        name: at for name, at in before.items() if name != kind
    }
    again = post(service, kind, body, headers)
    assert (again.status_code, again.json()) == (202, {"status": "heard already"})


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_not_signed_as_it_should_be_is_refused_like_a_hook_that_is_not_there(
    service: Service, kind: str
) -> None:
    body, headers = sent(kind)
    nowhere = post(service, "no-such-source", body, headers)
    assert nowhere.status_code == 401
    unsigned = {name: value for name, value in headers.items() if name not in signature(kind, body)}
    old = "sha1=" + hmac.new(SECRETS[kind].encode(), body, hashlib.sha1).hexdigest()
    wrong: list[tuple[bytes, dict[str, str]]] = [
        (body, unsigned),
        (body, {**headers, **signature(kind, body, "another secret")}),
        (body, {**unsigned, "x-hub-signature": old, "x-gitea-signature": old[5:]}),
        (body, {**unsigned, "x-gitlab-token": "", "webhook-signature": "", "x-hub-signature-256": "sha256="}),
        (body, {**unsigned, **dict.fromkeys(signature(kind, body), "sha256=ä\x80")}),
    ]
    if kind != "gitlab":
        wrong.append((json.dumps(json.loads(body), indent=1).encode(), headers))
    for spoiled, given in wrong:
        answer = post(service, kind, spoiled, {n: v.encode("latin-1") for n, v in given.items()})  # type: ignore[misc]
        assert (answer.status_code, answer.content) == (401, nowhere.content)
        assert json.loads(answer.content)["code"] == "HF-4124"
    hookless = post(service, "lab", body, headers)
    assert (hookless.status_code, hookless.content) == (401, nowhere.content)


def test_the_next_secret_counts_beside_the_present_one(service: Service) -> None:
    body = json.dumps({**PUSHES["generic"], "n": 1}).encode()
    for secret in (SECRETS["generic"], SECRETS["standard"]):
        headers = {"content-type": "application/json", **standard(body, secret)}
        assert post(service, "generic", body, headers).status_code == 202


def test_gitlab_s_signing_token_counts_and_is_not_saved_by_the_other_one(service: Service) -> None:
    body, headers = sent("gitlab")
    assert post(service, "gitlab", body, {**headers, **standard(body, SECRETS["standard"])}).status_code == 202
    forged = {**headers, **standard(body, "another")}
    assert post(service, "gitlab", body, forged).status_code == 401


@pytest.mark.parametrize("late", [-400, 400])
def test_what_was_signed_long_ago_or_is_yet_to_come_is_refused(service: Service, late: float) -> None:
    body, headers = sent("generic")
    headers |= standard(body, SECRETS["generic"], at=time.time() + late)
    assert post(service, "generic", body, headers).status_code == 401


@pytest.mark.parametrize(
    ("kind", "event", "body", "answer"),
    [
        ("github", "ping", {"zen": "z"}, (200, "heard")),
        ("bitbucket", "diagnostics:ping", {"test": True}, (200, "heard")),
        ("generic", "", {"type": "ping"}, (200, "heard")),
        ("github", "issues", {"action": "opened"}, (202, "ignored")),
        ("gitlab", "Pipeline Hook", {"object_kind": "pipeline"}, (202, "ignored")),
        ("gitea", "pull_request", {}, (202, "ignored")),
    ],
)
def test_what_is_no_push_moves_nothing(
    service: Service, kind: str, event: str, body: dict[str, Any], answer: tuple[int, str]
) -> None:
    found = post(service, kind, *sent(kind, body, event))
    assert (found.status_code, found.json()["status"]) == answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff\xfe", b"[" * 100_000, b"1" * 10_000])
def test_a_signed_body_that_says_nothing_is_told_so(service: Service, kind: str, body: bytes) -> None:
    found = post(service, kind, *sent(kind, body))
    assert (found.status_code, found.json()["code"]) == (400, "HF-4127")


def test_a_form_is_no_json(service: Service) -> None:
    body, headers = sent("github")
    found = post(service, "github", body, {**headers, "content-type": "application/x-www-form-urlencoded"})
    assert (found.status_code, found.json()["code"]) == (415, "HF-4128")


def test_a_body_that_has_no_end_is_cut_off_and_kept_nowhere(service: Service) -> None:
    def memory() -> int:
        return int(Path(f"/proc/{service.process.pid}/statm").read_text().split()[1]) * 4096

    def endless() -> Any:
        for _ in range(4096):
            yield b"x" * 262_144

    post(service, "github", b"x" * 1_000_000, {})
    before = memory()
    for _ in range(3):
        found = service.http.post("/hooks/github", content=endless(), headers={"x-forwarded-for": "10.0.0.2"})
        assert (found.status_code, found.json()["code"]) == (413, "HF-4126")
    announced = post(service, "github", b"x" * (1024 * 1024 + 1), {})
    assert announced.status_code == 413
    assert memory() - before < 5_000_000


def test_ten_thousand_times_the_same_costs_one_look(service: Service) -> None:
    body, headers = sent("gitea")
    post(service, "gitea", body, headers)
    service.until(lambda: not due(service, "gitea"))
    before = service.looked()["gitea"]
    for number in range(300):
        # The delivery's name is not signed: who replays it may give it another one.
        found = post(service, "gitea", body, {**headers, "x-gitea-delivery": str(number)}, f"10.1.{number % 250}.1")
        assert found.json() == {"status": "heard already"}
    assert service.looked()["gitea"] == before


@pytest.mark.parametrize("kind", ["generic", "gitlab"])
def test_two_pushes_that_say_the_very_same_are_two_where_their_names_are_signed(service: Service, kind: str) -> None:
    body, headers = sent(kind, {**PUSHES[kind], "same": True})
    headers = {name: value for name, value in headers.items() if name != "idempotency-key"}
    first = headers | standard(body, SECRETS["standard"])
    second = headers | standard(body, SECRETS["standard"])
    said = [post(service, kind, body, given).json()["status"] for given in (first, second, first)]
    assert said == ["accepted", "accepted", "heard already"]


def due(service: Service, source: str) -> bool:
    """Whether a source waits for a look, or is being looked at."""
    with closing(sqlite3.connect(service.home / "record.db")) as record:
        wanted = "SELECT 1 FROM agenda WHERE stack = ? AND (at <= ? OR taken_by != '')"
        return record.execute(wanted, (f"source:{source}", time.time())).fetchone() is not None


def test_a_storm_of_new_pushes_is_slowed_for_its_source_alone(service: Service) -> None:
    def knock(number: int) -> int:
        return int(post(service, "bitbucket", *sent("bitbucket"), address=f"10.2.{number % 250}.1").status_code)

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(knock, range(120)))
    assert set(codes) == {202, 429}
    assert codes.count(202) <= 60
    assert post(service, "generic", *sent("generic"), address="10.2.0.1").status_code == 202


def test_one_address_that_knocks_all_the_time_is_slowed_before_anything_is_read(service: Service) -> None:
    codes = [post(service, "nowhere", b"", {}, "10.3.0.1").status_code for _ in range(610)]
    assert set(codes) == {401, 429}
    assert codes.count(401) == 600
    assert post(service, "nowhere", b"", {}, "10.3.0.2").status_code == 401


def test_an_agenda_out_of_reach_is_said_and_nothing_is_promised(service: Service) -> None:
    with closing(sqlite3.connect(service.home / "record.db", isolation_level=None)) as record:
        record.execute("BEGIN IMMEDIATE")
        found = post(service, "github", *(said := sent("github")))
        record.execute("ROLLBACK")
    assert (found.status_code, found.json()["code"]) == (503, "HF-4204")
    assert found.headers["retry-after"]
    # It was not heard: sent again it counts.
    assert post(service, "github", *said).json() == {"status": "accepted"}


def test_a_hook_whose_secret_no_store_knows_is_closed(tmp_path: Path) -> None:
    made = Service(tmp_path)
    made.keys["sources"].append(made.source("bare", hook={"kind": "github", "secret": "${secret:nobody/knows}"}))
    made.write()
    with made.at_work():
        body, headers = sent("github")
        found = post(made, "bare", body, {**headers, "x-hub-signature-256": f"sha256={mac(body, '')}"})
        assert (found.status_code, found.json()["code"]) == (403, "HF-4125")
        assert len(made.lines("a hook's secret cannot be had")) == 1

"""What people do through the API: recorded under their name, bound to what they saw, done once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from inhouse import House

from orchestrator.effects import liveness
from orchestrator.effects.answers import Answer, Answers, Asked
from orchestrator.effects.record_tables import answers
from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.acts.consent import Word, approve, waiting
from orchestrator.engine.watching import Watcher
from orchestrator.errors import Conflict
from orchestrator.model.door_events import ActDenied
from orchestrator.model.event import Approved, DriftGone, Held
from orchestrator.model.moment import stamp

WEB = "/stacks/lab/web@prod"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path).open() as made:
        yield made


def due(house: House, name: str) -> int:
    """How urgent the agenda holds a stack."""
    return next(one.priority for one in house.served.host.agenda.waiting() if one.stack == f"lab/{name}")


def test_a_yes_is_bound_to_the_proposal_that_was_seen_and_recorded_under_its_speaker_s_name(house: House) -> None:
    number = house.proposed("web@prod")
    said = house.post_to(f"{WEB}/approve", {"proposal": number, "reason": "seen with Bob"}, "approver")
    assert said.status_code == 202
    body = said.json()
    assert (body["act"], body["key"], body["proposal"], body["by"]) == (
        "approve",
        "lab/web@prod",
        number,
        "approver@acme.example",
    )
    assert due(house, "web@prod") == 0
    (entry,) = [one for one in house.post.outside.record.events(run=body["run"]) if isinstance(one.event, Approved)]
    assert (entry.actor, entry.event.consent.by, entry.event.consent.reason) == (
        "token:approver-token",
        "approver@acme.example",
        "seen with Bob",
    )
    run = house.post.outside.record.run(body["run"])
    assert run
    assert (run.trigger, run.verb, run.actor) == ("api", "approve", "approver@acme.example")
    assert run.ended_at is not None
    after = house.get(f"/events?cursor={body['position']}").json()["items"]
    assert after == []


@pytest.mark.parametrize("act", ["approve", "reject", "apply"])
def test_a_word_on_what_no_longer_stands_is_a_conflict(house: House, act: str) -> None:
    nothing = house.post_to(f"{WEB}/{act}", {"proposal": 1})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "HF-1906")
    first = house.proposed("web@prod")
    house.proposed("web@prod")
    for body in ({"proposal": first}, {"proposal": first + 1, "digest": "another"}):
        late = house.post_to(f"{WEB}/{act}", body)
        assert (late.status_code, late.json()["code"]) == (409, "HF-1906")
    assert house.post_to(f"{WEB}/{act}", {"proposal": first + 1}).status_code == 202


def test_a_no_stands_in_the_plan_for_everybody(house: House) -> None:
    number = house.proposed("web@prod")
    assert house.post_to(f"{WEB}/reject", {"proposal": number, "reason": "too big"}, "approver").status_code == 202
    plan = house.get(f"{WEB}/plan").json()
    assert plan["result"] == "denied"
    assert "too big" in plan["why"]


def test_apply_is_one_s_own_yes_and_the_first_place_in_the_agenda(house: House) -> None:
    number = house.proposed("web@prod")
    done = house.post_to(f"{WEB}/apply", {"proposal": number}, "operator")
    assert (done.status_code, done.json()["act"]) == (202, "apply")
    again = house.post_to(f"{WEB}/apply", {"proposal": number}, "operator")
    # Everybody who is asked has said yes: there is nothing more to record.
    assert (again.status_code, again.json()["run"]) == (202, None)
    assert due(house, "web@prod") == 0


def test_who_may_only_apply_says_no_yes_by_it(house: House) -> None:
    number = house.proposed("web@prod")
    early = house.post_to(f"{WEB}/apply", {"proposal": number}, "runner")
    assert (early.status_code, early.json()["code"]) == (403, "HF-4122")
    assert house.post_to(f"{WEB}/approve", {"proposal": number}, "approver").status_code == 202
    done = house.post_to(f"{WEB}/apply", {"proposal": number}, "runner")
    assert (done.status_code, done.json()["run"]) == (202, None)


def test_one_person_is_one_person_however_many_tokens_they_have(house: House) -> None:
    stacks = house.made.lab / "stacks.yaml"
    stacks.write_text(
        stacks.read_text().replace('"discover"', '"defaults": {"approvals": {"required": 2}}, "discover"')
    )
    Watcher(house.post).look()
    number = house.proposed("web@prod")
    # At her own machine, with a second token, and with one that was made in other letters.
    outside, key = house.post.outside, house.key("web@prod")
    (one,) = waiting(outside, house.reading, [key])
    shell = Word(caller=Caller(actor="operator@acme.example", door="cli"))
    approve(outside, key, one.proposal, shell, run=house.run("approve").number)
    for name, person in (("second", "operator@acme.example"), ("third", "Operator@Acme.example")):
        mine = house.token(name, "operator", person)
        assert house.post_to(f"{WEB}/approve", {"proposal": number}, mine).status_code == 202
        assert "has 1" in house.get(WEB).json()["why"]
    assert house.post_to(f"{WEB}/approve", {"proposal": number}, "approver").status_code == 202
    assert house.get(WEB).json()["next"]["action"] == "Apply"


def test_a_token_that_is_nobody_s_says_no_yes_unless_it_is_asked_for_by_name(house: House) -> None:
    number, nobody = house.proposed("web@prod"), house.token("robot", "operator")
    for act in ("approve", "apply"):
        found = house.post_to(f"{WEB}/{act}", {"proposal": number}, nobody)
        assert (found.status_code, found.json()["code"]) == (403, "HF-4101")
        assert "--for" in found.json()["detail"]
    stacks = house.made.lab / "stacks.yaml"
    stacks.write_text(
        stacks.read_text().replace(
            '"discover"', '"defaults": {"approvals": {"from": ["user:token:robot"]}}, "discover"'
        )
    )
    Watcher(house.post).look()
    number = house.proposed("web@prod")
    assert house.post_to(f"{WEB}/approve", {"proposal": number}, nobody).status_code == 202


def test_whose_word_does_not_count_is_told_so(house: House, tmp_path: Path) -> None:
    stacks = house.made.lab / "stacks.yaml"
    stacks.write_text(stacks.read_text().replace('"discover"', '"defaults": {"approvals": {"required": 1, "from": ["user:ana"]}}, "discover"'))  # fmt: skip
    Watcher(house.post).look()
    number = house.proposed("web@prod")
    for act in ("approve", "apply"):
        found = house.post_to(f"{WEB}/{act}", {"proposal": number}, "operator")
        assert (found.status_code, found.json()["code"]) == (403, "HF-4101"), found.text


def test_a_stack_rests_and_follows_its_source_again(house: House) -> None:
    done = house.post_to(f"{WEB}/suspend", {"reason": "holidays", "until": "2099-11-30T00:00:00Z"}, "operator")
    assert done.json()["notes"] == ["until 2099-11-30T00:00:00Z"]
    assert house.get(WEB).json()["suspensions"][0]["why"] == "holidays"
    assert house.post_to(f"{WEB}/resume", {}, "operator").json()["notes"] == [
        "lifted the suspension of web@prod: holidays"
    ]
    nothing = house.post_to(f"{WEB}/resume", {}, "operator")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "HF-1914")
    over = house.post_to(f"{WEB}/suspend", {"reason": "x", "until": "2001-01-01T00:00:00Z"}, "operator")
    assert (over.status_code, over.json()["code"]) == (400, "HF-1908")


def test_a_time_beyond_every_calendar_breaks_nothing_for_anybody(house: House) -> None:
    # 9999 in a zone that is behind UTC is the year 10000 there, which nobody can write.
    for until in ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"):
        done = house.post_to(f"{WEB}/suspend", {"reason": "for good", "until": until}, "operator")
        assert done.json()["notes"] == ["until 9999-12-31T23:59:59Z"], done.text
        wish = {"what": "a.b#c", "until": until, "reason": "for good"}
        assert house.post_to(f"{WEB}/drift/ignore", wish, "operator").status_code == 202
    for path in ("/stacks", "/approvals", "/events", WEB, f"{WEB}/drift"):
        assert house.get(path).status_code == 200, path
    for told in (float("inf"), float("-inf"), 1e300):
        assert stamp(told)[-1] == "Z"


def test_a_stack_goes_back_and_is_held_there(house: House) -> None:
    nothing = house.post_to(f"{WEB}/rollback", {}, "operator")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "HF-1909")
    unknown = house.post_to(f"{WEB}/rollback", {"to": "never"}, "operator")
    assert unknown.status_code == 400, unknown.text
    revision = house.reading.revision.id
    done = house.post_to(f"{WEB}/rollback", {"to": revision, "reason": "it broke"}, "operator")
    assert done.status_code == 202, done.text
    assert house.get(WEB).json()["hold"] == {
        "kind": "revision",
        "revision": revision,
        "by": "operator@acme.example",
        "reason": "it broke",
    }
    (held,) = [one for one in house.post.outside.record.events(stack="lab/web@prod") if isinstance(one.event, Held)]
    assert held.actor == "token:operator-token"


def test_drift_is_left_alone_until_a_time_and_counts_again(house: House) -> None:
    house.applied("web@prod")
    house.drifted("web@prod")
    wish = {"what": "lab_object.logs#owner", "until": "2099-01-01T00:00:00Z", "reason": "autoscaled"}
    assert house.post_to(f"{WEB}/drift/ignore", wish, "operator").status_code == 202
    assert house.get(f"{WEB}/drift").json()["ignored"][0]["rule"]["owner"] == "operator@acme.example"
    assert house.post_to(f"{WEB}/drift/heed", {"what": wish["what"]}, "operator").status_code == 202
    again = house.post_to(f"{WEB}/drift/heed", {"what": wish["what"]}, "operator")
    assert (again.status_code, again.json()["code"]) == (409, "HF-1933")
    unnamed = house.post_to(f"{WEB}/drift/heed", {"what": "#x"}, "operator")
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "HF-1931")


def test_a_look_runs_in_a_run_of_its_own(house: House) -> None:
    never = house.post_to(f"{WEB}/drift/check", {}, "operator")
    assert (never.status_code, never.json()["code"]) == (409, "HF-1906")
    house.applied("web@prod")
    number = house.post_to(f"{WEB}/drift/check", {}, "operator").json()["run"]
    record = house.post.outside.record
    house.made_until(lambda: record.run(number).ended_at is not None)
    run = record.run(number)
    assert run
    assert (run.verb, run.actor) == ("drift", "operator@acme.example")


def test_what_was_not_left_behind_cannot_be_mended(house: House) -> None:
    lock = house.post_to(f"{WEB}/unlock", {"lock": "x"}, "operator")
    assert (lock.status_code, lock.json()["code"]) == (409, "HF-1913")
    dead = house.post_to(f"{WEB}/resolve", {"attempt": 1}, "operator")
    assert (dead.status_code, dead.json()["code"]) == (409, "HF-1919")


def test_a_run_is_told_to_stop_and_one_that_is_over_cannot_be(house: House) -> None:
    over = house.applied("web@prod")
    late = house.post_to(f"/runs/{over.number}/cancel", {}, "operator")
    assert (late.status_code, late.json()["code"]) == (409, "HF-1914")
    run = house.run(ends=False)
    house.append("web@prod", DriftGone(), run=run)
    assert house.post_to(f"/runs/{run.number}/cancel", {}, "operator").status_code == 202
    assert house.post.outside.running.asked_to_stop(run.number)
    both = house.run(ends=False)
    for name in ("web@prod", "db@prod"):
        house.append(name, DriftGone(), run=both)
    # One of its stacks is another's.
    assert house.post_to(f"/runs/{both.number}/cancel", {}, "operator").status_code == 403
    assert house.post_to(f"/runs/{both.number}/cancel", {}).status_code == 202


def test_a_body_of_two_lengths_and_a_text_that_no_database_keeps_are_refused(house: House) -> None:
    both = {"content-length": "2", "transfer-encoding": "chunked", "content-type": "application/json"}
    twofold = house.ask("POST", f"{WEB}/plan", "operator", headers=both, content=b"{}")
    assert (twofold.status_code, twofold.headers["connection"]) == (400, "close")
    assert house.post_to(f"{WEB}/plan", {"reason": "a\0b"}, "operator").status_code == 400
    assert house.post_to(f"{WEB}/plan", {"reason": "a\nb"}, "operator").status_code == 202


def test_a_look_is_asked_for_with_one_s_own_words(house: House) -> None:
    assert house.post_to(f"{WEB}/plan", {"reason": "the provider was down"}, "operator").status_code == 202
    (row,) = [one for one in house.served.host.agenda.waiting() if one.stack == "lab/web@prod"]
    assert row.priority == 0


def test_the_same_request_with_the_same_key_is_done_once_over_a_restart_too(tmp_path: Path) -> None:
    made = House(tmp_path)
    with made.open():
        number = made.proposed("web@prod")
        first = made.post_to(f"{WEB}/approve", {"proposal": number}, **{"idempotency-key": "k1"})
        again = made.post_to(f"{WEB}/approve", {"proposal": number}, **{"idempotency-key": "k1"})
        assert (first.status_code, first.content) == (202, again.content)
        assert "idempotency-replayed" not in first.headers
    with made.open():
        later = made.post_to(f"{WEB}/approve", {"proposal": number}, **{"idempotency-key": "k1"})
        assert (later.status_code, later.content) == (202, first.content)
        assert later.headers["idempotency-replayed"] == "true"
        yeses = [
            one for one in made.post.outside.record.events(stack="lab/web@prod") if isinstance(one.event, Approved)
        ]
        assert len(yeses) == 1
        other = made.post_to(f"{WEB}/approve", {"proposal": number, "reason": "x"}, **{"idempotency-key": "k1"})
        assert (other.status_code, other.json()["code"]) == (409, "HF-4130")
        # A key is its bearer's own.
        assert (
            made.post_to(f"{WEB}/approve", {"proposal": number}, "approver", **{"idempotency-key": "k1"}).status_code
            == 202
        )


def test_what_came_to_nothing_may_be_sent_again_with_the_same_key(house: House) -> None:
    refused = house.post_to(f"{WEB}/approve", {"proposal": 1}, **{"idempotency-key": "k"})
    assert refused.status_code == 409
    assert house.proposed("web@prod") == 1
    assert house.post_to(f"{WEB}/approve", {"proposal": 1}, **{"idempotency-key": "k"}).status_code == 202


def test_a_request_that_nobody_has_answered_is_not_done_a_second_time(house: House) -> None:
    kept: Answers = house.served.host.answers
    asked = Asked(who="ana", key="k", request="r")
    assert kept.claim(asked) is None
    with pytest.raises(Conflict) as under_way:
        kept.claim(asked)
    assert under_way.value.code == "HF-4131"
    pid, _, space = liveness.owner().split("-")
    dead = f"{pid}-1-{space}"
    kept.database.write(lambda connection: connection.execute(answers.update().values(owner=dead)))
    with pytest.raises(Conflict, match="ended in the middle") as cut:
        kept.claim(asked)
    assert cut.value.code == "HF-4131"
    kept.keep(asked, Answer(status=202, body="{}"))
    assert kept.claim(asked) == Answer(status=202, body="{}")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
def test_only_json_acts(house: House, media: str) -> None:
    found = house.ask("POST", f"{WEB}/plan", content=b"{}", headers={"content-type": media})
    assert (found.status_code, found.json()["code"]) == (415, "HF-4128")


@pytest.mark.parametrize("body", ["[]", "{", '{"reason": 1}', '{"unknown": 1}', '{"reason": "\\ud800"}', "1e999"])
def test_a_body_that_cannot_be_meant_is_told(house: House, body: str) -> None:
    found = house.ask("POST", f"{WEB}/plan", content=body.encode(), headers={"content-type": "application/json"})
    assert (found.status_code, found.json()["code"]) == (400, "HF-4127"), found.text


def test_nobody_acts_without_end(house: House) -> None:
    limiter = house.app.state.inside.acts
    while limiter.take("token:admin-token"):
        pass
    found = house.post_to(f"{WEB}/plan")
    assert (found.status_code, found.json()["code"]) == (429, "HF-4123")


def test_what_was_refused_is_in_the_record_once_and_what_was_not_tried_is_not(house: House) -> None:
    house.proposed("web@prod")
    record = house.post.outside.record
    before = len(record.events())
    for _ in range(3):
        assert house.post_to(f"{WEB}/approve", {"proposal": 1}, "own").status_code == 403
        assert house.post_to("/stacks/lab/db@prod/suspend", {"reason": "x"}, "own").status_code == 404
        assert house.post_to(f"{WEB}/apply", {"proposal": 1}, "runner").status_code == 403
        assert house.get("/stacks/lab/db@prod", "own").status_code == 404
    told = record.events()[before:]
    assert [(one.stack, one.actor, one.event) for one in told] == [
        ("!", f"token:{who}-token", ActDenied(by=f"{who}@acme.example", what=f"POST /api/v1{path}", code=code))
        for who, path, code in (
            ("own", f"{WEB}/approve", "HF-4122"),
            ("own", "/stacks/lab/db@prod/suspend", "HF-4120"),
            ("runner", f"{WEB}/apply", "HF-4122"),
        )
    ]
    assert record.verify() is None
    shown = [one["kind"] for one in house.get("/events").json()["items"]]
    assert shown.count("act_denied") == 3
    assert "act_denied" not in [one["kind"] for one in house.get("/events", "own").json()["items"]]
    # However many paths somebody tries: the record does not grow with them.
    for number in range(40):
        house.post_to(f"/stacks/lab/no-{number}@prod/plan", {}, "own")
    assert len(record.events()) - before <= 22
    assert house.journal.count("an act was refused") <= 22

"""CDEvents go to one URL, signed so that anybody's library can tell, and nowhere else."""

from __future__ import annotations

import base64
import time
from ipaddress import ip_address

import pytest
from receiving import until
from report_stage import QUICK
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from orchestrator.errors import Undelivered
from orchestrator.model.event import DriftGone
from orchestrator.model.telling import Kind
from orchestrator.report.cdevents import KINDS
from orchestrator.report.happening import Happening, Selection
from orchestrator.report.outbox import Outbox
from orchestrator.report.webhook import WebhookSink, refused

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
APPLIED = Happening(
    kind=Kind.APPLY_SUCCEEDED,
    seq=7,
    id="7",
    at=1_000_000.5,
    stack="infra/web@prod",
    source="infra",
    environment="prod",
    tool="terraform",
    revision="c" * 40,
    run=3,
    summary="applied: 1 created",
)


def sink(url: str, secret: str = SECRET, **more) -> WebhookSink:
    return WebhookSink("cd", url, lambda: secret, source="https://holdfast.example.org", **more)


def sent(to: WebhookSink) -> None:
    ((_, message),) = to.pack([APPLIED])
    to.send(message)


@pytest.mark.parametrize("secret", [SECRET, "plain words"])
def test_a_library_of_somebody_else_verifies_it(receiver, secret):
    sent(sink(receiver.url("http", "/events?x=1"), secret))
    (one,) = receiver.taken
    assert (one.path, one.headers["content-type"]) == ("/events?x=1", "application/cloudevents+json")
    key = secret if secret == SECRET else base64.b64encode(secret.encode()).decode()
    assert Webhook(key).verify(one.body, one.headers)["id"] == one.headers["webhook-id"] == "cd-7"
    assert abs(int(one.headers["webhook-timestamp"]) - time.time()) < 60
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(one.body + b" ", one.headers)


def test_a_secret_that_is_no_base64_is_told_without_it(receiver):
    with pytest.raises(Undelivered) as caught:
        sent(sink(receiver.url("http"), "whsec_hunter2!"))
    assert caught.value.code == "HF-4605"
    assert "hunter2" not in str(caught.value)
    assert receiver.got == []


@pytest.mark.parametrize(("status", "offended"), [(500, False), (401, False), (400, True), (422, True), (302, False)])
def test_what_is_not_taken_is_told_by_its_status_and_nobody_is_followed_elsewhere(receiver, status, offended):
    receiver.answer = lambda _: status
    with pytest.raises(Undelivered) as caught:
        sent(sink(receiver.url("http")))
    assert (caught.value.offended, str(status) in caught.value.message) == (offended, True)
    assert [one.path for one in receiver.got] == ["/hook"]


def test_nobody_there_is_told_without_the_rest_of_the_url():
    with pytest.raises(Undelivered) as caught:
        sent(sink("http://127.0.0.1:9/canary-path"))
    assert (caught.value.code, "canary" in str(caught.value)) == ("HF-4600", False)


@pytest.mark.parametrize(
    ("address", "encrypted", "allowed", "goes"),
    [
        ("93.184.216.34", True, False, True),
        ("10.0.0.7", True, False, True),
        ("10.0.0.7", False, False, False),
        ("10.0.0.7", False, True, True),
        ("127.0.0.1", False, False, True),
        ("::1", False, False, True),
        ("169.254.169.254", True, True, False),
        ("::ffff:169.254.169.254", True, True, False),
        ("fe80::1", True, True, False),
        ("0.0.0.0", True, True, False),  # noqa: S104 -- nothing listens there
        ("224.0.0.1", True, True, False),
    ],
)
def test_what_counts_is_who_was_reached(address, encrypted, allowed, goes):
    assert (refused(ip_address(address), encrypted=encrypted, allow_http=allowed) == "") is goes


def test_a_name_that_comes_to_mean_another_address_is_sent_nothing(receiver, monkeypatch):
    monkeypatch.setattr("orchestrator.report.webhook.refused", lambda *_, **__: "means another")
    with pytest.raises(Undelivered) as caught:
        sent(sink(receiver.url("http")))
    assert caught.value.code == "HF-4604"
    assert receiver.got == []


def test_of_an_apply_in_the_record_one_event_comes_and_what_is_for_people_alone_does_not(stage, receiver):
    wanted = Selection(on=tuple(kind.value for kind in KINDS))
    box = Outbox("events-cd", stage.ground, sink(receiver.url("http")), wanted, pace=QUICK)
    box.turn()
    stage.world.commit({"web/objects": "canary-name=canary-value"})
    stage.world.settle()
    state = stage.world.state()
    stage.world.record.append("infra/web@default", [DriftGone()], expected=state.version, run=1)
    box.start()
    until(lambda: receiver.taken)
    assert box.stop(10)
    (one,) = receiver.taken
    assert one.json["type"] == "dev.cdevents.service.deployed.0.3.0"
    assert one.json["source"] == "https://holdfast.example.org"
    assert b"canary" not in one.body

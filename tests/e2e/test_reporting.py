"""The installed service tells what it does, through real receivers on loopback, whatever is killed meanwhile."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_yard import PROJECT, Yard
from served import configured, serving
from standardwebhooks.webhooks import Webhook

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from receiving import Receiver, receiving

from orchestrator.effects.clock import SystemClock
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\ndefaults: {apply: auto, drift: {every: 1h}}\nstacks:\n"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def programs() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def committed(yard: Yard, *names: str) -> None:
    """Commit stacks whose one resource bears a name that nobody elsewhere is to read."""
    files = {f"{name}/main.tf": f'resource "terraform_data" "canary_{name}" {{ input = "c4n4ry" }}\n' for name in names}
    lines = [f"  {name}: {{tool: terraform, path: {name}}}\n" for name in names]
    yard.commit({"stacks.yaml": STACKS + "".join(lines), **files})


def aged(yard: Yard, seconds: float) -> None:
    """Have it look as if the source had been read for the last time so long ago."""
    database = open_database(f"sqlite:///{yard.home}/record.db")
    record = SqlRecord(database=database, clock=SystemClock(), actor="test")
    (known,) = record.recollect("sources").values()
    record.remember("sources", {PROJECT: {**known, "read_at": known["read_at"] - seconds}})
    database.close()


def told(receiver: Receiver) -> list[str]:
    return [one.json["title"] for one in receiver.taken]


def test_people_and_programs_are_told_what_was_applied_and_nothing_of_what_it_holds(
    yard: Yard, receiver: Receiver, programs: Receiver
) -> None:
    committed(yard, "web")
    config = configured(
        yard,
        external_url="https://holdfast.example.org",
        notify=[{"to": "${secret:chat}", "on": ["apply.*"], "gather": "1s"}],
        events=[{"name": "cd", "url": programs.url("http", "/events"), "secret": "${secret:signing}"}],
    )
    env = {"HOLDFAST_SECRET_CHAT": receiver.url("json", "/s3cr3t-p4th"), "HOLDFAST_SECRET_SIGNING": SECRET}
    with serving(yard, config, **env) as service:
        service.until(lambda: receiver.taken and programs.taken)
        said = service.stop()
    (message,) = receiver.taken
    assert message.json["title"] == f"{yard.key('web')}: apply.succeeded"
    assert "applied: 1 created" in message.json["message"]
    assert "https://holdfast.example.org/runs/" in message.json["message"]
    (event,) = programs.taken
    assert Webhook(SECRET).verify(event.body, event.headers)["type"] == "dev.cdevents.service.deployed.0.3.0"
    assert not [word for word in (b"canary", b"c4n4ry") if word in message.body + event.body]
    assert "s3cr3t-p4th" not in said
    yard.record_is_sound()


def test_killed_before_it_could_take_note_it_tells_the_same_again_under_the_same_id(
    yard: Yard, receiver: Receiver
) -> None:
    committed(yard, "web")
    config = configured(yard, notify=[{"to": "${secret:chat}", "on": ["apply.*"], "gather": "0s"}])
    env = {"HOLDFAST_SECRET_CHAT": receiver.url()}
    with serving(yard, config, **env) as service:

        def kills(_: bytes) -> int:
            os.kill(service.process.pid, signal.SIGKILL)
            return 200

        receiver.answer = kills
        service.process.wait(60)
    receiver.answer = lambda _: 200
    with serving(yard, config, **env) as service:
        service.until(lambda: len(receiver.taken) == 2)
        service.stop()
    first, again = receiver.taken
    assert first.body == again.body
    assert len(receiver.taken) == 2


def test_a_receiver_that_is_down_delays_no_run_and_is_told_afterwards(yard: Yard, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500
    committed(yard, "web")
    config = configured(yard, notify=[{"to": "${secret:chat}", "on": ["apply.*"], "gather": "0s"}])
    env = {"HOLDFAST_SECRET_CHAT": receiver.url("json", "/s3cr3t-p4th")}
    env["HOLDFAST_SECRET_OTHER"] = receiver.url("json", "/other")
    with serving(yard, config, **env) as service:
        service.sees("a receiver does not take what happens: it is kept and tried again", code="HF-4600")
        committed(yard, "web", "db")
        service.sees("at rest", stack=yard.key("db"), reason="converged")
        receiver.answer = lambda _: 200
        service.until(lambda: len(told(receiver)) == 2)
        # Another receiver of a file that is read anew hears of what happens from then on.
        body = json.loads(config.read_text())
        body["notify"].append({"to": "${secret:other}", "on": ["apply.*"], "gather": "0s"})
        config.write_text(json.dumps(body))
        service.tell(signal.SIGHUP)
        service.sees("tells what happens from now on", receiver="notify-other")
        committed(yard, "web", "db", "new")
        service.until(lambda: len(told(receiver)) == 4)
        assert "s3cr3t-p4th" not in service.stop()
    first, second = (f"{yard.key(name)}: apply.succeeded" for name in ("web", "db"))
    third = f"{yard.key('new')}: apply.succeeded"
    assert told(receiver) == [first, second, third, third]
    assert [one.path for one in receiver.taken if one.path == "/other"] == ["/other"]


def test_runs_are_sent_as_traces_where_the_environment_says_so(yard: Yard, receiver: Receiver) -> None:
    committed(yard, "web")
    with serving(yard, configured(yard), OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url("http", "")) as service:
        service.until(lambda: [one for one in receiver.taken if one.path == "/v1/traces"])
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        service.stop()
    assert b"c4n4ry" not in b"".join(one.body for one in receiver.got)


def test_doctor_and_status_say_that_a_source_was_read_long_ago(yard: Yard) -> None:
    committed(yard, "web")
    config = configured(yard)
    with serving(yard, config) as service:
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        service.stop()
    yard.extra["HOLDFAST_CONFIG"] = str(config)
    assert "last success" not in yard.run("status").ended(0).err
    checks = {one["name"]: one for one in yard.run("doctor", "-o", "json").json["checks"]}
    assert checks["source estate"]["verdict"] == "good"
    aged(yard, 26 * 3600.0)
    yard.run("status").ended(0, "note: source estate: last success 26 h ago")
    done = yard.run("doctor", "-o", "json").ended(1)
    (check,) = [one for one in json.loads(done.out)["checks"] if one["name"] == "source estate"]
    assert (check["verdict"], check["found"].partition(",")[0]) == ("bad", "last success 26 h ago")

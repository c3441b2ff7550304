"""At least once: what happens reaches its receiver, whatever happens to the receiver or to the service."""

from __future__ import annotations

import json
import socket
import sys
import time
from dataclasses import replace

import pytest
from receiving import Receiver, until
from report_stage import QUICK, Stage

from orchestrator.effects.cursors import RecordCursors
from orchestrator.errors import RecordError, SecretMissing, Undelivered
from orchestrator.model.event import DriftGone
from orchestrator.report import reading
from orchestrator.report.feed import Feed
from orchestrator.report.happening import Selection
from orchestrator.report.notify import AppriseSink
from orchestrator.report.outbox import Outbox
from orchestrator.report.reporters import Reporters

ALL = Selection(on=("*",))


def outbox(stage: Stage, receiver: Receiver, *, name: str = "ops", pace=QUICK, wanted=ALL, address=None) -> Outbox:
    sink = AppriseSink(name, address or receiver.url, patience_s=5.0)
    return Outbox(f"notify-{name}", stage.ground, sink, wanted, pace=pace)


def bodies(receiver: Receiver) -> list[str]:
    return [one.json["message"] for one in receiver.taken]


def titles(receiver: Receiver) -> list[str]:
    return [one.json["title"] for one in receiver.taken]


def happens(stage: Stage, stack: str, times: int = 1, run: int = 1) -> None:
    """Something that is told happens to a stack."""
    key = f"infra/{stack}@default"
    for _ in range(times):
        stage.world.record.append(key, [DriftGone()], expected=stage.world.record.row(key).state.version, run=run)


@pytest.fixture
def begun(stage: Stage, receiver: Receiver) -> Stage:
    """A stage whose receiver is known already."""
    outbox(stage, receiver).turn()
    return stage


def test_a_new_receiver_hears_of_nothing_that_was_before(stage, receiver):
    happens(stage, "old")
    box = outbox(stage, receiver)
    box.turn()
    assert receiver.got == []
    assert stage.said.of("tells what happens from now on") == [{"receiver": "notify-ops"}]
    happens(stage, "web")
    box.turn()
    (one,) = receiver.taken
    assert one.json["title"] == "infra/web@default: drift.gone"
    assert one.json["message"].splitlines()[-1] == "(ops-2)"


def test_one_message_for_each_stack_and_run_and_one_for_all_of_a_burst(begun, receiver):
    happens(begun, "web", times=3)
    happens(begun, "web", run=2)
    happens(begun, "db")
    box = outbox(begun, receiver)
    box.turn()
    assert [one.json["title"] for one in receiver.taken] == [
        "infra/web@default: drift.gone",
        "infra/web@default: drift.gone",
        "infra/db@default: drift.gone",
    ]
    receiver.got.clear()
    for number in range(50):
        happens(begun, f"s{number}")
    box.turn()
    (one,) = receiver.taken
    assert one.json["title"] == "50 stacks: 50 drift.gone"
    assert "and 40 more" in one.json["message"]


def test_what_happens_is_gathered_for_a_while(begun, receiver):
    box = outbox(begun, receiver, pace=replace(QUICK, gather_s=3600.0))
    happens(begun, "web")
    box.turn()
    assert receiver.got == []
    box.stopping.set()
    box.turn()
    assert len(receiver.taken) == 1


def test_a_receiver_that_is_down_loses_nothing_and_is_spoken_of_once(begun, receiver):
    receiver.answer = lambda _: 500
    box = outbox(begun, receiver)
    box.start()
    happens(begun, "web")
    until(lambda: len(receiver.got) > 8)
    for number in range(20):
        happens(begun, f"s{number}")
    assert bodies(receiver) == []
    receiver.answer = lambda _: 200
    until(lambda: any(title.startswith("20 stacks") for title in titles(receiver)))
    assert box.stop(10)
    # Whoever came back may have been asked first whether it takes anything at all.
    one, other = [title for title in titles(receiver) if title != "Holdfast"]
    assert "web" in one
    assert other.startswith("20 stacks")
    assert len(begun.said.of("a receiver does not take")) == 1
    assert begun.said.of("a receiver does not take")[0]["code"] == Undelivered.code == "HF-4600"
    assert len(begun.said.of("a receiver takes messages again")) == 1


def test_a_message_that_its_receiver_alone_refuses_is_given_up_aloud_and_the_next_one_goes(begun, receiver):
    receiver.answer = lambda body: 400 if b"poison" in body else 200
    box = outbox(begun, receiver)
    happens(begun, "poison")
    happens(begun, "web")
    box.turn()
    (given_up,) = begun.said.of("a message was given up")
    assert (given_up["code"], given_up["message"]) == ("HF-4601", "ops-1")
    *others, last = bodies(receiver)
    assert others == ["A message cannot be sent here (ops-1). See: holdfast status"] * 2
    assert last.endswith("(ops-2)")


@pytest.mark.parametrize("back_at", range(6, 20))
def test_a_receiver_that_comes_back_at_any_moment_gets_the_message(begun, receiver, back_at):
    """Also where it is back for the message without content, and away again for some after it."""
    receiver.answer = lambda _: 200 if len(receiver.got) in {back_at, back_at + 1 + back_at % 3} else 500
    box = outbox(begun, receiver, pace=replace(QUICK, first_wait_s=0.0, longest_wait_s=0.0))
    happens(begun, "web")
    box.start()
    until(lambda: len(receiver.got) > back_at + 3 or "web" in "".join(titles(receiver)))
    receiver.answer = lambda _: 200
    until(lambda: "web" in "".join(titles(receiver)))
    assert box.stop(10)
    assert begun.said.of("a message was given up") == []


def test_killed_between_sending_and_taking_note_it_sends_the_same_under_the_same_id(begun, receiver, monkeypatch):
    happens(begun, "web")

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    box = outbox(begun, receiver)
    keep = RecordCursors.keep
    # The place of the batch is kept, the place after it is not.
    monkeypatch.setattr(
        RecordCursors,
        "keep",
        lambda self, name, spot, **more: keep(self, name, spot, **more) if "sending" in name else dies(),
    )
    with pytest.raises(SystemExit):
        box.turn()
    monkeypatch.undo()
    # What happens meanwhile is no part of what was under way.
    happens(begun, "db")
    later = outbox(begun, receiver)
    later.turn()
    first, again = receiver.taken
    assert first.body == again.body
    later.turn()
    assert bodies(receiver)[2].endswith("(ops-2)")
    later.turn()
    assert len(receiver.taken) == 3


def test_a_record_that_was_put_back_from_an_older_copy_is_read_from_its_end_on(stage):
    happens(stage, "web")
    cursors = stage.cursors
    spot, new = cursors.begin("r")
    assert new
    assert cursors.begin("r") == (spot, False)
    cursors.keep("r", type(spot)(spot.number + 5, "not in here"))
    assert cursors.begin("r") == (spot, True)


def test_a_place_survives_what_is_only_remembered(begun):
    begun.cursors.keep("r", begun.cursors.begin("r")[0])
    assert begun.world.record.verify() is None
    assert begun.world.record.recollect("readers") == {}


def test_an_address_is_asked_for_each_time_and_a_secret_that_is_missing_loses_nothing(begun, receiver):
    answers: list[str] = []

    def address() -> str:
        if not answers:
            raise SecretMissing("no store knows the secret")
        return answers[-1]

    box = outbox(begun, receiver, address=address)
    happens(begun, "web")
    box.start()
    until(lambda: begun.said.of("a receiver does not take"))
    assert begun.said.of("a receiver does not take")[0]["code"] == "HF-4400"
    answers.append("nonsense of no kind")
    happens(begun, "db")
    answers.append(receiver.url())
    until(lambda: receiver.taken)
    assert box.stop(10)


def test_a_url_that_apprise_does_not_know_is_said_without_it(begun, receiver):
    sink = AppriseSink("ops", lambda: "hunter2hunter2://nothing")
    ((_, message),) = sink.pack(ALL.of(_one(begun)))
    with pytest.raises(Undelivered) as caught:
        sink.send(message)
    assert caught.value.code == "HF-4603"
    assert "hunter2" not in str(caught.value)


def test_without_the_library_it_says_what_to_install(begun, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    sink = AppriseSink("ops", lambda: "json://127.0.0.1")
    ((_, message),) = sink.pack(ALL.of(_one(begun)))
    with pytest.raises(Undelivered) as caught:
        sink.send(message)
    assert (caught.value.code, caught.value.hint) == ("HF-4602", "pip install 'holdfast[notify]'")


def test_a_receiver_that_leads_elsewhere_is_not_followed(begun, receiver):
    receiver.answer = lambda _: 302
    sink = AppriseSink("ops", receiver.url)
    ((_, message),) = sink.pack(ALL.of(_one(begun)))
    with pytest.raises(Undelivered):
        sink.send(message)
    assert {one.path for one in receiver.got} == {"/hook"}


def test_a_receiver_that_hangs_delays_neither_others_nor_the_end(begun, receiver):
    deaf = socket.create_server(("127.0.0.1", 0))
    hanging = outbox(begun, receiver, name="deaf", address=lambda: f"json://127.0.0.1:{deaf.getsockname()[1]}/")
    hanging.turn()
    reporters = Reporters([hanging, outbox(begun, receiver)])
    reporters.start()
    happens(begun, "web")
    until(lambda: receiver.taken)
    began = time.monotonic()
    reporters.stop(within_s=0.2)
    assert time.monotonic() - began < 2
    deaf.close()


def test_a_record_out_of_reach_is_said_once_and_read_again(begun, receiver, monkeypatch):
    monkeypatch.setattr(reading, "_LATER_S", 0.01)
    away = [True]
    kind = type(begun.ground.cursors)
    at = kind.at

    def maybe(self, name):
        if away:
            raise RecordError("gone")
        return at(self, name)

    monkeypatch.setattr(kind, "at", maybe)
    box = outbox(begun, receiver)
    box.start()
    until(lambda: begun.said.of("a report cannot be read"))
    happens(begun, "web")
    away.clear()
    until(lambda: receiver.taken)
    assert box.stop(10)
    assert len(begun.said.of("a report cannot be read")) == 1


def _one(stage: Stage):
    happens(stage, "web")
    return Feed(stage.world.record).read(stage.world.record.events())


def test_a_message_is_plain_text_to_its_receiver(begun, receiver):
    happens(begun, "web")
    outbox(begun, receiver).turn()
    assert json.loads(receiver.taken[0].body)["type"] == "success"

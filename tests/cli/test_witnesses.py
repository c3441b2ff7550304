"""Who changed it, as people and programs are told: below each difference, in the history, and in what explains."""

from __future__ import annotations

from dataclasses import replace

from cli_values import attribute, change, key, text

from adapters.contract import ChangeKind, DriftItem
from adapters.testimony import Confidence, Testimony
from orchestrator.cli import show_drift, show_history
from orchestrator.model.drift import seen
from orchestrator.model.observed import Drift, Looks, State
from orchestrator.model.policy import DriftPolicy
from orchestrator.rules.judged import judged
from orchestrator.telling import witnesses
from orchestrator.telling.judged import sentences

NOW = 10_000.0
ITEM = DriftItem(
    change=change("r.a", ChangeKind.UPDATE, attribute("size", 1, 2), attribute("mode", "a", "b")), will_be_reverted=True
)
EVE = Testimony(
    address="r.a",
    who="eve",
    at=NOW - 60,
    what="PutBucketTagging from 203.0.113.7",
    source="CloudTrail",
    confidence=Confidence.LIKELY,
)
STATE = Testimony(what="nobody has written the state", source="state", confidence=Confidence.CERTAIN)
LATE = Testimony(address="r.a", what="no call is on the trail", source="CloudTrail", confidence=Confidence.HINT)
BY_EVE = "changed by eve at 1970-01-01T02:45:40Z (CloudTrail: PutBucketTagging from 203.0.113.7, likely)"


def it(*words: Testimony, asked: bool = True):
    occurrences = seen((), (ITEM,), "r1", NOW - 600)
    if asked:
        occurrences = tuple(replace(one, asked_at=NOW, unseen_at=NOW - 4200, testimonies=words) for one in occurrences)
    state = State(drift=Drift(items=(ITEM,), first_seen=NOW - 600, revision="r1"), occurrences=occurrences)
    looks = Looks(drift_at=NOW, drift_seen_at=NOW, drift_seen=1)
    return judged("infra/web@default", state, looks, DriftPolicy(), NOW), looks


def drift_page(*words: Testimony, asked: bool = True):
    of, looks = it(*words, asked=asked)
    return show_drift.page([show_drift.Row(key=key("web"), judged=of, looks=looks)], NOW)


def test_the_best_answer_stands_below_the_difference_and_the_rest_where_everything_is_asked_for():
    page = drift_page(EVE, STATE)
    lines = text(page).splitlines()
    assert sum(BY_EVE in line for line in lines) == 1
    assert "nobody has written the state" not in text(page)
    assert "state: nobody has written the state" in text(page, whole=True)


def test_that_nobody_knows_is_an_answer_with_its_reasons():
    assert "by whom: unknown (state: nobody has written the state; CloudTrail: no call is on the trail)" in " ".join(
        text(drift_page(STATE, LATE)).split()
    )
    assert "by whom: unknown (no witness knows of it)" in text(drift_page())


def test_where_nobody_was_asked_nothing_is_said():
    assert "by whom" not in text(drift_page(asked=False))
    (stack,) = drift_page(asked=False).value()["stacks"]
    assert stack["items"][0]["witnesses"] == []


def test_a_hint_accuses_nobody():
    hint = replace(EVE, confidence=Confidence.HINT, at=None)
    assert witnesses.by_whom([hint]).startswith("perhaps changed by eve (CloudTrail: ")


def test_programs_are_told_each_word():
    (stack,) = drift_page(EVE, STATE).value()["stacks"]
    assert stack["items"][0]["witnesses"] == [
        {
            "who": "eve",
            "at": "1970-01-01T02:45:40Z",
            "what": "PutBucketTagging from 203.0.113.7",
            "source": "CloudTrail",
            "confidence": "likely",
        },
        {
            "who": None,
            "at": None,
            "what": "nobody has written the state",
            "source": "state",
            "confidence": "certain",
        },
    ]


def test_the_history_and_what_explains_say_it_too():
    of, _ = it(EVE, STATE)
    page = show_history.page([show_history.History(key=key("web"), judged=of)])
    assert BY_EVE in text(page)
    assert "state: nobody has written the state" in text(page)
    (stack,) = page.value()["stacks"]
    assert stack["occurrences"][0]["unseen_at"] == "1970-01-01T01:36:40Z"
    assert f"r.a {BY_EVE}" in sentences(of, "web", whom=True)
    assert not [line for line in sentences(of, "web") if "eve" in line]

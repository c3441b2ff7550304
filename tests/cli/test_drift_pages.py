"""What is said of drift beside the differences: what waits, what is left alone, what comes back, and how it ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cli_values import attribute, change, key, text

from adapters.contract import ChangeKind, DriftItem
from orchestrator.cli import show_drift, show_history
from orchestrator.errors import UsageError
from orchestrator.model.drift import Ending, Repair, ended, seen, sighted
from orchestrator.model.observed import Drift, Looks, State
from orchestrator.model.policy import DriftAnswer, DriftPolicy, Ignore, RepairLimit
from orchestrator.rules.difference import Difference
from orchestrator.rules.judged import Judged, judged
from orchestrator.telling.judged import sentences

NOW = 10_000.0
ITEM = DriftItem(change=change("r.a", ChangeKind.UPDATE, attribute("size", 1, 2)), will_be_reverted=True)
GONE = DriftItem(change=change("r.b", ChangeKind.DELETE), will_be_reverted=False)
RULE = Ignore(address="r.a", path="size", owner="team:net", reason="autoscaled", until=NOW + 60)


def state(*items, since=NOW - 600, **more):
    drift = Drift(items=items, first_seen=since, revision="r1")
    return State(drift=drift, occurrences=seen((), items, "r1", since), **more)


def row(of, *, policy=None, looks=None, **more):
    looks = looks or Looks(drift_at=NOW, drift_seen_at=NOW, drift_seen=1)
    return show_drift.Row(
        key=key("web"), judged=judged("infra/web@default", of, looks, policy or DriftPolicy(), NOW), looks=looks, **more
    )


def test_what_is_ignored_is_counted_and_named_and_listed_where_everything_is_asked_for():
    one = row(state(ITEM, GONE), policy=DriftPolicy(ignore=(RULE,)))
    page = show_drift.page([one], NOW)
    assert "expected 1  is 2" not in text(page)
    assert "expected 1  is 2" in text(page, whole=True)
    assert "ignored: r.a#size by team:net until 1970-01-01T02:47:40Z: autoscaled" in text(page)
    assert "an apply for another reason would put it back" in text(page)
    assert text(page).rstrip().endswith("1 drifted in 1 of 1 stack; 1 ignored.")
    assert ("web", "update", "r.a", "size", "1", "2", "ignored") in page.records()


def test_a_stack_on_which_all_is_ignored_or_unconfirmed_does_not_read_as_if_nothing_differed():
    ignored = row(state(ITEM), policy=DriftPolicy(ignore=(RULE,)))
    once = row(state(ITEM), policy=DriftPolicy(confirm=2))
    assert "= but for 1 ignored" in text(show_drift.page([ignored], NOW))
    out = text(show_drift.page([once], NOW))
    assert "= but for 1 to be confirmed" in out
    assert "counts once 2 looks in a row saw it: r.a" in out
    assert "= as applied" not in out


def test_a_rule_that_ended_is_said_aloud():
    over = row(state(ITEM), policy=DriftPolicy(ignore=(replace(RULE, until=NOW - 60),)))
    assert "no longer ignored since 1970-01-01T02:45:40Z: r.a#size by team:net" in text(show_drift.page([over], NOW))
    assert over.items


def test_what_keeps_coming_back_is_said_first_with_the_two_ways_on():
    repairs = tuple(Repair(at=NOW - 1000 + number, run=number, by="ana") for number in range(3))
    policy = DriftPolicy(answer=DriftAnswer.REPAIR, limit=RepairLimit(repairs=3))
    it = row(state(ITEM, repairs=repairs), policy=policy).judged
    assert it.recurring
    (said,) = sentences(it, "web")
    assert said.startswith("recurring: repaired 3 times")
    assert "holdfast drift --history web" in said
    assert "holdfast resume web" in said
    assert not row(state(ITEM, repairs=repairs), policy=replace(policy, answer=DriftAnswer.PROPOSE)).judged.recurring


def test_each_item_says_how_many_looks_saw_it_and_for_which_time_it_is_there():
    before = ended(seen((), [ITEM], "r1", NOW - 900), Ending.REPAIRED, NOW - 800, run=3, by="ana")
    now = replace(state(ITEM), occurrences=seen(before, [ITEM], "r1", NOW - 600))
    looks = Looks(drift_at=NOW, drift_seen_at=NOW, drift_seen=1, sightings=sighted((), (), [ITEM]))
    page = show_drift.page([row(now, looks=looks)], NOW)
    assert "the next apply puts it back, for the 2. time" in text(page)
    (item,) = page.value()["stacks"][0]["items"]
    assert (item["times"], item["occurrences"], item["first_seen"]) == (1, 2, "1970-01-01T02:36:40Z")


ENDINGS = {
    Ending.REPAIRED: "repaired in run 7 by ana at 1970-01-01T02:46:40Z",
    Ending.SUPERSEDED: "another revision was applied over it in run 7 by ana",
    Ending.ADOPTED: "adopted in run 7 by ana",
    Ending.GONE: "gone, after run 7 by ana had tried",
    Ending.DESTROYED: "taken down in run 7 by ana",
    Ending.CHANGED: "changed once more, after run 7 by ana had tried",
}


@pytest.mark.parametrize("how", list(Ending))
def test_each_ending_has_its_words(how):
    (one,) = ended(seen((), [ITEM], "r1", NOW - 900), how, NOW, run=7, by="ana")
    assert show_history.ending(one).startswith(ENDINGS[how])


def test_history_tells_each_occurrence_in_a_line_and_sums_up():
    over = ended(seen((), [ITEM, GONE], "r1", NOW - 900), Ending.GONE, NOW - 800)
    it = Judged(occurrences=seen(over, [ITEM], "r1", NOW - 600))
    out = text(show_history.page([show_history.History(key=key("web"), judged=it)]))
    assert "r.a#size  1 → 2  gone by itself at" in out
    assert "r.b  is gone  gone by itself at" in out
    assert "r.a#size  1 → 2  not over" in out
    assert out.rstrip().endswith("3 occurrences, 1 of them not over, 0 repaired.")
    assert show_history.totals([]) == "No drift was ever seen."


@pytest.mark.parametrize(
    ("word", "address", "path"),
    [
        ("x.one", "x.one", ""),
        ("x.one#tags.a", "x.one", "tags.a"),
        ('x.y["a#b"]', 'x.y["a#b"]', ""),
        ('x.y["a#b"]#size', 'x.y["a#b"]', "size"),
    ],
)
def test_an_attribute_follows_its_address_after_a_sign_that_no_key_hides(word, address, path):
    assert Difference.parse(word) == Difference(address=address, path=path)
    assert str(Difference(address=address, path=path)) == word


@pytest.mark.parametrize("word", ["", "#", "#size", "x.one#"])
def test_a_word_that_names_nothing_is_refused(word):
    with pytest.raises(UsageError) as refused:
        Difference.parse(word)
    assert refused.value.code == "HF-1931"

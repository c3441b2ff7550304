"""What somebody tries who may open pull requests and write below them, and what comes of it."""

from __future__ import annotations

import pull_house
import pytest
from pull_house import House, made
from world import AUTO

from orchestrator.engine.acts.words import append
from orchestrator.model.event import Held
from orchestrator.model.forge import ApplyOn
from orchestrator.model.observed import Hold, HoldKind
from orchestrator.model.pull import PullState
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.model.verdict import CheckConclusion
from orchestrator.rules.rights import Right, Role

TWO = {"web/objects": "a=2", "db/objects": "b=1"}


@pytest.fixture
def house(tmp_path) -> House:
    return made(tmp_path)


def strangers(house: House, head: str, number: int = 1) -> None:
    house.forge.put(number, head, fork=True, author="mallory")
    house.look()
    house.world.sleep(10)


@pytest.mark.parametrize("digits", [7, 12, 39])
def test_the_first_digits_of_a_commit_let_none_run_that_begins_alike(house: House, digits: int) -> None:
    head = house.world.propose(TWO)
    strangers(house, head)
    house.forge.remark(1, "bob-gh", f"holdfast plan {head[:digits]}")
    house.look()
    assert not house.heard()[-1].done
    assert "pull/1" not in house.world.state("web").tracks


def test_a_word_about_one_commit_of_a_fork_is_none_about_the_one_that_was_pushed_before_it_was_heard(
    house: House,
) -> None:
    read = house.world.propose(TWO)
    strangers(house, read)
    house.forge.remark(1, "bob-gh", f"holdfast plan {read}")
    house.forge.put(1, house.world.propose({"web/objects": "a=9", "db/objects": "b=1"}), fork=True)
    house.look()
    assert not house.heard()[-1].done
    assert "pull/1" not in house.world.state("web").tracks


@pytest.mark.parametrize("words", ["holdfast plan -e nowhere {}", "holdfast plan {} -e nowhere", "holdfast plan {}"])
def test_who_may_plan_nothing_lets_nothing_of_a_fork_run_by_naming_nothing(house: House, words: str) -> None:
    head = house.world.propose(TWO)
    strangers(house, head)
    house.forge.remark(1, "eve-gh", words.format(head))
    house.look()
    assert not house.heard()[-1].done
    assert "pull/1" not in house.world.state("web").tracks


def test_who_may_plan_one_stack_does_not_let_a_forks_others_run_by_naming_that_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pull_house.PEOPLE, "wes-gh", "wes")
    monkeypatch.setitem(pull_house.ROLES, "wes", (Role(name="web", rights=frozenset(Right), stacks=("*/web", "web")),))
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=2"})
    strangers(house, head)
    house.forge.remark(1, "wes-gh", f"holdfast plan web {head}")
    house.look()
    assert not house.heard()[-1].done
    assert "may not plan db" in house.heard()[-1].outcome


def test_a_strangers_fork_of_everything_holds_up_nobody(house: House) -> None:
    strangers(house, house.world.propose({"web/objects": "a=9", "db/objects": "b=9"}))
    ours = house.world.propose(TWO)
    house.forge.put(2, ours)
    house.look()
    assert "`~1`" in house.row("web", 2)
    assert "queued" not in house.row("web", 2)
    assert house.forge.statuses[ours][0] is CheckConclusion.SUCCESS


def test_the_plan_that_code_of_a_fork_made_is_never_the_one_that_is_applied(house: House) -> None:
    head = house.world.propose(TWO)
    strangers(house, head)
    house.forge.remark(1, "bob-gh", f"holdfast plan {head}")
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    assert house.world.state("web").tracks["pull/1"].consents
    assert "asked about again" in house.heard()[-1].outcome
    house.world.commit({**TWO, "note": "merged"})
    house.forge.put(1, head, state=PullState.MERGED, merged_as=house.world.revision)
    house.look()
    assert house.world.cloud.ledger == []
    anew = house.world.state("web").tracks[MAIN]
    assert anew.proposal is not None
    assert not anew.proposal.strange
    assert anew.consents == ()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    assert house.world.cloud.ledger


def test_a_fork_is_not_applied_before_it_is_merged(tmp_path) -> None:
    house = made(tmp_path, apply_on=ApplyOn.COMMENT)
    head = house.world.propose(TWO)
    strangers(house, head)
    house.forge.remark(1, "bob-gh", f"holdfast plan {head}")
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast apply")
    house.look()
    assert "it is applied once it is merged" in house.heard()[-1].outcome
    assert house.world.cloud.ledger == []


def test_a_new_stack_is_not_applied_by_the_rules_that_it_brings_itself(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = made(tmp_path, apply_on=ApplyOn.COMMENT)
    monkeypatch.setitem(pull_house.PEOPLE, "al-gh", "al")
    monkeypatch.setitem(pull_house.ROLES, "al", (Role(name="apply", rights=frozenset({Right.APPLY})),))
    files = {"web/objects": "a=1", "db/objects": "b=1", "new/objects": "c=1"}
    house.forge.put(1, house.world.propose(files, {"web": {}, "db": {}, "new": {"policy": AUTO}}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "al-gh", "holdfast apply new")
    house.look()
    assert house.world.cloud.ledger == []
    assert house.world.state("new").hold is None


def test_what_somebody_keeps_where_it_is_no_comment_takes_from_there(tmp_path) -> None:
    house = made(tmp_path, apply_on=ApplyOn.COMMENT)
    house.forge.put(1, house.world.propose(TWO))
    house.look()
    kept = Hold(kind=HoldKind.REVISION, revision=house.world.revision, by="carol", at=1.0, reason="an incident")
    append(house.world.outside, StackKey.parse("infra/web"), lambda _: Held(hold=kept), run=0)
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast apply web")
    house.look()
    assert "held by carol: an incident" in house.heard()[-1].outcome
    assert house.world.state("web").hold == kept

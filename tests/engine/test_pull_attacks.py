"""What somebody tries who may open pull requests and write below them, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import pull_house
import pytest
from pull_house import House, made
from world import AUTO

from orchestrator.engine.acts.words import append
from orchestrator.engine.pulls.books import note
from orchestrator.model.event import Held
from orchestrator.model.forge import ApplyOn
from orchestrator.model.observed import Hold, HoldKind
from orchestrator.model.policy import Approvals
from orchestrator.model.pull import PullState
from orchestrator.model.pull_events import ButtonPressed
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


def test_what_strangers_write_has_no_word_of_anybody_heard_twice(house: House) -> None:
    house.forge.put(1, house.world.propose(TWO))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.forge.remark(1, "bob-gh", "holdfast reject")
    house.look()
    words = "\n\n".join(f"holdfast plan stack{number}" for number in range(10))
    for _ in range(51):
        house.forge.remark(1, "mallory", words)
    house.look()
    house.look()
    assert [one.verb for one in house.heard() if one.person] == ["approve", "reject"]
    assert len([one for one in house.heard() if not one.person]) == 51
    assert "rejected by bob" in house.row("web")


def test_who_opened_it_does_not_approve_it_by_writing_another_authors_name_into_the_commit(tmp_path) -> None:
    alone = replace(pull_house.ASKS, approvals=Approvals(required=1, allow_author=False))
    house = made(tmp_path, alone)
    house.world.author = "somebody@else.example"
    house.forge.put(1, house.world.propose(TWO), author="bob-gh")
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    assert "bob opened it" in house.heard()[-1].outcome
    assert house.world.state("web").tracks["pull/1"].consents == ()


def test_what_is_secret_is_hidden_in_checks_and_statuses_as_it_is_in_the_comment(house: House) -> None:
    secret = "pa55-of-the-canary"
    post = house.posts.every()[0]
    desk = replace(post.desk, masker=lambda: lambda text: text.replace(secret, "***"))
    house.posts.replace([replace(post, desk=desk)])
    head = house.world.propose({f"web/{secret}": "x", "web/objects": f"a=2 {secret}=1", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    assert "***" in house.comment()
    assert "***" in house.forge.checks[head, "holdfast"].summary
    assert secret not in repr((house.comment(), house.forge.checks, house.forge.statuses))


def test_a_pull_request_that_breaks_us_costs_the_others_neither_word_nor_hearing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, sources = house.world.propose({"web/objects": "a=9", "db/objects": "b=1"}), house.world.outside.sources
    merged = sources.merged

    def breaking(source, base, head):
        if head == bad:
            raise RecursionError
        return merged(source, base, head)

    monkeypatch.setattr(sources, "merged", breaking)
    house.forge.put(1, bad)
    house.forge.put(2, house.world.propose(TWO))
    house.look()
    assert "HF-9002" in house.comment(1)
    assert "`~1`" in house.row("web", 2)
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast plan")
    house.forge.remark(2, "bob-gh", "holdfast approve")
    house.look()
    assert [one.done for one in house.heard()] == [False, True]
    assert "approved by bob" in house.row("web", 2)


def test_a_plan_that_somebody_said_no_to_after_a_yes_is_not_applied_by_the_merge(house: House) -> None:
    head = house.world.propose(TWO)
    house.forge.put(1, head)
    house.look()
    for word in ("approve", "reject"):
        house.world.sleep(10)
        house.forge.remark(1, "bob-gh", f"holdfast {word} web")
        house.look()
    house.world.commit({**TWO, "note": "merged"})
    house.forge.put(1, head, state=PullState.MERGED, merged_as=house.world.revision)
    house.look()
    assert house.world.cloud.ledger == []


def test_a_button_that_the_forge_tells_of_once_more_was_not_pressed_again(house: House) -> None:
    head = house.world.propose(TWO)
    house.forge.put(1, head)
    house.look()
    pressed = ButtonPressed(delivery="d1", head=head, login="bob-gh", button="replan")
    note(house.world.record, "infra", pressed)
    house.look()
    proposal = house.world.state("web").tracks["pull/1"].proposal
    note(house.world.record, "infra", pressed)
    house.look()
    assert len(house.heard()) == 1
    assert house.world.state("web").tracks["pull/1"].proposal == proposal

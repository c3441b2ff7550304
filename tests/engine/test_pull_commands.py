"""What people write below a pull request is done where they may have it done, and is about what they saw."""

from __future__ import annotations

import pytest
from pull_house import House, made
from world import SOURCE

from orchestrator.engine.outside import read_at
from orchestrator.errors import NoSuchRevision
from orchestrator.model.forge import ApplyOn
from orchestrator.model.pull import PullState
from orchestrator.model.stack import MAIN
from orchestrator.model.verdict import CheckConclusion


@pytest.fixture
def house(tmp_path) -> House:
    return made(tmp_path)


def test_the_plan_that_was_approved_is_the_one_that_is_applied_after_the_merge(house: House) -> None:
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    head = house.world.propose(files)
    house.forge.put(1, head)
    house.look()
    planned = house.world.state("web").tracks["pull/1"].proposal
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve web")
    house.look()
    assert "approved web" in house.comment()
    house.world.commit({**files, "note": "merged"})
    house.forge.put(1, head, state=PullState.MERGED, merged_as=house.world.revision)
    house.look()
    applied = house.world.state("web").applied
    assert [entry[1:] for entry in house.world.cloud.ledger] == [("web.a", "2")] or house.world.cloud.ledger
    assert applied is not None
    assert applied.fingerprint == planned.fingerprint
    started = [one.event.attempt for one in house.world.record.events() if one.event.kind == "apply_started"][-1]
    assert started.proposal.artifact == planned.artifact
    assert started.proposal.track == MAIN
    assert house.forge.statuses[house.world.revision][0] is CheckConclusion.SUCCESS
    assert "1 applied" in house.comment()
    assert "pull/1" not in house.world.state("web").tracks


def test_a_push_that_changes_what_a_stack_would_do_voids_the_yes_and_says_so(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    assert "approved by bob" in house.row("web")
    house.forge.put(1, house.world.propose({"web/objects": "a=3", "db/objects": "b=1"}))
    house.look()
    assert "an earlier yes is void" in house.row("web")
    assert "asks for 1 approval" in house.row("web")


def test_a_push_that_leaves_the_stack_alone_keeps_the_yes(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1", "README": "words"}))
    house.look()
    assert "approved by bob" in house.row("web")


def test_a_yes_from_before_the_last_push_is_no_yes_to_what_was_pushed(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.world.sleep(1)
    house.forge.put(1, house.world.propose({"web/objects": "a=3", "db/objects": "b=1"}))
    house.look()
    assert not house.heard()[-1].done
    assert house.world.state("web").tracks["pull/1"].consents == ()


@pytest.mark.parametrize(
    ("login", "text", "person"),
    [("mallory", "holdfast approve", ""), ("eve-gh", "holdfast approve", "eve")],
)
def test_who_may_not_is_not_obeyed_and_the_record_knows(house: House, login: str, text: str, person: str) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, login, text)
    house.look()
    (event,) = house.heard()
    assert (event.done, event.person, event.login) == (False, person, login)
    assert house.world.state("web").tracks["pull/1"].consents == ()
    assert bool(house.forge.thumbs) == bool(person)
    assert (login in house.comment()) == bool(person)


def test_words_that_somebody_changed_afterwards_are_nobodys(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve", edited=True)
    house.look()
    assert not house.heard()[0].done
    assert house.world.state("web").tracks["pull/1"].consents == ()


def test_a_command_is_heard_once(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    house.look()
    assert len(house.heard()) == 1


def test_of_a_list_that_the_forge_cuts_short_the_rest_is_heard_at_the_next_look(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(1000)
    house.forge.remark(1, "ana-gh", "nice")
    house.world.sleep(2000)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.world.sleep(2000)
    house.forge.most = 1
    house.look()
    assert not house.heard()
    house.forge.most = None
    house.look()
    assert [one.verb for one in house.heard()] == ["approve"]


def test_nothing_of_a_fork_is_planned_before_somebody_says_so_of_that_commit(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head, fork=True)
    house.look()
    assert "needs a trusted yes" in house.row("web")
    assert "pull/1" not in house.world.state("web").tracks
    assert house.forge.statuses[head][0] is CheckConclusion.PENDING
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast plan")
    house.look()
    assert "pull/1" not in house.world.state("web").tracks
    house.forge.remark(1, "bob-gh", f"holdfast plan {head}")
    house.look()
    assert "`~1`" in house.row("web")
    # What is pushed after that is another commit.
    house.forge.put(1, house.world.propose({"web/objects": "a=3", "db/objects": "b=1"}), fork=True)
    house.look()
    assert "needs a trusted yes" in house.row("web")


def test_apply_before_the_merge_holds_the_stack_at_it_until_it_is_merged(tmp_path) -> None:
    house = made(tmp_path, apply_on=ApplyOn.COMMENT)
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    head = house.world.propose(files)
    house.forge.put(1, head)
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast apply web")
    house.look()
    state = house.world.state("web")
    assert state.applied is not None
    assert state.hold is not None
    assert state.applied.revision == state.hold.revision
    done = list(house.world.cloud.ledger)
    assert len(done) == 1
    house.look()
    assert house.world.cloud.ledger == done, "the source's own ref does not take it back"
    house.world.commit({**files, "note": "merged"})
    house.forge.put(1, head, state=PullState.MERGED, merged_as=house.world.revision)
    house.look()
    assert house.world.state("web").hold is None
    assert house.world.cloud.ledger == done
    assert "1 applied" in house.comment()


def test_the_merge_that_a_stack_is_held_at_is_made_anew_on_a_host_that_has_never_seen_it(tmp_path) -> None:
    house = made(tmp_path, apply_on=ApplyOn.COMMENT)
    world = house.world
    house.forge.put(1, world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    world.commit({"web/objects": "a=1", "db/objects": "b=1", "note": "moved on"})
    house.look()
    world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast apply web")
    house.look()
    hold = world.state("web").hold
    assert hold is not None
    del world.written[hold.revision]
    files, _ = world.history.pop(hold.revision)
    there = read_at(world.outside, SOURCE, hold.revision)
    assert there.revision.id == hold.revision
    assert world.history[hold.revision][0] == files
    with pytest.raises(NoSuchRevision):
        read_at(world.outside, SOURCE, "d" * 40)


def test_a_pull_request_that_is_closed_after_its_apply_gives_the_stack_back_to_its_source(tmp_path) -> None:
    house = made(tmp_path, apply_on=ApplyOn.COMMENT)
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast apply")
    house.look()
    house.forge.put(1, head, state=PullState.CLOSED)
    house.look()
    state = house.world.state("web")
    assert state.hold is None
    assert state.tracks[MAIN].proposal is not None, "what it made is planned away, and people are asked"
    assert len(house.world.cloud.ledger) == 1


def test_apply_by_comment_is_refused_where_the_operator_has_said_merge(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast apply")
    house.look()
    assert not house.heard()[0].done
    assert house.world.state("web").hold is None
    assert house.world.cloud.ledger == []


def test_a_no_below_a_pull_request_counts(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast reject web")
    house.look()
    assert "**denied**: rejected by bob" in house.row("web")
    assert house.forge.statuses[head][0] is CheckConclusion.FAILURE


def test_a_place_that_is_given_up_goes_to_the_next(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.forge.put(2, house.world.propose({"web/objects": "a=3", "db/objects": "b=1"}))
    house.look()
    assert "queued" in house.row("web", 2)
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast unlock web")
    house.look()
    assert "queued" not in house.row("web", 2)
    assert "queued: pull request" in house.row("web", 1)


def test_a_draft_has_no_place_in_the_queue(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}), draft=True)
    house.look()
    house.forge.put(2, house.world.propose({"web/objects": "a=3", "db/objects": "b=1"}))
    house.look()
    assert "queued" not in house.row("web", 2)
    assert house.row("web", 2)


def test_plan_below_a_pull_request_plans_anew_and_voids_the_yes(house: House) -> None:
    house.world.cloud.salt = 1
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    first = house.world.state("web").tracks["pull/1"].proposal
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast plan web")
    house.look()
    second = house.world.state("web").tracks["pull/1"].proposal
    assert first is not None
    assert second is not None
    assert second.number > first.number


def test_a_stack_that_a_pull_request_does_not_touch_is_not_its_to_command(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve db")
    house.look()
    assert not house.heard()[0].done
    assert "it touches no stack db; it touches web" in house.comment()

"""Pull requests in a world of values: planned beside the source, applied through it, told to reviewers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from forge import Forge
from world import AUTO, SOURCE, World

from orchestrator.engine.dispatch import Dispatch
from orchestrator.engine.post import Post, Posts, row_of
from orchestrator.engine.pulls.desk import LOOK, ApplyOn, Desk, row_of_pulls
from orchestrator.engine.pulls.looking import due_of_pulls
from orchestrator.engine.tending import Halt, Tender
from orchestrator.errors import ForgeAway
from orchestrator.model.policy import Approvals, Mode
from orchestrator.model.pull import Candidate, PullState
from orchestrator.model.pull_events import PullHeard
from orchestrator.model.stack import MAIN
from orchestrator.model.verdict import CheckConclusion
from orchestrator.ports import Due, Level
from orchestrator.rules.rights import Identity, Right, Role

ASKS = replace(AUTO, mode=Mode.PROPOSE, approvals=Approvals(required=1))
PEOPLE = {"bob-gh": "bob", "eve-gh": "eve"}
ROLES = {
    "bob": (Role(name="all", rights=frozenset(Right)),),
    "eve": (Role(name="look", rights=frozenset({Right.VIEW})),),
}


class Journal:
    def __init__(self) -> None:
        self.lines: list[tuple[Level, str, dict[str, object]]] = []

    def say(self, level: Level, what: str, **about: object) -> None:
        self.lines.append((level, what, about))


class House:
    """The service's loop without its threads: whatever is due is done, one after the other, until nothing is."""

    def __init__(self, world: World, *, apply_on: ApplyOn = ApplyOn.MERGE) -> None:
        self.world, self.forge, self.journal = world, Forge(world.now), Journal()
        desk = Desk(forge=self.forge, whois=self.whois, mask=lambda text: text, base="main", apply_on=apply_on)
        post = Post(source=replace(SOURCE, every_s=60.0), outside=world.outside, desk=desk)
        self.posts = Posts([post])
        self.dispatch = Dispatch(self.posts, world.outside.agenda, world, self.journal)
        self.tender = Tender(self.posts, Halt(), on_action=self.dispatch.notice)
        self.dispatch.begin()

    def whois(self, login: str) -> Identity | None:
        name = PEOPLE.get(login)
        return Identity(name=name, roles=ROLES[name]) if name else None

    def rest(self) -> None:
        """Do what is due, and what that makes due within the minute."""
        agenda = self.world.outside.agenda
        idle = 0
        for _ in range(200):
            due = agenda.take(self.world.now(), lambda _: True)
            if due is None:
                if idle == 3:
                    return
                idle += 1
                self.world.sleep(1.0)
                continue
            if due.stack == row_of_pulls("infra"):
                agenda.rest(self.dispatch._see_to_pulls(due, self.tender))
            elif due.stack == row_of("infra"):
                agenda.rest(self.dispatch._look(due, self.tender))
            else:
                agenda.rest(self.dispatch._tend(due, self.tender))
        raise AssertionError(self.journal.lines[-10:])

    def look(self) -> None:
        """Have source and forge looked at, and all that follows done."""
        self.world.sleep(30)
        self.world.outside.agenda.nudge(
            Due(stack=row_of("infra"), track="", at=self.world.now(), why="test"),
            due_of_pulls("infra", self.world.now(), "test"),
        )
        self.rest()

    def comment(self, number: int = 1) -> str:
        return self.forge.comments[number][-1]

    def row(self, stack: str, number: int = 1) -> str:
        """Return what the table says of a stack, empty where it does not name it."""
        rows = [line for line in self.comment(number).splitlines() if line.startswith("|") and f"`{stack}`" in line]
        return rows[0] if rows else ""

    def heard(self) -> list[PullHeard]:
        return [one.event for one in self.world.record.events() if isinstance(one.event, PullHeard)]


def made(tmp_path, policy=ASKS, **more) -> House:
    world = World(tmp_path, policy)
    world.commit({"web/objects": "a=1", "db/objects": "b=1"}, {"web": {}, "db": {}})
    for name in ("web", "db"):
        world.settle(name)
        if policy is not AUTO:
            world.approve(name)
            world.settle(name)
    house = House(world, **more)
    house.rest()
    world.cloud.ledger.clear()
    return house


@pytest.fixture
def house(tmp_path) -> House:
    return made(tmp_path)


def test_what_a_pull_request_touches_is_planned_and_told_and_nothing_is_applied(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    assert "`~1`" in house.row("web")
    assert not house.row("db")
    assert house.world.cloud.ledger == []
    assert "pull/1" in house.world.state("web").tracks
    assert house.world.state("web").tracks[MAIN].proposal is None if MAIN in house.world.state("web").tracks else True
    assert house.forge.statuses[head][0] is CheckConclusion.SUCCESS


def test_what_is_known_is_not_asked_or_told_again(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    house.forge.calls.clear()
    before = (len(house.world.record.events()), len(house.world.record.runs()))
    house.look()
    assert house.forge.calls == ["pulls", "remarks"]
    assert (len(house.world.record.events()), len(house.world.record.runs())) == before


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
    house.forge.remark(1, "bob-gh", f"holdfast plan {head[:12]}")
    house.look()
    assert "`~1`" in house.row("web")
    # What is pushed after that is another commit.
    house.forge.put(1, house.world.propose({"web/objects": "a=3", "db/objects": "b=1"}), fork=True)
    house.look()
    assert "needs a trusted yes" in house.row("web")


def test_two_pull_requests_on_one_stack_queue_and_the_second_is_planned_again_by_itself(house: House) -> None:
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    first = house.world.propose(files)
    house.forge.put(1, first)
    house.look()
    unchanged = {"web/objects": "a=1", "db/objects": "b=1"}
    second = house.world.propose(unchanged, {"web": {"inputs": {"size": "9"}}, "db": {}})
    house.forge.put(2, second)
    house.look()
    assert "queued: pull request" in house.row("web", 2)
    assert house.forge.statuses[second][0] is CheckConclusion.PENDING
    assert "`~1`" in house.row("web", 1)
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    house.world.commit({**files, "note": "merged"})
    house.forge.put(1, first, state=PullState.MERGED, merged_as=house.world.revision)
    house.look()
    assert "1 applied" in house.comment(1)
    house.look()
    assert house.row("web", 2)
    assert "queued" not in house.row("web", 2)
    assert house.forge.statuses[second][0] is CheckConclusion.SUCCESS


def test_what_conflicts_is_said(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.world.commit({"web/objects": "a=7", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    assert "conflicts in web/objects" in house.comment()
    assert house.forge.statuses[head][0] is CheckConclusion.FAILURE


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


FEEDS = {"net": {}, "app": {"inputs": {"cidr": "${output:net.a}"}}}


def feeding(tmp_path) -> House:
    world = World(tmp_path, AUTO)
    world.commit({"net/objects": "a=1 z=1", "app/objects": "b=1"}, FEEDS)
    for name in ("net", "app"):
        world.settle(name)
    house = House(world)
    house.rest()
    return house


def test_what_reads_an_output_that_would_change_is_deferred_and_nothing_is_invented(tmp_path) -> None:
    house = feeding(tmp_path)
    head = house.world.propose({"net/objects": "a=2 z=1", "app/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    assert "`~1`" in house.row("net")
    assert "deferred: waits for net.a" in house.row("app")
    assert house.world.state("app").tracks.get("pull/1") is None
    assert house.forge.statuses[head][1].startswith("1 deferred")
    assert house.forge.checks[head, "holdfast"].conclusion is CheckConclusion.NEUTRAL


def test_what_reads_an_output_that_stays_is_no_news(tmp_path) -> None:
    house = feeding(tmp_path)
    house.forge.put(1, house.world.propose({"net/objects": "a=1 z=2", "app/objects": "b=1"}))
    house.look()
    assert "`~1`" in house.row("net")
    assert not house.row("app")


def test_a_pull_request_cannot_allow_itself_more_than_its_base_does(house: House) -> None:
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    head = house.world.propose(files, {"web": {"policy": AUTO}, "db": {}})
    house.forge.put(1, head)
    house.look()
    proposal = house.world.state("web").tracks["pull/1"].proposal
    assert proposal is not None
    assert "asks for 1 approval" in house.comment()
    assert house.world.cloud.ledger == []


def test_a_stack_that_its_base_does_not_know_asks_and_has_no_key(house: House) -> None:
    files = {"web/objects": "a=1", "db/objects": "b=1", "new/objects": "c=1"}
    house.forge.put(1, house.world.propose(files, {"web": {}, "db": {}, "new": {"policy": AUTO}}))
    house.look()
    assert "`+1`" in house.row("new")
    assert "asks for 1 approval" in house.comment()


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


def test_a_forge_that_does_not_answer_is_asked_later_and_the_source_goes_on(house: House) -> None:
    house.forge.failing = ForgeAway("no answer", until=house.world.now() + 500)
    house.look()
    rows = [one for one in house.world.outside.agenda.waiting() if one.stack == row_of_pulls("infra")]
    (row,) = [one for one in rows if one.track == LOOK]
    assert row.at > house.world.now() + 400
    house.forge.failing = None
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    assert "`~1`" in house.row("web")


def test_what_cannot_be_told_is_told_once_the_forge_takes_it(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    kept, house.forge.say = house.forge.say, _refusing
    house.look()
    assert house.forge.comments == {}
    house.forge.say = kept
    house.world.sleep(60)
    house.rest()
    assert "`~1`" in house.row("web")


def _refusing(number: int, body: str, *, marker: str, known: str = "") -> str:
    raise ForgeAway("busy")


def test_another_worker_in_the_same_world_knows_everything(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    house.world.sleep(10)
    house.forge.remark(1, "bob-gh", "holdfast approve")
    house.look()
    said = len(house.forge.comments[1])
    house.world.restart()
    again = House(house.world)
    again.forge = house.forge
    again.posts.replace([replace(house.posts.every()[0], outside=house.world.outside)])
    again.forge.calls.clear()
    again.look()
    assert "say" not in again.forge.calls
    assert len(house.forge.comments[1]) == said
    assert len(again.heard()) == 1


def test_a_merge_queue_passes_what_was_reviewed_and_stops_what_was_not(house: House) -> None:
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    house.forge.put(1, house.world.propose(files))
    house.look()
    as_reviewed = house.world.propose({**files, "README": "put together"})
    another = house.world.propose({"web/objects": "a=2 b=2", "db/objects": "b=1"})
    house.forge.queue = [
        Candidate(head=as_reviewed, ref="refs/heads/queue/1", pull=1),
        Candidate(head=another, ref="refs/heads/queue/2", pull=1),
    ]
    house.look()
    assert house.forge.statuses[as_reviewed][0] is CheckConclusion.SUCCESS
    assert house.forge.statuses[another][0] is CheckConclusion.FAILURE
    house.forge.calls.clear()
    house.look()
    assert "status" not in house.forge.calls

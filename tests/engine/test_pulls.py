"""Pull requests in a world of values: planned beside the source, applied through it, told to reviewers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pull_house import House, made
from world import AUTO, SOURCE, World

from orchestrator.engine.pulls.books import note
from orchestrator.engine.pulls.desk import LOOK, row_of_pulls
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.tending import Halt, Tender
from orchestrator.errors import ForgeAway
from orchestrator.model.pull import Candidate, Pull, PullState
from orchestrator.model.pull_events import ButtonPressed
from orchestrator.model.stack import MAIN
from orchestrator.model.verdict import CheckConclusion
from orchestrator.ports import Due, ForgeTraits
from orchestrator.rules.pace import ALONE_S


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


def test_a_forge_that_does_not_answer_is_asked_later_and_the_source_goes_on(house: House) -> None:
    house.forge.failing = ForgeAway("no answer", until=house.world.now() + 500)
    house.look()
    rows = [one for one in house.world.outside.agenda.waiting() if one.stack == row_of_pulls("infra")]
    (row,) = [one for one in rows if one.track == LOOK]
    assert row.at > house.world.now() + 400
    house.forge.failing = None
    house.forge.calls.clear()
    house.look()
    assert house.forge.calls == [], "a knock is no reason to ask it before that"
    house.world.sleep(600)
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


def test_what_every_worker_dies_of_is_left_alone_and_its_stack_goes_on(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.look()
    due = Due(stack="infra/web@default", track="pull/1", at=house.world.now(), why="", deaths=3)
    tended = house.tender.tend(due)
    assert "died, 3 times in a row" in tended.trouble
    assert tended.next.at >= house.world.now_ + ALONE_S - 1
    assert not house.world.record.gates()[1]


def test_an_attempt_that_was_left_on_this_host_is_not_forgotten_over_a_pull_request(house: House) -> None:
    house.forge.put(1, house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    house.tender._leave("infra/web@default", float("inf"))
    house.look()
    assert "`~1`" in house.row("web")
    (left,) = house.tender.left(float("inf"))
    assert (left.stack, left.track) == ("infra/web@default", MAIN)


def test_nothing_is_left_of_a_pull_request_that_is_over_but_what_the_record_says(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    house.forge.put(1, head, state=PullState.CLOSED)
    house.look()
    tracks = {one.track for one in house.world.outside.agenda.waiting() if one.stack == "infra/web@default"}
    assert tracks <= {MAIN}
    assert not house.world.record.recollect("pulls told")
    assert not house.world.record.recollect("pulls touched")


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
    house.forge.queue = []
    house.look()
    assert not house.world.record.recollect("pulls judged"), "what is queued no more is forgotten"


def test_whichever_host_tells_knows_what_another_saw_in_the_merge_queue(house: House) -> None:
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    house.forge.put(1, house.world.propose(files))
    house.look()
    tried = house.world.propose({**files, "README": "put together"})
    house.forge.queue = [Candidate(head=tried, ref="refs/heads/queue/1", pull=1)]
    (post,) = house.posts.every()
    base, other = house.tender.newest(post), Tender(house.posts, Halt())
    house.tender.pulls(post).look(base)
    other.pulls(post).tell(base)
    assert house.forge.statuses[tried][0] is CheckConclusion.SUCCESS


def test_what_a_pull_request_proposes_is_read_once_however_many_stacks_of_it_are_worked_at_once(house: House) -> None:
    world, pull = house.world, Pull(number=1, head=house.world.propose({"web/objects": "a=2", "db/objects": "b=1"}))
    base, proposed, asked = world.reading(), Proposed(), []
    everybody, merged = threading.Barrier(8), world.merged

    def counted(*args):
        asked.append(args)
        return merged(*args)

    def read(_: int):
        everybody.wait(timeout=30)
        return proposed.read(world.outside, SOURCE, base, pull)

    world.merged = counted
    world.restart()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(8)))
    assert len(asked) == 1
    assert all(one == found[0] for one in found)


def test_a_pull_request_of_fifty_stacks_costs_its_forge_ten_calls_at_most(tmp_path) -> None:
    world = World(tmp_path, AUTO)
    stacks = {f"s{number}": {} for number in range(50)}
    world.commit({f"{name}/objects": "a=1" for name in stacks}, stacks)
    house = House(world)
    house.rest()
    house.forge.calls.clear()
    house.forge.put(1, world.propose({f"{name}/objects": "a=2" for name in stacks}))
    house.look()
    assert house.row("s49")
    # The first word costs a look for a comment of ours that is there already, the candidates of the queue one more.
    assert len(house.forge.calls) + 2 <= 10, house.forge.calls
    assert house.forge.calls.count("say") == 2


def test_who_presses_a_button_may_have_it_planned_again_and_no_more(house: House) -> None:
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    first = house.world.state("web").tracks["pull/1"].proposal
    for delivery, login, button in (("d1", "bob-gh", "replan"), ("d2", "bob-gh", "apply"), ("d3", "mallory", "replan")):
        note(house.world.record, "infra", ButtonPressed(delivery=delivery, head=head, login=login, button=button))
    note(house.world.record, "infra", ButtonPressed(delivery="d4", head="e" * 40, login="bob-gh", button="replan"))
    house.look()
    assert [(event.remark, event.done) for event in house.heard()] == [
        ("d1", True),
        ("d2", False),
        ("d3", False),
        ("d4", False),
    ]
    second = house.world.state("web").tracks["pull/1"].proposal
    assert first is not None
    assert second is not None
    assert second.number == first.number + 1
    house.look()
    assert len(house.heard()) == 4


def test_a_forge_without_checks_is_told_each_environment_and_the_whole_once(house: House) -> None:
    house.forge.traits = ForgeTraits(checks=False, comment_limit=65_535)
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    # The stacks have no environment: the one status says it all, and no check overwrites it.
    assert house.forge.statuses[head][0] is CheckConclusion.SUCCESS
    assert house.forge.checks == {}

"""Why an apply was made is in the record with the attempt, whoever dies and whatever the source cannot say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_pulls import made as house_of
from world import AUTO, SOURCE, World

from orchestrator.engine.intents import intent_behind, intent_of
from orchestrator.engine.renaming import follow_renames
from orchestrator.engine.survey import Survey
from orchestrator.engine.watch import read_source
from orchestrator.errors import ForgeError, RecordAway, SourceUnreachable
from orchestrator.model.commit import Commit
from orchestrator.model.event import ApplyStarted
from orchestrator.model.intent import Basis, Intended, Purpose, YesNote
from orchestrator.model.policy import Approvals, Mode
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.pull_events import PullEnded, PullSeen
from orchestrator.model.stack import StackKey
from orchestrator.rules.following import Book, follow

SAID = Commit(
    id="",
    author="Ana",
    email="ana@acme.example",
    message="Open the port (#12)",
    trailers=(("Deploy-Intent", "hotfix"), ("Incident", "INC-481")),
)
ASKS = replace(AUTO, mode=Mode.PROPOSE, approvals=Approvals(required=1))


@pytest.fixture
def world(tmp_path) -> World:
    made = World(tmp_path)
    made.said = SAID
    made.commit({"web/objects": "a=1"})
    return made


def intended(world: World, name: str = "web") -> list[Intended]:
    entries = world.record.events(stack=f"infra/{name}@default", limit=100_000)
    return [entry.event for entry in entries if isinstance(entry.event, Intended)]


def asked(world: World, name: str = "web"):
    found = Survey(world.outside, world.reading()).look(StackKey(source="infra", name=name))
    assert found
    return found


def test_an_attempt_begins_together_with_why_it_is_made(world: World) -> None:
    world.settle()
    (said,) = intended(world)
    assert (said.attempt, said.run) == (1, world.state().applied.run)
    intent = said.intent
    assert (intent.purpose, intent.basis, intent.incidents) == (Purpose.HOTFIX, Basis.TRAILER, ("INC-481",))
    assert (intent.revision, intent.since, intent.by, intent.verb) == (world.revision, "", "user:ana", "apply")
    assert [(pull.number, pull.known) for pull in intent.pulls] == [(12, False)]
    kinds = [entry.event.kind for entry in world.record.events(stack="infra/web@default")]
    assert kinds.index("intended") == kinds.index("apply_started") + 1
    assert intent_behind(world.outside, asked(world)) == said


def test_what_is_proposed_is_explained_before_it_is_applied(tmp_path) -> None:
    world = World(tmp_path, ASKS)
    world.said = SAID
    world.commit({"web/objects": "a=1"})
    world.settle()
    found = asked(world)
    assert intent_behind(world.outside, found) is None
    proposal = found.state.tracks["main"].proposal
    assert intent_of(world.outside, found, proposal, None).incidents == ("INC-481",)
    assert intended(world) == []


def test_who_said_yes_is_kept_with_it(tmp_path) -> None:
    world = World(tmp_path, ASKS)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.approve(by="bob")
    at = world.now_
    world.settle()
    (said,) = intended(world)
    assert [one.by for one in said.intent.approvals] == ["bob"]
    assert isinstance(said.intent.approvals[0], YesNote)
    assert said.intent.approvals[0].at <= at
    # A folder has no commits: people are all that is known.
    assert (said.intent.commits, said.intent.purpose, said.intent.basis) == ((), Purpose.ROUTINE, Basis.SILENCE)


def test_an_apply_goes_on_where_the_source_cannot_say_why(world: World) -> None:
    def away(*_: object) -> None:
        raise SourceUnreachable("no route\x1b[2J to host")

    world.commits = away
    world.restart()
    world.settle()
    (said,) = intended(world)
    assert said.intent.unread == "HF-3001 no route [2J to host"
    assert world.state().applied.attempt == 1


def test_where_the_record_is_away_nothing_begins(world: World) -> None:
    world.settle("web", mode=Mode.OBSERVE)

    def away(*_: object) -> None:
        raise RecordAway("the record does not answer")

    world.commits = away
    world.restart()
    with pytest.raises(RecordAway):
        world.settle()
    assert not [one for one in world.record.events() if isinstance(one.event, ApplyStarted)]


def test_going_back_and_putting_back_drift_say_so(world: World) -> None:
    world.settle()
    world.said = None
    before = world.revision
    world.commit({"web/objects": "a=2"})
    world.settle()
    world.hold("web", before)
    world.settle()
    back = intended(world)[-1].intent
    assert (back.purpose, back.basis, back.undone) == (Purpose.ROLLBACK, Basis.HISTORY, 1)
    assert (back.revision, back.since) == (before, intended(world)[-2].intent.revision)


def test_a_stack_under_a_new_name_still_knows_why_it_was_applied(tmp_path) -> None:
    world = World(tmp_path)
    world.said = SAID
    world.commit({"net/objects": "a=1"}, {"net": {}})
    world.settle("net")
    world.commit({"core/objects": "a=1"}, {"core": {"moved_from": "net"}})
    read_source(world.outside, SOURCE)
    follow_renames(world.outside, world.reading(), 0)
    found = intent_behind(world.outside, asked(world, "core"))
    assert found is not None
    assert found.intent.incidents == ("INC-481",)


def test_the_pull_request_that_brought_it_is_named_with_who_approved_of_it(tmp_path) -> None:
    house = house_of(tmp_path)
    world, forge = house.world, house.forge
    world.said = SAID
    files = {"web/objects": "a=2", "db/objects": "b=1"}
    head = world.propose(files)
    forge.put(12, head, title="Open\u202e the port", url="https://git.example.org/12")
    house.look()
    world.sleep(10)
    forge.remark(12, "bob-gh", "holdfast approve web")
    house.look()
    forge.approving[12, head] = ("ana-gh", "cy-gh")
    world.commit({**files, "note": "merged"})
    forge.put(12, head, state=PullState.MERGED, merged_as=world.revision, merged_at=5.0)
    house.look()
    (pull,) = intended(world)[-1].intent.pulls
    assert (pull.number, pull.title, pull.author, pull.known, pull.merged_at) == (
        12,
        "Open the port",
        "ana-gh",
        True,
        5.0,
    )
    # Ana opened it: her own yes says nothing.
    assert pull.approvers == ("cy-gh",)
    assert [one.by for one in intended(world)[-1].intent.approvals] == ["bob"]


def test_a_forge_that_will_not_say_who_approved_stops_nobody(tmp_path) -> None:
    house = house_of(tmp_path)
    head = house.world.propose({"web/objects": "a=2", "db/objects": "b=1"})
    house.forge.put(1, head)
    house.look()
    house.forge.approving[1, head] = ForgeError("not for you", code="HF-4702")
    house.forge.put(1, head, state=PullState.MERGED, merged_as=head)
    house.look()
    seen = [one.event.pull for one in house.world.record.events() if isinstance(one.event, PullSeen)]
    assert (seen[-1].state, seen[-1].approvers) == (PullState.MERGED, ())


def test_the_book_knows_merged_pull_requests_after_they_are_over_and_no_end_of_them() -> None:
    book = Book()
    for number in range(1, 400):
        merged = Pull(number=number, head=f"h{number}", merged_as=f"m{number}", state=PullState.MERGED)
        for event in (PullSeen(pull=merged), PullEnded(pull=number)):
            book = follow(book, event, float(number))
    book = follow(book, PullSeen(pull=Pull(number=500, head="h500")), 500.0)
    assert [one.number for one in book.brought({"m399", "h398", "h500"})] == [398, 399, 500]
    assert book.brought({"", "m1"}) == ()
    assert len(book.merged) == 200

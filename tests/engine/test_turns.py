"""Whose turn it is: of a commit every plan is seen before policy by itself applies the first, save what others await."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import SOURCE, World

from orchestrator.engine.post import Post, Posts, row_of
from orchestrator.engine.tending import Halt, Tended, Tender
from orchestrator.model.action import Apply, MakePlan, Reason
from orchestrator.model.stack import StackKey
from orchestrator.ports import Due


class Turns:
    """A service's only worker, one turn after the other."""

    def __init__(self, world: World) -> None:
        self.world, self.did = world, list[tuple[str, type]]()
        posts = Posts([Post(source=replace(SOURCE, every_s=60.0), outside=world.outside)])
        self.tender = Tender(posts, Halt(), on_action=self.notice)
        world.record.look(row_of("infra"), replace(world.record.row("x").looks, revision=world.revision))

    def notice(self, key: StackKey, action: object, _: int) -> None:
        if isinstance(action, MakePlan | Apply):
            self.did.append((key.name, type(action)))

    def nudge(self, *names: str, priority: int = 10) -> None:
        now = self.world.now()
        dues = (Due(stack=f"infra/{n}@default", track="main", at=now, why="pushed", priority=priority) for n in names)
        self.world.outside.agenda.nudge(*dues)

    def take(self) -> Due:
        taken = self.world.outside.agenda.take(self.world.now())
        assert taken
        return taken

    def turn(self) -> Tended:
        tended = self.tender.tend(self.take())
        assert not tended.trouble
        self.world.outside.agenda.rest(tended.next)
        return tended

    def all_of_them(self) -> list[tuple[str, type]]:
        while any(one.at <= self.world.now() for one in self.world.outside.agenda.waiting()):
            self.turn()
        return self.did


def committed(world: World, stacks: dict[str, dict]) -> Turns:
    world.commit({f"{name}/objects": "a=1" for name in stacks}, stacks)
    turns = Turns(world)
    turns.nudge(*stacks)
    return turns


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_every_stack_of_a_commit_is_planned_before_policy_applies_the_first(world: World) -> None:
    did = committed(world, {"a": {}, "b": {}, "c": {}}).all_of_them()
    assert [kind for _, kind in did] == [MakePlan] * 3 + [Apply] * 3
    assert sorted(name for name, _ in did) == sorted("abc" * 2)


def test_who_gives_way_says_so_and_is_applied_in_its_next_turn_whoever_waits(world: World) -> None:
    turns = committed(world, {"a": {}, "b": {}})
    gave_way = turns.turn()
    assert gave_way.rest
    assert gave_way.rest.reason is Reason.DEFERRED
    assert "is planned" in gave_way.rest.why
    assert gave_way.next.at <= world.now()
    # The other one still waits.
    turns.tender.tend(gave_way.next)
    assert turns.did == [("a", MakePlan), ("a", Apply)]


def test_what_came_due_later_is_not_given_way_to(world: World) -> None:
    turns = committed(world, {"a": {}, "b": {}})
    taken = turns.take()
    turns.tender.tend(replace(taken, at=taken.at - 1.0))
    assert turns.did == [("a", MakePlan), ("a", Apply)]


def test_who_has_been_due_for_a_minute_gives_way_no_more(world: World) -> None:
    turns = committed(world, {"a": {}, "b": {}})
    world.now_ += 60
    turns.turn()
    assert turns.did == [("a", MakePlan), ("a", Apply)]


def test_a_look_for_drift_is_not_given_way_to(world: World) -> None:
    world.commit({"a/objects": "a=1", "b/objects": "b=1"}, {"a": {}, "b": {}})
    turns = Turns(world)
    turns.nudge("a")
    turns.nudge("b", priority=20)
    turns.turn()
    assert turns.did == [("a", MakePlan), ("a", Apply)]


def test_what_others_wait_for_is_applied_at_once(world: World) -> None:
    after = {"depends_on": (StackKey(source="infra", name="net"),)}
    turns = committed(world, {"net": {}, "other": {}, "web": after})
    did = turns.all_of_them()
    assert did[:2] == [("net", MakePlan), ("net", Apply)]
    assert did.index(("web", MakePlan)) < did.index(("other", Apply))

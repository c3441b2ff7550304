"""The service's loop over a world of values and a forge in memory, turned by hand."""

from __future__ import annotations

from dataclasses import replace

from forge import Forge
from world import AUTO, SOURCE, World

from orchestrator.engine.dispatch import Dispatch
from orchestrator.engine.post import Post, Posts, row_of
from orchestrator.engine.pulls.desk import Desk, row_of_pulls
from orchestrator.engine.pulls.looking import due_of_pulls
from orchestrator.engine.tending import Halt, Tender
from orchestrator.model.forge import ApplyOn
from orchestrator.model.policy import Approvals, Mode
from orchestrator.model.pull_events import PullHeard
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
        desk = Desk(
            forge=self.forge, whois=self.whois, masker=lambda: lambda text: text, base="main", apply_on=apply_on
        )
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

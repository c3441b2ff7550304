"""What a service does about stacks that have nothing to do: it says when to look again, and works none of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from ticking import Crash
from world import AUTO, SOURCE, World

from orchestrator.engine.watch import Watch
from orchestrator.model.action import Reason
from orchestrator.model.policy import DriftPolicy
from orchestrator.model.stack import StackKey
from orchestrator.ports import Due

NAMES = ("a", "b", "c")
FILES = {f"{name}/objects": "x=1" for name in NAMES}
EVERY_S = 3600.0


def key(name: str) -> StackKey:
    return StackKey(source="infra", name=name)


def rows(world: World) -> dict[str, Due]:
    return {StackKey.parse(due.stack).name: due for due in world.outside.agenda.waiting()}


@pytest.fixture
def world(tmp_path) -> World:
    """Three stacks at rest that were looked at just now."""
    made = World(tmp_path, replace(AUTO, drift=DriftPolicy(every_s=EVERY_S)))
    made.commit(FILES, {name: {} for name in NAMES})
    for name in NAMES:
        assert made.settle(name).rest.reason is Reason.CONVERGED
        made.sleep(100)
        made.settle(name)
    return made


def test_a_service_that_begins_over_stacks_at_rest_only_says_when_they_are_looked_at_again(world):
    before = len(world.cloud.ledger), world.record.head()
    assert Watch(world.outside, SOURCE).look()[1] == frozenset()
    found = rows(world)
    assert found.keys() == set(NAMES)
    for name in NAMES:
        looked_at = world.record.row(f"infra/{name}@default").looks.drift_at
        left = looked_at + EVERY_S - world.now_
        # A tenth at most is added, so that they do not come due together.
        assert left - 1 <= found[name].at - world.now_ <= left * 1.1 + 1
    assert (len(world.cloud.ledger), world.record.head()) == before
    assert world.outside.agenda.take(world.now()) is None


def test_the_date_that_a_stack_has_already_is_not_pushed_back(world):
    sooner = Due(stack="infra/a@default", track="main", at=world.now() + 60.0, why="somebody wants to know")
    world.outside.agenda.nudge(sooner)
    Watch(world.outside, SOURCE).look()
    assert rows(world)["a"] == sooner


def test_what_changed_while_nobody_watched_is_due_at_once(world):
    world.commit({**FILES, "b/objects": "x=2"}, {name: {} for name in NAMES})
    assert Watch(world.outside, SOURCE).look()[1] == {key("b")}
    taken = world.outside.agenda.take(world.now())
    assert taken
    assert taken.stack == "infra/b@default"


def test_drift_that_is_overdue_is_looked_for_at_once(world):
    world.sleep(2 * EVERY_S)
    assert Watch(world.outside, SOURCE).look()[1] == {key(name) for name in NAMES}


def test_an_attempt_that_somebody_died_of_is_looked_after_at_once(world):
    for at in range(1, 100):
        world.commit({**FILES, "c/objects": f"x={at}0"}, {name: {} for name in NAMES})
        world.effects.count, world.effects.crash_at = 0, at
        with suppress(Crash):
            world.settle("c")
        world.restart()
        if world.state("c").applying:
            break
    assert world.state("c").applying
    # As asked for again: only the attempt itself is left to be seen to.
    world.commit(FILES, {name: {} for name in NAMES})
    assert Watch(world.outside, SOURCE).look()[1] == {key("c")}


def test_a_stack_that_names_a_secret_is_due_because_no_store_is_asked_for_all_of_them(world, monkeypatch):
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(world, "versions", lambda names: asked.append(tuple(names)) or {})
    files = {**FILES, "d/objects": "y=${in.p}"}
    stacks = {**{name: {} for name in NAMES}, "d": {"inputs": {"p": "${secret:db/password}"}}}
    world.commit(files, stacks)
    assert Watch(world.outside, SOURCE).look()[1] == {key("d")}
    assert not any(asked)


def test_a_stack_that_cannot_even_be_looked_at_is_due_and_costs_the_others_nothing(world, monkeypatch):
    row = world.record.row

    def breaks(self, stack):
        if stack == "infra/b@default":
            raise ZeroDivisionError
        return row(stack)

    monkeypatch.setattr(type(world.record), "row", breaks)
    assert Watch(world.outside, SOURCE).look()[1] == {key("b")}

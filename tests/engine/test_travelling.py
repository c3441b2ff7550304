"""What an adapter keeps for a stack is where the stack is worked, whichever host that is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from world import World

from orchestrator.model.policy import Mode
from orchestrator.model.stack import StackKey


@pytest.fixture
def world(tmp_path) -> World:
    made = World(tmp_path)
    made.commit({"web/objects": "a=1"})
    made.outside = replace(made.outside, shared=True)
    return made


def kept(world: World) -> Path:
    return world.home / "work" / "web" / "kept"


def elsewhere(world: World) -> None:
    """Another host: nothing that this one has on its disk is there."""
    shutil.rmtree(world.home / "work" / "web")


def test_a_host_that_never_saw_a_stack_has_what_the_last_one_kept(world: World) -> None:
    world.settle()
    (kept(world) / "folder").mkdir()
    (kept(world) / "folder" / "memory").write_text("of an apply")
    world.commit({"web/objects": "a=2"})
    world.settle()
    elsewhere(world)
    world.commit({"web/objects": "a=3"})
    world.settle()
    assert (kept(world) / "folder" / "memory").read_text() == "of an apply"
    assert (kept(world) / "folder" / "memory").stat().st_mode & 0o777 == 0o600


def test_what_a_host_has_learned_since_stays_where_nobody_else_was_at_it(world: World) -> None:
    world.settle()
    (kept(world) / "news").write_text("of a look")
    world.commit({"web/objects": "a=2"})
    world.worker(mode=Mode.OBSERVE).settle(StackKey(source="infra", name="web"))
    assert (kept(world) / "news").exists()


def test_what_another_host_recorded_later_counts_and_what_lay_here_can_be_found_again(world: World) -> None:
    world.settle()
    old = world.home / "old"
    shutil.copytree(world.home / "work" / "web", old)
    (kept(world) / "later").write_text("there")
    world.commit({"web/objects": "a=2"})
    world.settle()
    elsewhere(world)
    shutil.copytree(old, world.home / "work" / "web")
    (kept(world) / "mine").write_text("only here")
    before = {path.name for path in (world.home / "artifacts").rglob("*") if path.is_file()}
    world.commit({"web/objects": "a=3"})
    world.settle()
    assert (kept(world) / "later").read_text() == "there"
    assert not (kept(world) / "mine").exists()
    assert {path.name for path in (world.home / "artifacts").rglob("*") if path.is_file()} - before

"""A stack under a new name: what it made goes along, and nothing is made twice, whoever dies on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from ticking import Crash
from world import AUTO, SOURCE, World

from orchestrator.engine.former import as_of, now_called
from orchestrator.engine.renaming import follow_renames, forget, move
from orchestrator.engine.survey import Survey
from orchestrator.engine.watch import read_source
from orchestrator.errors import Conflict
from orchestrator.model.action import Reason
from orchestrator.model.event import Forgotten, Held
from orchestrator.model.observed import Hold, HoldKind
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import Stray

NET, CORE = StackKey(source="infra", name="net"), StackKey(source="infra", name="core")


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, AUTO)
    made.commit({"net/objects": "a=1"}, {"net": {}})
    assert made.settle("net").rest.reason is Reason.CONVERGED
    return made


def rename(world: World, **core) -> None:
    """Call the stack ``core`` from the next revision on."""
    world.commit({"core/objects": "a=1 b=2"}, {"core": core})
    read_source(world.outside, SOURCE)


def created(world: World) -> Counter[str]:
    return Counter(name.rpartition(":")[2] for _, verb, name in world.cloud.ledger if verb == "create")


def carry(world: World) -> bool:
    return move(world.outside, SOURCE, (NET, CORE), 0)


def test_a_new_name_beside_a_vanished_one_waits_and_says_what_to_do(world):
    rename(world)
    rest = world.settle("core").rest
    assert rest.reason is Reason.GATED
    for way in ("moved_from: net", "holdfast mv net core", "holdfast forget net", "--accept-duplicates", "HF-4014"):
        assert way in rest.why
    assert created(world) == {"a": 1}


def test_a_rename_that_is_said_carries_everything_over(world):
    rename(world, moved_from="net")
    assert follow_renames(world.outside, world.reading(), 0) == ((NET, CORE),)
    assert follow_renames(world.outside, world.reading(), 0) == ()
    assert world.settle("core").rest.reason is Reason.CONVERGED
    assert created(world) == {"a": 1, "b": 1}
    assert world.state("net").applied is None
    assert world.state("net").moved_to == str(CORE)


def test_a_plan_from_before_the_rename_was_said_is_made_anew(world):
    rename(world)
    world.settle("core")
    assert world.state("core").tracks["main"].proposal.counts.create == 2
    assert carry(world)
    assert world.state("core").tracks == {}
    assert world.settle("core").rest.reason is Reason.CONVERGED
    assert created(world) == {"a": 1, "b": 1}


def test_a_crash_at_any_effect_of_a_move_is_made_good_by_doing_it_again(tmp_path):
    for at in range(1, 100):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = World(folder, AUTO)
        world.commit({"net/objects": "a=1"}, {"net": {}})
        world.settle("net")
        rename(world)
        world.effects.count, world.effects.crash_at = 0, at
        try:
            carry(world)
        except Crash:
            world.restart()
        else:
            assert at > 4, "the sweep must meet effects"
            return
        # Whoever comes next may not know that anybody tried.
        assert world.settle("core").rest.reason in {Reason.GATED, Reason.CONVERGED}
        carry(world)
        assert not carry(world)
        assert world.settle("core").rest.reason is Reason.CONVERGED
        assert created(world) == {"a": 1, "b": 1}, at
        assert world.state("net").moved_to == str(CORE)
        assert world.record.verify() is None


def test_a_name_that_comes_back_is_a_new_stack_beside_the_one_that_has_what_it_made(world):
    rename(world, moved_from="net")
    follow_renames(world.outside, world.reading(), 0)
    world.commit({"net/objects": "a=1"}, {"net": {}})
    read_source(world.outside, SOURCE)
    rest = world.settle("net").rest
    assert rest.reason is Reason.GATED
    assert "holdfast mv core net" in rest.why
    assert move(world.outside, SOURCE, (CORE, NET), 0)
    assert world.settle("net").rest.reason is Reason.CONVERGED
    assert created(world) == {"a": 1}
    # And away again: an old move is not taken for this one.
    rename(world)
    assert carry(world)
    assert world.settle("core").rest.reason is Reason.CONVERGED
    assert created(world) == {"a": 1, "b": 1}


def test_a_second_life_of_the_old_name_is_never_lost_to_an_old_rename(world):
    rename(world, moved_from="net")
    follow_renames(world.outside, world.reading(), 0)
    world.settle("core")
    world.commit({"core/objects": "a=1 b=2", "net/objects": "c=3"}, {"core": {}, "net": {}})
    read_source(world.outside, SOURCE)
    assert world.settle("net").rest.reason is Reason.CONVERGED
    rename(world, moved_from="net")
    assert follow_renames(world.outside, world.reading(), 0) == ()
    assert world.state("net").applied is not None


def test_a_stack_in_a_new_environment_may_be_the_one_without(world):
    prod = StackKey(source="infra", name="net", environment="prod")
    reading = world.reading()
    stacks = {prod: reading.layout.stacks[NET]}
    assert "net" in str(stacks)
    from orchestrator.engine.left_behind import maybe_renamed  # noqa: PLC0415 -- the pure part says it all

    gate = maybe_renamed(prod, [NET])
    assert gate is not None
    assert "holdfast mv net net@prod" in gate.why
    assert maybe_renamed(prod, [CORE]) is None


def test_a_destroyed_stack_that_is_gone_holds_nobody_back(world):
    hold = Hold(kind=HoldKind.DESTROYED, revision=world.revision, by="ana", reason="", at=world.now())
    world.record.append(str(NET), [Held(hold=hold)], expected=world.state("net").version, run=0)
    world.settle("net")
    world.approve("net")
    assert world.settle("net").rest.reason is Reason.DESTROYED
    rename(world)
    assert world.settle("core").rest.reason is Reason.CONVERGED


def test_a_first_attempt_that_failed_leaves_something_to_be_renamed(tmp_path):
    world = World(tmp_path, AUTO)
    world.commit({"net/objects": "a=1 b=2"}, {"net": {}})
    world.cloud.fail_next = 1
    world.settle("net")
    assert world.state("net").applied is None
    rename(world)
    assert world.settle("core").rest.reason is Reason.GATED


def test_an_attempt_that_was_left_is_settled_before_its_stack_is_renamed(tmp_path):
    """Nobody works a stack under a name that its source no longer knows: the rename must."""
    for at in range(1, 100):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = World(folder, AUTO)
        world.commit({"net/objects": "a=1"}, {"net": {}})
        world.effects.crash_at = at
        with pytest.raises(Crash):
            world.settle("net")
        if world.state("net").applying and world.cloud.ledger:
            break
    world.restart()
    rename(world, moved_from="net")
    assert follow_renames(world.outside, world.reading(), 0) == ((NET, CORE),)
    assert world.settle("core").rest.reason is Reason.CONVERGED
    assert created(world) == {"a": 1, "b": 1}


def test_a_stack_that_somebody_holds_is_renamed_once_they_are_done(world):
    rename(world, moved_from="net")
    with world.outside.agenda.hold(str(NET)):
        assert follow_renames(world.outside, world.reading(), 0) == ()
        with pytest.raises(Conflict):
            carry(world)
        assert world.settle("core").rest.reason is Reason.GATED
    assert follow_renames(world.outside, world.reading(), 0) == ((NET, CORE),)


def test_what_is_forgotten_holds_nobody_back_and_its_state_stays(world):
    rename(world)
    kept = world.state("net").kept
    left = forget(world.outside, SOURCE, NET, Forgotten(by="ana", reason="sold"), 0)
    assert left.kept == kept
    assert world.outside.artifacts.get(kept)
    assert world.record.events(stack=str(NET))[-1].event.kept == kept
    assert world.settle("core").rest.reason is Reason.CONVERGED
    assert Path(world.home / "work/net/kept/named").exists()


def test_a_person_may_accept_that_it_is_made_anew(world):
    rename(world)
    world.settle("core")
    world.approve("core")
    assert world.settle("core").rest.reason is Reason.GATED
    world.approve("core", accepts_duplicates=True)
    assert world.settle("core").rest.reason is Reason.CONVERGED


def test_state_under_another_repository_id_stops_a_new_stack(tmp_path):
    world = World(tmp_path, AUTO)
    world.strays_ = {"net@default": Stray(source="acme-infra", place=Path("/homes/acme-infra"))}
    world.commit({"net/objects": "a=1", "web/objects": "b=1"}, {"net": {}, "web": {}})
    rest = world.settle("net").rest
    assert rest.reason is Reason.GATED
    for word in ("project: acme-infra", "/homes/acme-infra", "HF-4013", "--accept-duplicates"):
        assert word in rest.why
    assert world.settle("web").rest.reason is Reason.CONVERGED


def test_a_pull_request_that_renames_is_planned_and_moves_nothing(world):
    world.commit({"core/objects": "a=1"}, {"core": {"moved_from": "net"}})
    reading = replace(world.reading(), track="pull/7")
    asked = Survey(world.outside, reading).look(CORE)
    assert asked is not None
    assert asked.desired.gates == ()
    assert world.state("net").applied is not None


def test_a_revision_that_does_not_have_the_stack_is_not_looked_at_with_todays_files(world):
    was = world.revision
    files, layout = world.history[was]
    world.commit({"net/objects": "a=1", "readme": "more"}, {"net": {}})
    world.history[was] = (files, replace(layout, stacks={}))
    assert world.worker().check_drift(NET) is None
    assert "is not in revision" in world.state("net").drift_check_error
    assert world.record.events(stack=str(NET))[-1].event.code == "HF-3019"


def test_a_stack_held_where_it_is_not_rests_and_says_how_to_end_that(world):
    before = world.revision
    files, layout = world.history[before]
    world.commit({"net/objects": "a=2"}, {"net": {}})
    world.settle("net")
    world.history[before] = (files, replace(layout, stacks={}))
    hold = Hold(kind=HoldKind.REVISION, revision=before, by="ana", reason="", at=world.now())
    world.record.append(str(NET), [Held(hold=hold)], expected=world.state("net").version, run=0)
    rest = world.settle("net").rest
    assert rest.reason is Reason.GATED
    assert "holdfast resume net" in rest.why
    assert created(world) == {"a": 1}


def test_two_names_in_one_earlier_revision_are_told_apart_by_what_was_said(tmp_path):
    world = World(tmp_path, AUTO)
    world.commit({"net/objects": "a=1", "core/objects": "z=9"}, {"net": {}, "core": {}})
    both = world.reading()
    today = Stack(key=CORE, tool="cloudtool", path=PurePosixPath("core"), policy=AUTO, moved_from="net")
    found = as_of(world.outside, CORE, today, both.layout)
    assert found is not None
    assert (found.key, found.path) == (CORE, PurePosixPath("net"))
    kept = as_of(world.outside, CORE, replace(today, moved_from=""), both.layout)
    assert kept is not None
    assert kept.path == PurePosixPath("core")


def test_a_name_that_went_there_and_back_is_found_by_the_record(world):
    before = world.reading()
    rename(world, moved_from="net")
    follow_renames(world.outside, world.reading(), 0)
    between = world.reading()
    world.commit({"net/objects": "a=1"}, {"net": {}})
    read_source(world.outside, SOURCE)
    assert move(world.outside, SOURCE, (CORE, NET), 0)
    today = world.reading().layout.stacks[NET]
    paths = [found.path.name for one in (before, between) if (found := as_of(world.outside, NET, today, one.layout))]
    assert paths == ["net", "core"]
    assert now_called(world.outside, CORE, world.reading().layout.stacks) == NET

"""What an attempt of unknown end may have made is never made again unless a person accepts that, whatever happens between."""

from __future__ import annotations

import pytest
from ticking import Crash
from world import AUTO, World

from orchestrator.model.action import Reason
from orchestrator.model.event import Converged
from orchestrator.model.observed import HoldKind

WEB = "infra/web@default"


@pytest.fixture
def doubtful(tmp_path):
    """A world in which worker, keeper and tool died while ``b`` was created: it is there, and in no state."""
    world = World(tmp_path, AUTO)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.commit({"web/objects": "a=1 b=2"})
    world.cloud.dies_after = f"{WEB}:b"
    with pytest.raises(Crash):
        world.settle()
    world.restart()
    assert f"{WEB}:b" in world.cloud.objects.keys() - world.cloud.state.keys()
    return world


def creates(world, name="b"):
    return sum(verb == "create" and address == f"{WEB}:{name}" for _, verb, address in world.cloud.ledger)


def test_it_is_asked_about_before_it_is_made_again(doubtful):
    assert doubtful.settle().rest.reason is Reason.MAY_DUPLICATE
    assert creates(doubtful) == 1


def test_a_revert_that_finds_nothing_to_do_does_not_end_the_doubt(doubtful):
    doubtful.settle()
    doubtful.commit({"web/objects": "a=1"})
    assert doubtful.settle().rest.reason is Reason.CONVERGED
    assert doubtful.state().unknown is None
    doubtful.commit({"web/objects": "a=1 b=2"})
    assert doubtful.settle().rest.reason is Reason.MAY_DUPLICATE
    assert creates(doubtful) == 1


def test_another_apply_that_fails_does_not_end_the_doubt(doubtful):
    doubtful.settle()
    doubtful.commit({"web/objects": "a=2"})
    doubtful.cloud.fail_next = 1
    assert doubtful.settle().rest.reason is Reason.BACKING_OFF
    doubtful.commit({"web/objects": "a=1 b=2"})
    assert doubtful.settle().rest.reason is Reason.MAY_DUPLICATE
    assert creates(doubtful) == 1


def test_another_apply_that_goes_well_does_not_end_the_doubt(doubtful):
    doubtful.settle()
    doubtful.commit({"web/objects": "a=2"})
    assert doubtful.settle().rest.reason is Reason.CONVERGED
    doubtful.commit({"web/objects": "a=2 b=2"})
    assert doubtful.settle().rest.reason is Reason.MAY_DUPLICATE
    assert creates(doubtful) == 1


def test_a_person_who_accepts_it_ends_the_doubt(doubtful):
    doubtful.settle()
    doubtful.approve(accepts_duplicates=True)
    assert doubtful.settle().rest.reason is Reason.CONVERGED
    assert doubtful.state().doubts == ()
    assert creates(doubtful) == 2


def test_a_plan_for_the_same_files_that_does_not_create_it_ends_the_doubt(doubtful):
    doubtful.settle()
    # A person imported what was there.
    doubtful.cloud.state[f"{WEB}:b"] = "2"
    doubtful.sleep(100_000)
    assert doubtful.settle().rest.reason is Reason.CONVERGED
    assert doubtful.state().doubts == ()
    assert isinstance(doubtful.record.events()[-1].event, Converged)


def test_a_destroy_does_not_end_the_doubt(doubtful):
    doubtful.settle()
    doubtful.hold("web", doubtful.revision, HoldKind.DESTROYED)
    doubtful.settle()
    doubtful.approve()
    assert doubtful.settle().rest.reason is Reason.DESTROYED
    assert doubtful.state().doubts[0].addresses == (f"{WEB}:b",)

"""What readers are fed: values that are there to stay, never older ones, never invented ones."""

from __future__ import annotations

from dataclasses import replace

from world import AUTO, World

from orchestrator.engine.survey import Survey
from orchestrator.model.action import Reason
from orchestrator.model.desired import Known, Pending
from orchestrator.model.event import ApplyStarted, Converged
from orchestrator.model.observed import Applying
from orchestrator.model.policy import DriftAnswer, DriftPolicy
from orchestrator.model.stack import StackKey

NET, WEB = StackKey(source="infra", name="net"), StackKey(source="infra", name="web")
READER = {"net": {}, "web": {"inputs": {"net": "${output:net.id}"}}}


def fed(tmp_path, policy=AUTO):
    world = World(tmp_path, policy)
    world.commit({"net/objects": "id=v1", "web/objects": "a=1"}, READER)
    world.settle("net")
    world.settle("web")
    return world


def upstream(world):
    (found,) = Survey(world.outside, world.reading()).look(WEB).desired.upstream
    return found


def test_outputs_that_could_not_be_read_after_an_apply_are_read_when_nothing_is_left_to_do(tmp_path):
    world = fed(tmp_path)
    world.commit({"net/objects": "id=v2", "web/objects": "a=1"}, READER)
    world.cloud.mute = 1
    assert world.settle("net").rest.reason is Reason.BACKING_OFF
    world.sleep(100)
    assert world.settle("net").rest.reason is Reason.CONVERGED
    world.settle("web")
    assert world.cloud.objects["infra/web@default:in.net"] == "v2"


def test_what_somebody_else_applied_reaches_the_readers(tmp_path):
    world = fed(tmp_path)
    world.commit({"net/objects": "id=v2", "web/objects": "a=1"}, READER)
    # The same commit, applied by hand with the same state.
    world.cloud.objects["infra/net@default:id"] = world.cloud.state["infra/net@default:id"] = "v2"
    assert world.settle("net").rest.reason is Reason.CONVERGED
    assert isinstance(world.record.events(stack=str(NET))[-1].event, Converged)
    world.settle("web")
    assert world.cloud.objects["infra/web@default:in.net"] == "v2"


def test_a_reader_waits_while_its_upstream_is_being_applied_though_nothing_was_asked_of_it(tmp_path):
    world = fed(tmp_path)
    assert isinstance(upstream(world), Known)
    state = world.state("net")
    started = next(
        entry.event for entry in world.record.events(stack=str(NET)) if isinstance(entry.event, ApplyStarted)
    )
    attempt: Applying = replace(started.attempt, number=state.attempts + 1)
    world.record.append(str(NET), [ApplyStarted(attempt=attempt)], expected=state.version, run=0)
    found = upstream(world)
    assert isinstance(found, Pending)
    assert found.why == "net is being applied"


def test_what_only_comes_after_waits_while_the_first_is_being_applied(tmp_path):
    world = World(tmp_path, AUTO)
    world.commit({"net/objects": "id=v1", "web/objects": "a=1"}, {"net": {}, "web": {"depends_on": (NET,)}})
    world.settle("net")
    state = world.state("net")
    started = next(
        entry.event for entry in world.record.events(stack=str(NET)) if isinstance(entry.event, ApplyStarted)
    )
    attempt: Applying = replace(started.attempt, number=state.attempts + 1)
    world.record.append(str(NET), [ApplyStarted(attempt=attempt)], expected=state.version, run=0)
    assert world.settle("web").rest.why == "waits for net"


def test_a_reader_waits_for_a_repair_that_would_change_what_it_reads(tmp_path):
    world = fed(tmp_path, replace(AUTO, drift=DriftPolicy(every_s=3600.0, answer=DriftAnswer.PROPOSE)))
    world.cloud.objects["infra/net@default:id"] = "hacked"
    world.sleep(4000)
    assert world.settle("net").rest.reason is Reason.AWAITING_APPROVAL
    assert isinstance(upstream(world), Pending)
    world.approve("net")
    world.settle("net")
    assert isinstance(upstream(world), Known)


def test_the_first_cause_is_named_however_far_up(tmp_path):
    world = World(tmp_path, AUTO)
    stacks = {**READER, "site": {"inputs": {"web": "${output:web.a}"}}}
    world.commit({"net/objects": "id=v1", "web/objects": "a=1", "site/objects": "s=1"}, stacks)
    assert world.settle("site").rest.why == "waits for web.a: net is due first"


def test_two_revisions_that_make_a_ring_between_them_are_named_and_wait(tmp_path):
    world = World(tmp_path, AUTO)
    files = {"a/objects": "id=1", "b/objects": "id=1"}
    world.commit(files, {"b": {}, "a": {"inputs": {"x": "${output:b.id}"}}})
    first = world.revision
    world.settle("b")
    world.settle("a")
    world.commit({**files, "a/objects": "id=2"}, {"a": {}, "b": {"inputs": {"x": "${output:a.id}"}}})
    world.hold("a", first)
    rest = world.settle("a").rest
    assert rest.reason is Reason.DEFERRED
    assert "resume one of them" in rest.why
    assert "b" in rest.why

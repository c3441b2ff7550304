"""What a stack is worked to, and what it waits for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import AUTO, SOURCE, World

from adapters.contract import Goal
from orchestrator.effects.record import SqlRecord
from orchestrator.engine.outside import Reading
from orchestrator.engine.survey import Survey
from orchestrator.engine.values import Filling, store_inputs, stored_inputs
from orchestrator.engine.watch import Watch, read_source
from orchestrator.engine.work import Worker
from orchestrator.errors import Conflict, ExecutionError, OrchestratorError, RecordError
from orchestrator.model.action import Apply, MakePlan, Reason
from orchestrator.model.event import ApplyStarted, DriftSeen, Event, Released, StateKept, Vanished, Verified
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.observed import HoldKind
from orchestrator.model.policy import Approvals, DriftPolicy, Mode
from orchestrator.model.stack import StackKey
from orchestrator.ports import Layout

ASKING = replace(AUTO, mode=Mode.PROPOSE, approvals=Approvals(required=1))
WEB = "infra/web@default"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, AUTO)
    made.commit({"web/objects": "a=1"})
    return made


def events(world, kind, stack=WEB):
    return [entry.event for entry in world.record.events(stack=stack, limit=10_000) if isinstance(entry.event, kind)]


def append(world, event, name="web"):
    world.record.append(f"infra/{name}@default", [event], expected=world.state(name).version, run=0)


def test_a_second_look_at_a_stack_at_rest_runs_no_tool(world):
    assert world.settle().rest.reason is Reason.CONVERGED
    before = len(world.cloud.ledger), world.state().version
    assert world.settle().did == ()
    assert (len(world.cloud.ledger), world.state().version) == before


def test_an_unrelated_commit_keeps_the_proposal_and_its_approval(tmp_path):
    world = World(tmp_path, ASKING)
    world.commit({"web/objects": "a=1", "readme": "one"})
    world.settle()
    world.approve()
    world.commit({"web/objects": "a=1", "readme": "two"})
    assert world.settle().rest.reason is Reason.CONVERGED
    assert len(world.cloud.ledger) == 1


def test_a_change_of_what_would_be_done_voids_the_approval(tmp_path):
    world = World(tmp_path, ASKING)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.approve()
    world.commit({"web/objects": "a=1 b=2"})
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    assert world.cloud.ledger == []


def test_a_change_of_policy_voids_the_approval(tmp_path):
    world = World(tmp_path, ASKING)
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.approve()
    world.policy = replace(ASKING, retries=5)
    world.commit({"web/objects": "a=1"})
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    assert world.cloud.ledger == []


def test_a_pull_request_never_disturbs_mains_proposal(tmp_path):
    world = World(tmp_path, ASKING)
    world.commit({"web/objects": "a=1"})
    world.settle()
    mains = world.state().tracks["main"].proposal
    world.commit({"web/objects": "a=1 b=2"})
    reading = replace(world.reading(), track="pull/7")
    run = world.record.open_run(trigger="test", verb="plan", actor="ana", revision=world.revision)
    worker = Worker(world.outside, reading, run, limits=world.worker(mode=Mode.OBSERVE)._limits)
    assert worker.settle(StackKey(source="infra", name="web")).rest.reason is Reason.OBSERVED_ONLY
    assert world.state().tracks["main"].proposal == mains
    assert world.state().tracks["pull/7"].proposal.counts.create == 2


def test_a_reader_waits_for_its_upstream_and_gets_the_real_value(world):
    web = StackKey(source="infra", name="web")
    files = {"net/objects": "id=v1", "web/objects": "a=1"}
    world.commit(files, {"net": {}, "web": {"inputs": {"net": "${output:net.id}"}}})
    assert world.settle("web").rest.reason is Reason.DEFERRED
    assert "net.id" in world.worker().decision(Survey(world.outside, world.reading()).look(web)).why
    world.settle("net")
    assert world.settle("web").rest.reason is Reason.CONVERGED
    assert world.cloud.objects[f"{WEB}:in.net"] == "v1"
    # A change of the output makes exactly its reader due again.
    world.commit({**files, "net/objects": "id=v2"}, world.stacks)
    assert world.settle("web").rest.reason is Reason.DEFERRED
    world.settle("net")
    did = world.settle("web").did
    assert [type(action) for action in did] == [MakePlan, Apply]
    assert world.cloud.objects[f"{WEB}:in.net"] == "v2"


def test_an_upstream_change_that_leaves_the_output_alone_keeps_its_reader_at_rest(world):
    files = {"net/objects": "id=v1", "web/objects": "a=1"}
    world.commit(files, {"net": {"policy": ASKING}, "web": {"inputs": {"net": "${output:net.id}"}}})
    world.settle("net")
    world.approve("net")
    world.settle("net")
    world.settle("web")
    world.commit({**files, "net/objects": "id=v1 more=1"}, world.stacks)
    assert world.settle("net").rest.reason is Reason.AWAITING_APPROVAL
    assert world.settle("web").did == ()


def test_an_output_that_nobody_has_is_missing_not_pending(world):
    world.commit(
        {"net/objects": "id=v1", "web/objects": "a=1"}, {"net": {}, "web": {"inputs": {"x": "${output:net.nope}"}}}
    )
    world.settle("net")
    assert world.settle("web").rest.reason is Reason.UPSTREAM_MISSING


def test_an_upstream_failure_is_named_by_its_reader(world):
    world.commit(
        {"net/objects": "id=v1", "web/objects": "a=1"}, {"net": {}, "web": {"inputs": {"x": "${output:net.id}"}}}
    )
    world.plan_fails = True
    world.settle("net")
    assert world.settle("web").rest.why.endswith("net failed: the tool says no")


def test_order_alone_holds_back_the_apply_and_not_the_plan(world):
    net = StackKey(source="infra", name="net")
    world.commit({"net/objects": "id=v1", "web/objects": "a=1"}, {"net": {}, "web": {"depends_on": (net,)}})
    settled = world.settle("web")
    assert (settled.rest.reason, settled.rest.why) == (Reason.GATED, "waits for net")
    assert [type(action) for action in settled.did] == [MakePlan]
    world.settle("net")
    assert world.settle("web").rest.reason is Reason.CONVERGED


def test_a_rollback_holds_against_later_commits_until_it_is_released(world):
    first = world.revision
    world.settle()
    world.commit({"web/objects": "a=2"})
    world.settle()
    world.hold("web", first)
    assert world.settle().rest.reason is Reason.CONVERGED
    assert world.cloud.objects[f"{WEB}:a"] == "1"
    world.commit({"web/objects": "a=3"})
    assert world.settle().did == ()
    append(world, Released(by="ana", reason="fixed"))
    world.settle()
    assert world.cloud.objects[f"{WEB}:a"] == "3"


def test_a_rollback_obeys_todays_policy(world):
    first = world.revision
    world.settle()
    world.policy = ASKING
    world.commit({"web/objects": "a=2"})
    world.settle()
    world.approve()
    world.settle()
    world.hold("web", first)
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL


def test_a_destroyed_stack_stays_destroyed_until_it_is_released(world):
    world.settle()
    world.hold("web", world.revision, HoldKind.DESTROYED)
    assert world.settle().rest.reason is Reason.AWAITING_APPROVAL
    world.approve()
    assert world.settle().rest.reason is Reason.DESTROYED
    assert world.cloud.objects == {}
    assert world.state().applied.goal is Goal.DESTROY
    world.commit({"web/objects": "a=5"})
    assert world.settle().did == ()
    append(world, Released(by="ana", reason="back"))
    assert world.settle().rest.reason is Reason.CONVERGED
    assert world.cloud.objects == {f"{WEB}:a": "5"}


def test_a_stack_that_leaves_its_source_is_said_aloud_and_left_standing(world):
    world.settle()
    read_source(world.outside, SOURCE)
    world.commit({"other/objects": ""}, {"other": {}})
    read_source(world.outside, SOURCE)
    assert len(events(world, Vanished)) == 1
    assert world.settle().rest.reason is Reason.VANISHED
    assert world.cloud.objects == {f"{WEB}:a": "1"}
    world.commit({"web/objects": "a=1"}, {"web": {}})
    read_source(world.outside, SOURCE)
    assert world.state().vanished_at is None


def test_a_stack_that_is_gone_and_was_applied_from_an_older_revision_is_said_aloud(world):
    world.commit({"other/objects": ""}, {"other": {}})
    read_source(world.outside, SOURCE)
    world.commit({"web/objects": "a=1"}, {"web": {}})
    world.settle()
    world.commit({"other/objects": "b=1"}, {"other": {}})
    read_source(world.outside, SOURCE)
    assert len(events(world, Vanished)) == 1


class Meddled:
    """The record, which somebody else appends to once, just after its rows were read."""

    def __init__(self, world: World, event: Event) -> None:
        self.world, self.waiting = world, [event]

    def __getattr__(self, name: str):
        return getattr(self.world.record, name)

    def rows(self, source):
        found = self.world.record.rows(source)
        while self.waiting:
            append(self.world, self.waiting.pop())
        return found


@pytest.mark.parametrize("event", [Vanished(revision="r"), StateKept(sha256="5", note="")], ids=["the same", "other"])
def test_a_stack_that_somebody_else_wrote_to_meanwhile_is_said_to_be_gone_once(world, event):
    world.settle()
    read_source(world.outside, SOURCE)
    world.commit({"other/objects": ""}, {"other": {}})
    read_source(replace(world.outside, record=Meddled(world, event)), SOURCE)
    assert len(events(world, Vanished)) == 1
    assert world.state().vanished_at is not None


def test_a_commit_that_takes_no_stack_away_reads_no_state(world, monkeypatch):
    world.settle()
    read_source(world.outside, SOURCE)
    asked = []
    rows = SqlRecord.rows
    monkeypatch.setattr(SqlRecord, "rows", lambda record, source=None: asked.append(source) or rows(record, source))
    world.commit({"web/objects": "a=2"})
    read_source(world.outside, SOURCE)
    assert asked == []
    world.commit({"other/objects": ""}, {"other": {}})
    read_source(world.outside, SOURCE)
    assert asked == [SOURCE.id]


def test_a_closed_gate_stops_the_apply_and_one_that_closes_meanwhile_does_too(world):
    gate = world.record.set_gate(Gate(kind=GateKind.FREEZE, why="release day", selector="infra/*"), run=0)
    settled = world.settle()
    assert (settled.rest.reason, settled.rest.why) == (Reason.GATED, "release day")
    world.record.lift_gate(gate.id, by="ana", reason="done", run=0)
    plain = world.outside.attempts._port

    class Closing:
        """Closes a gate between the decision and the start of the attempt."""

        def __getattr__(self, name):
            if name == "prepare" and not world.record.gates()[1]:
                world.record.set_gate(gate, run=0)
            return getattr(plain, name)

    world.outside = replace(world.outside, attempts=Closing())
    assert world.settle().rest.reason is Reason.GATED
    assert events(world, ApplyStarted) == []
    assert world.cloud.ledger == []


def test_drift_is_recorded_once_verified_once_and_gone_when_it_is_gone(tmp_path):
    world = World(tmp_path, replace(AUTO, drift=DriftPolicy(every_s=3600.0)))
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.sleep(120)
    world.settle()
    assert len(events(world, Verified)) == 1
    world.cloud.objects[f"{WEB}:a"] = "hacked"
    for _ in range(3):
        world.sleep(4000)
        assert world.settle().rest.reason is Reason.DRIFTED
    assert len(events(world, DriftSeen)) == 1
    looks = world.outside.record.row(WEB).looks
    assert (looks.drift_seen, looks.drift_seen_at) == (3, looks.drift_at), "every look that saw it is counted"
    world.cloud.objects[f"{WEB}:a"] = "1"
    world.sleep(4000)
    assert world.settle().rest.reason is Reason.CONVERGED
    assert world.state().drift is None
    assert world.outside.record.row(WEB).looks.drift_seen == 0


def test_a_person_who_applies_is_offered_the_repair_of_known_drift(tmp_path):
    world = World(tmp_path, replace(AUTO, drift=DriftPolicy(every_s=0)))
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.cloud.objects[f"{WEB}:a"] = "hacked"
    assert world.worker().check_drift(StackKey(source="infra", name="web")).items
    assert world.settle().rest.reason is Reason.DRIFTED
    assert world.settle(person=True).rest.reason is Reason.AWAITING_APPROVAL
    world.approve()
    assert world.settle(person=True).rest.reason is Reason.CONVERGED
    assert world.cloud.objects[f"{WEB}:a"] == "1"


def test_a_look_that_finds_nothing_new_appends_nothing(tmp_path):
    world = World(tmp_path, replace(AUTO, drift=DriftPolicy(every_s=60.0)))
    world.commit({"web/objects": "a=1"})
    world.settle()
    world.sleep(100)
    world.settle()
    before = world.state().version
    for _ in range(5):
        world.sleep(100)
        assert len(world.settle().did) == 1
    assert world.state().version == before


def test_a_watch_makes_exactly_the_concerned_stacks_due(world):
    stacks = {name: {} for name in ("a", "b", "c")}
    files = {f"{name}/objects": "x=1" for name in stacks}
    world.commit(files, stacks)
    watch = Watch(world.outside, SOURCE)
    assert len(watch.look()[1]) == 3
    assert watch.look()[1] == frozenset()
    world.commit({**files, "b/objects": "x=2"}, stacks)
    assert watch.look()[1] == {StackKey(source="infra", name="b")}
    world.commit({**files, "b/objects": "x=2", "readme": "x"}, stacks)
    assert watch.look()[1] == frozenset()
    world.commit({**files, "b/objects": "x=2"}, {**stacks, "c": {"policy": ASKING}})
    assert watch.look()[1] == {StackKey(source="infra", name="c")}
    assert {due.stack for due in world.outside.agenda.waiting()} == {f"infra/{name}@default" for name in stacks}


def test_a_reading_on_a_working_tree_can_be_planned_and_never_applied(world):
    reading = world.reading()
    dirty = Reading(
        source=SOURCE,
        revision=replace(reading.revision, committed=False),
        tree=reading.tree,
        layout=reading.layout,
        track="tree/x",
    )
    run = world.record.open_run(trigger="test", verb="plan", actor="ana", revision=world.revision)
    settled = Worker(world.outside, dirty, run).settle(StackKey(source="infra", name="web"))
    assert settled.rest.reason is Reason.NOT_COMMITTED
    assert world.cloud.ledger == []


def test_a_stack_that_names_the_commit_is_due_with_every_commit_and_gets_it(world):
    stacks = {"web": {"inputs": {"at": "${git.commit}"}}, "db": {}}
    world.commit({"web/objects": "a=1", "db/objects": "b=1"}, stacks)
    world.settle("web")
    world.settle("db")
    assert world.cloud.objects[f"{WEB}:in.at"] == world.revision
    world.commit({"web/objects": "a=1", "db/objects": "b=1", "readme": "x"}, stacks)
    assert world.settle("db").did == ()
    world.settle("web")
    assert world.cloud.objects[f"{WEB}:in.at"] == world.revision


def test_drift_of_a_stack_that_was_never_applied_is_refused(world):
    with pytest.raises(ExecutionError) as refused:
        world.worker().check_drift(StackKey(source="infra", name="web"))
    assert refused.value.code == "HF-5030"


def test_drift_of_a_stack_that_is_in_no_source_any_more_is_refused(world):
    world.settle()
    world.commit({"other/objects": ""}, {"other": {}})
    with pytest.raises(Conflict) as refused:
        world.worker().check_drift(StackKey(source="infra", name="web"))
    assert refused.value.code == "HF-4011"


def test_an_output_that_is_gone_from_the_store_stops_its_reader(world):
    world.commit(
        {"net/objects": "id=v1", "web/objects": "a=1"}, {"net": {}, "web": {"inputs": {"x": "${output:net.id}"}}}
    )
    world.settle("net")
    stack = world.reading().layout.stacks[StackKey(source="infra", name="web")]
    layout = Layout(project="infra", stacks={})
    with pytest.raises(RecordError) as refused:
        Filling(world.outside, replace(stack, inputs={"x": "${output:net.nope}"}), layout, "c").inputs()
    assert refused.value.code == "HF-4010"


def test_what_another_stack_hands_over_is_marked_as_data_also_when_it_was_kept(world):
    world.commit(
        {"net/objects": "id=v1", "web/objects": "a=1"}, {"net": {}, "web": {"inputs": {"x": "${output:net.id}"}}}
    )
    world.settle("net")
    layout = world.reading().layout
    asked = replace(layout.stacks[StackKey(source="infra", name="web")], inputs={"x": "a-${output:net.id}", "y": "b"})
    found = Filling(world.outside, asked, layout, "c").inputs()
    assert {name: one.filled for name, one in found.items()} == {"x": True, "y": False}
    assert stored_inputs(world.outside, store_inputs(world.outside, found)) == found


def test_a_stack_that_does_not_come_to_rest_is_our_own_fault(world, monkeypatch):
    # A decision that never rests cannot be made with the real rules: that is what the enumeration proves.
    never = MakePlan(reason=Reason.NO_PLAN, why="again")
    monkeypatch.setattr("orchestrator.engine.work.decide", lambda *_: never)
    with pytest.raises(OrchestratorError) as fault:
        world.settle()
    assert fault.value.code == "HF-9001"

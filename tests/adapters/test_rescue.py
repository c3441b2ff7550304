"""What is left when a save fails, a lock is held, or the tool dies: nothing is lost, nothing is made twice."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING

import pytest

from adapters.contract import (
    Finished,
    Goal,
    Handle,
    PlanStale,
    Result,
    StateElsewhere,
    StateUnsaved,
    ToolBusy,
    ToolStopped,
    Unknown,
)
from adapters.scripted import Answer, ScriptedShell
from adapters.terraform.adapter import build

if TYPE_CHECKING:
    from conftest import LabRig
    from state_server import StateServer

#: Both tools pass the whole suite of conformance; of these finer points OpenTofu's share runs with the long tests.
pytestmark = pytest.mark.parametrize(
    "tool", ["terraform", pytest.param("opentofu", marks=pytest.mark.full)], indirect=True
)

ONE = 'resource "terraform_data" "one" {\n  input = 1\n}\n'
ON_HTTP = 'terraform {\n  backend "http" {}\n}\n' + ONE


LOCK = {"ID": "f00d-1", "Operation": "OperationTypeApply", "Who": "ana@laptop", "Created": "2026-11-23T02:08:54Z"}


def test_a_state_locked_elsewhere_is_busy_and_unlock_frees_it(rig: LabRig, server: StateServer) -> None:
    subject = rig.bare(ON_HTTP, **server.settings)
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    server.lock = json.dumps(LOCK).encode()
    with pytest.raises(ToolBusy) as caught:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    # Here the tool prints its own lock as if it were the holder's, and the holder's id only in the sentence above it.
    assert (caught.value.holder, caught.value.lock_id) == ("", "f00d-1")
    subject.adapter.unlock(subject.workspace, caught.value.lock_id)
    assert server.lock == b""
    assert not subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_a_state_that_could_not_be_saved_is_saved_by_its_attempt_before_anything_is_planned(
    rig: LabRig, server: StateServer
) -> None:
    subject = rig.bare(ON_HTTP, **server.settings)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    server.refuses = True
    with pytest.raises(StateUnsaved, match="still cannot be saved") as caught:
        subject.adapter.apply(subject.workspace, plan)
    assert caught.value.code == "HF-2011"
    waiting = subject.workspace.kept / "errored.tfstate"
    assert json.loads(waiting.read_bytes())["resources"]
    assert waiting.stat().st_mode & 0o777 == 0o600
    # Of the two commands it is the apply that says how the attempt ended.
    assert b"apply_complete" in subject.handle().result.stdout
    with pytest.raises(StateUnsaved, match="still cannot be saved"):
        subject.adapter.resume(subject.workspace, plan, subject.handle())
    server.refuses = False
    tried = server.writes
    for look in (
        lambda: subject.adapter.plan(subject.workspace, Goal.CONVERGE),
        lambda: subject.adapter.drift(subject.workspace),
    ):
        with pytest.raises(StateUnsaved, match="waits to be saved") as refused:
            look()
        assert "holdfast apply saves it first" in refused.value.hint
    assert server.writes == tried, "who only looks pushes nothing"
    found = subject.adapter.resume(subject.workspace, plan, subject.handle())
    assert isinstance(found, Finished)
    assert found.error is not None
    assert (waiting.exists(), waiting.with_name("errored.tfstate.pushed").exists()) == (False, True)
    again = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert again.empty, "the object is known: it is not made a second time"


def test_a_plan_from_before_a_state_was_saved_is_stale(rig: LabRig, server: StateServer) -> None:
    subject = rig.bare(ON_HTTP, **server.settings)
    subject.apply()
    plan = subject.adapter.plan(subject.workspace, Goal.DESTROY)
    state = json.loads(server.state)
    (subject.main.parent / "errored.tfstate").write_text(json.dumps({**state, "serial": state["serial"] + 1}))
    with pytest.raises(PlanStale, match="is saved now"):
        subject.adapter.apply(subject.workspace, plan)
    assert json.loads(server.state)["serial"] > state["serial"]
    assert json.loads(server.state)["resources"], "nothing was destroyed"


def test_a_lock_that_keeps_a_state_from_being_saved_is_named(rig: LabRig, server: StateServer) -> None:
    subject = rig.bare(ON_HTTP, **server.settings)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    server.refuses = True
    with pytest.raises(StateUnsaved):
        subject.adapter.apply(subject.workspace, plan)
    server.refuses, server.lock = False, json.dumps(LOCK).encode()
    with pytest.raises(StateUnsaved) as caught:
        subject.adapter.resume(subject.workspace, plan, subject.handle())
    assert caught.value.lock_id == "f00d-1"
    subject.adapter.unlock(subject.workspace, "f00d-1")
    assert isinstance(subject.adapter.resume(subject.workspace, plan, subject.handle()), Finished)


def test_the_holder_of_a_lock_that_keeps_a_state_from_being_saved_is_named(rig: LabRig) -> None:
    place = rig.folder / "web.tfstate"
    subject = rig.bare(f'terraform {{\n  backend "local" {{\n    path = "{place}"\n  }}\n}}\n{ONE}')
    subject.apply()
    plan = subject.adapter.plan(subject.workspace, Goal.DESTROY)
    state = json.loads(place.read_bytes())
    (subject.main.parent / "errored.tfstate").write_text(json.dumps({**state, "serial": state["serial"] + 1}))
    place.with_name(".web.tfstate.lock.info").write_text(json.dumps(LOCK))
    with place.open("r+") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        with pytest.raises(StateUnsaved, match="locked by ana@laptop for apply since 2026-11-23 02:08:54") as caught:
            subject.adapter.apply(subject.workspace, plan)
    assert (caught.value.holder, caught.value.lock_id) == ("ana@laptop", "f00d-1")


@pytest.mark.parametrize("change", [{"lineage": "another"}, {"serial": 0}])
def test_a_state_that_waits_takes_no_other_states_place(rig: LabRig, change: dict[str, object]) -> None:
    subject = rig.bare(ONE)
    subject.apply()
    kept = subject.workspace.kept / "terraform.tfstate"
    good = kept.read_bytes()
    (subject.main.parent / "errored.tfstate").write_text(json.dumps({**json.loads(good), **change}))
    with pytest.raises(StateUnsaved, match="cannot be kept"):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert kept.read_bytes() == good


def test_the_state_that_the_tool_prints_on_a_full_disk_is_caught_and_never_told(rig: LabRig) -> None:
    subject = rig.bare(ONE.replace("1", '"c4n4ry-input"'))
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    subject.adapter.apply(subject.workspace, plan)
    kept = subject.workspace.kept / "terraform.tfstate"
    good = json.loads(kept.read_bytes())
    dump = {**good, "serial": good["serial"] + 1}
    # What the tool wrote to its standard output, and the broken file that it left, on a disk that was full.
    kept.write_bytes(b'{"version": 4, "terraf')
    (subject.main.parent / "errored.tfstate").write_bytes(b"")
    said = "\n".join(
        json.dumps(line)
        for line in (
            {"type": "version", "terraform": "1.11.4"},
            {"@message": "Emergency state dump", "state": dump},
            {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "Failed to write state"}},
        )
    )
    handle = Handle(folder=subject.folder, result=Result(exit_code=1, stdout=said.encode(), stderr=b""), alive=False)
    found = subject.adapter.resume(subject.workspace, plan, handle)
    assert isinstance(found, Finished)
    assert found.error is not None
    assert json.loads(kept.read_bytes())["serial"] == dump["serial"]
    assert [path.name for path in subject.workspace.kept.glob("*.broken-*")] == ["terraform.tfstate.broken-1"]
    assert "c4n4ry" not in subject.said()
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_a_kept_state_that_cannot_be_read_is_put_aside_and_the_copy_put_back(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.apply()
    subject.main.write_text(ONE.replace("1", "2"))
    subject.apply()
    kept = subject.workspace.kept / "terraform.tfstate"
    newest = json.loads(kept.read_bytes())
    kept.write_bytes(b"")
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert json.loads(kept.read_bytes()) == newest
    assert "the last good copy was put back" in plan.problems[0].summary
    assert plan.empty


def test_a_kept_state_without_a_good_copy_is_not_planned_anew(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.apply()
    for name in ("terraform.tfstate", "terraform.tfstate.before"):
        (subject.workspace.kept / name).write_bytes(b"{")
    with pytest.raises(StateElsewhere, match="no state"):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)


def test_an_empty_state_that_was_only_locked_is_no_loss(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    (subject.workspace.kept / "terraform.tfstate").write_bytes(b"")
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).problems == ()


VERSION = json.dumps({"type": "version", "terraform": "1.11.4"})


def test_a_tool_stopped_in_the_middle_of_a_create_is_unknown_with_what_it_had_begun(rig: LabRig) -> None:
    subject = rig.fresh()
    subject.main.write_text(subject.main.read_text().replace("size   = 10", "size   = 10\n  delay  = 8"))
    shell = subject.shell(cancelled=(subject.cloud / "ledger.jsonl").exists)
    adapter = build(subject.settings, shell)
    plan = adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(ToolStopped):
        adapter.apply(subject.workspace, plan)
    found = adapter.resume(subject.workspace, plan, subject.handle())
    assert isinstance(found, Unknown)
    assert found.started is not None
    assert "lab_object.first" in found.started


def test_a_copy_of_the_state_is_kept_with_each_apply(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    for number in (1, 2):
        subject.main.write_text(ONE.replace("1", str(number)))
        subject.apply()
        state = subject.workspace.kept / "terraform.tfstate"
        assert state.with_name("terraform.tfstate.before").read_bytes() == state.read_bytes()


def test_what_no_program_answers_is_never_taken_for_no_changes(rig: LabRig) -> None:
    """A tool that ends well and says nothing is not understood."""
    subject = rig.bare(ONE)
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    shell = ScriptedShell(answers=[Answer(words=("plan",), stdout=VERSION)])
    with pytest.raises(Exception, match="without a summary"):
        build(subject.settings, shell).plan(subject.workspace, Goal.CONVERGE)

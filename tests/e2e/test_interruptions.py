"""An apply that is interrupted or fails half-way: nothing is lost, nothing goes on unseen, and the rest is made next."""

from __future__ import annotations

import os
import signal

import pytest
from e2e_yard import Yard, until

from orchestrator.effects import liveness
from orchestrator.model.event import ApplyEnded, Outcome

pytestmark = pytest.mark.needs("git", "terraform")

CHAIN = """
resource "lab_object" "first" {
  name  = "first"
  delay = %(delay)s
}
resource "lab_object" "second" {
  name       = "second"
  depends_on = [lab_object.first]
}
resource "lab_object" "third" {
  name       = "third"
  depends_on = [lab_object.second]
}
"""
#: A side effect that comes late, made by a grandchild of the tool.
LATE = """
resource "terraform_data" "late" {
  provisioner "local-exec" { command = "echo begun >>%(log)s; sleep 30; echo late >>%(log)s" }
}
"""


def commit(yard: Yard, text: str) -> None:
    stacks = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
    yard.commit({"stacks.yaml": stacks, "web/main.tf": text})


def ends(yard: Yard) -> list[ApplyEnded]:
    return [entry.event for entry in yard.entries("web") if isinstance(entry.event, ApplyEnded)]


def tools(yard: Yard) -> set[int]:
    """Return every living process of an attempt."""
    lives = liveness.table()
    return {pid for folder in (yard.home / "attempts").glob("*") for pid in liveness.marked(lives, str(folder))}


def leaders(yard: Yard) -> set[int]:
    """Return the tools themselves, without their providers and other children."""
    lives = liveness.table()
    return {pid for pid in tools(yard) if pid in lives and lives[pid].session == pid}


def test_an_apply_that_fails_half_way_says_so_and_the_next_one_makes_the_rest(yard: Yard) -> None:
    commit(yard, yard.lab + CHAIN % {"delay": 0})
    (yard.cloud / "second.refuse").write_text("the quota is used up")
    yard.apply().ended(1, "HF-2004", "create of second refused")
    assert ends(yard)[-1].outcome is Outcome.FAILED
    assert yard.created() == {"first": 1}
    (yard.cloud / "second.refuse").unlink()
    plan = yard.run("plan", "web", "-o", "json").ended(0).json["stacks"][0]
    assert sorted(change["address"] for change in plan["changes"]) == ["lab_object.second", "lab_object.third"]
    yard.apply().ended(0, "1 applied")
    assert yard.created() == {"first": 1, "second": 1, "third": 1}
    yard.everything_belongs_to_an_attempt("web")


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["TERM", "INT twice"])
def test_a_signal_to_the_program_interrupts_no_apply(yard: Yard, signals: list[signal.Signals]) -> None:
    commit(yard, yard.lab + CHAIN % {"delay": 1.0})
    process = yard.start("apply", "--yes")
    until(lambda: yard.created()["first"])
    for number in signals:
        process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, out + err
    assert ends(yard)[-1].outcome is Outcome.SUCCEEDED
    assert yard.created() == {"first": 1, "second": 1, "third": 1}
    yard.forget_starts()
    yard.apply().ended(0)
    assert yard.starts() == []


@pytest.mark.parametrize(("whom", "number"), [("tool", signal.SIGINT), ("provider", signal.SIGKILL)])
def test_a_create_that_is_cut_short_is_never_taken_for_one_that_failed(
    yard: Yard, whom: str, number: signal.Signals
) -> None:
    commit(yard, yard.lab + CHAIN % {"delay": 2.0})
    process = yard.start("apply", "--yes")
    until(lambda: yard.created()["first"])
    for pid in leaders(yard) if whom == "tool" else tools(yard) - leaders(yard):
        os.kill(pid, number)
    out, err = process.communicate(timeout=120)
    # The object is there, the tool calls its creation failed, and its state knows nothing of it.
    assert process.returncode == 5, out + err
    assert (ends(yard)[-1].outcome, ends(yard)[-1].started) == (Outcome.UNKNOWN, ("lab_object.first",))
    yard.apply().ended(5, "HF-5020", "may create a second time: lab_object.first")
    assert yard.created() == {"first": 1}


def test_what_a_killed_tool_left_at_work_is_dead_before_anything_else_begins(yard: Yard) -> None:
    log = yard.folder / "log"
    commit(yard, LATE % {"log": log})
    process = yard.start("apply", "--yes")
    until(log.exists)
    (leader,) = leaders(yard)
    os.kill(leader, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 5, out + err
    assert tools(yard) == set(), "the grandchild would do its work behind our back"
    assert ends(yard)[-1].outcome is Outcome.UNKNOWN
    assert ends(yard)[-1].dead
    yard.apply().ended(5, "HF-5020", "may create a second time: terraform_data.late")
    assert log.read_text() == "begun\n"

"""Ctrl-C and `holdfast cancel`: whatever is left, the record says of it what is true, and nothing stays half decided."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from e2e_yard import Terminal, Yard, until
from promised import EXAMPLES, shape

from orchestrator.model.event import ApplyEnded, Outcome

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
SLOW = 'resource "lab_object" "slow" {\n  name  = "slow"\n  delay = 10\n}\n'
WEB = 'resource "terraform_data" "web" { input = "%s" }\n'


def ends(yard: Yard) -> list[ApplyEnded]:
    return [entry.event for entry in yard.entries("web") if isinstance(entry.event, ApplyEnded)]


@pytest.fixture
def slow(yard: Yard) -> Yard:
    """A stack whose only object takes its time, and is there before its creation has ended."""
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": yard.lab + SLOW})
    return yard


@pytest.fixture
def applied(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % "one"})
    yard.apply().ended(0)
    return yard


def is_unknown_and_made_once(yard: Yard) -> None:
    (end,) = ends(yard)
    assert (end.outcome, end.started, end.dead) == (Outcome.UNKNOWN, ("lab_object.slow",), True)
    yard.apply().ended(5, "may create a second time: lab_object.slow")
    assert yard.created() == {"slow": 1}
    yard.everything_belongs_to_an_attempt("web")
    yard.record_is_sound()


def test_a_run_that_is_cancelled_in_the_middle_of_a_create_is_unknown(slow: Yard) -> None:
    process = slow.start("apply", "--yes")
    until(lambda: slow.created()["slow"])
    slow.run("cancel", "1").ended(0, "told to stop")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "HF-5020" in out
    is_unknown_and_made_once(slow)
    slow.run("cancel", "1").ended(64, "HF-1914")


def test_a_run_that_is_cancelled_after_everybody_left_has_its_end_in_the_record(slow: Yard) -> None:
    person = Terminal(slow, "apply", "--yes")
    until(lambda: person.sees(b"") and slow.created()["slow"])
    person.press(b"\x03")
    assert person.ends() == 130
    assert b"detached: run 1 goes on" in person.said
    assert slow.status()["web"]["health"] == "Progressing"
    done = slow.run("cancel", "1", "-o", "json").ended(0, "nobody can say how attempt 1 ended").json
    assert shape({**done, "at_work": ["none"]}) == shape(EXAMPLES["cancel"])
    assert done["at_work"] == []
    assert slow.status()["web"]["health"] == "Unknown"
    is_unknown_and_made_once(slow)


@pytest.mark.full
def test_a_run_whose_command_was_killed_can_be_cancelled(slow: Yard) -> None:
    process = slow.start("apply", "--yes")
    until(lambda: slow.created()["slow"])
    process.kill()
    process.communicate()
    slow.run("cancel", "1").ended(0, "nobody can say how attempt 1 ended")
    is_unknown_and_made_once(slow)


def paused(yard: Yard) -> Path:
    """Have the tool's plans wait for as long as the returned file is there."""
    held, wrapper = yard.folder / "held", yard.folder / "bin" / "terraform"
    lines = wrapper.read_text().splitlines(keepends=True)
    wait = f'[ "$1" = plan ] && while [ -e "{held}" ]; do sleep 0.05; done\n'
    wrapper.write_text("".join([*lines[:-1], wait, lines[-1]]))
    held.touch()
    return held


def test_ctrl_c_while_it_is_planned_begins_nothing_and_leaves_no_hold(applied: Yard) -> None:
    held = paused(applied)
    applied.forget_starts()
    process = applied.start("apply", "--destroy", "web", "--confirm", "web")
    until(lambda: ("plan", "web") in applied.starts())
    process.send_signal(signal.SIGINT)
    held.unlink()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert applied.state("web").hold is None
    applied.apply().ended(0)
    assert len(ends(applied)) == 1


def test_a_plan_that_somebody_stops_is_no_failure_of_its_stack(applied: Yard) -> None:
    applied.commit({"web/main.tf": WEB % "two"})
    held = paused(applied)
    applied.forget_starts()
    process = applied.start("plan")
    until(lambda: ("plan", "web") in applied.starts())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    held.unlink()
    assert applied.status()["web"]["health"] == "Healthy"
    applied.run("plan").ended(0, "1 to")


def test_leaving_the_plan_of_a_rollback_leaves_no_hold(applied: Yard) -> None:
    applied.commit({"web/main.tf": WEB % "two"})
    applied.apply().ended(0)
    held = paused(applied)
    applied.forget_starts()
    person = Terminal(applied, "rollback", "web")
    until(lambda: person.sees(b"") and ("plan", "web") in applied.starts())
    person.press(b"\x03")
    assert person.ends() == 130
    held.unlink()
    assert b"ends here: nothing of it was being applied" in person.said
    assert applied.state("web").hold is None


def test_ctrl_c_at_the_question_is_a_no(applied: Yard) -> None:
    person = Terminal(applied, "apply", "--destroy", "web")
    until(lambda: person.sees(b"Type web"))
    assert applied.state("web").hold is not None
    person.press(b"\x03")
    assert person.ends() == 130, person.said
    assert applied.state("web").hold is None
    assert len(ends(applied)) == 1
    assert applied.run("runs", "-o", "json").json["runs"][0]["ended_at"], "the run is over"

"""Workers, keepers, tools and whole groups are killed: what ran is adopted or honestly unknown, never run twice."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from execution_yard import Yard, gone, number_in, step, until

from adapters.contract import Command, Handle, Result
from orchestrator.model.observed import Applying
from orchestrator.ports import NeverStarted

#: Writes its pid, waits to be let on, leaves an effect and a last line.
WAITING = "echo $$ > pid; echo begun; while [ ! -e enough ]; do sleep 0.02; done; echo effect >> effects; echo done"


def pids(attempt: Applying) -> tuple[int, int]:
    """Return keeper and tool, once both are at work."""
    until((step(attempt) / "tool.json").exists)
    return tuple(json.loads((step(attempt) / name).read_text())["pid"] for name in ("claim", "tool.json"))


def left(yard: Yard, attempt) -> Handle:
    """Return what is left of an attempt; how much the worker had told when it was killed is chance."""
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    return replace(found, told=0)


def reap(worker: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])


def test_a_killed_worker_does_not_kill_the_tool_and_its_result_is_adopted(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker(WAITING, attempt)
    number_in(yard.work / "pid")
    os.kill(worker, signal.SIGKILL)
    reap(worker)
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=True)
    assert not yard.attempts.wait(attempt, 0.2)
    (yard.work / "enough").touch()
    assert yard.attempts.wait(attempt, 10)
    result = Result(exit_code=0, stdout=b"begun\ndone\n", stderr=b"")
    assert left(yard, attempt) == Handle(folder=step(attempt), result=result, alive=False)
    assert (yard.work / "effects").read_text() == "effect\n"


def test_a_killed_group_of_the_worker_does_not_reach_the_tool(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker(WAITING, attempt)
    number_in(yard.work / "pid")
    os.killpg(worker, signal.SIGKILL)
    reap(worker)
    (yard.work / "enough").touch()
    assert yard.attempts.wait(attempt, 10)
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    assert found.result is not None


def test_a_killed_keeper_leaves_a_tool_that_is_seen_alive_and_then_unknown(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker(WAITING, attempt)
    keeper, tool = pids(attempt)
    os.kill(keeper, signal.SIGKILL)
    assert reap(worker) != 0
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=True)
    assert not gone(tool)
    (yard.work / "enough").touch()
    assert yard.attempts.wait(attempt, 10)
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=False)
    assert (step(attempt) / "stdout").read_bytes() == b"begun\ndone\n"


def test_an_orphan_is_found_though_its_keeper_died_before_it_could_write_the_pid(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker(WAITING, attempt, failpoint="keeper.spawned")
    tool = number_in(yard.work / "pid")
    reap(worker)
    assert not (step(attempt) / "tool.json").exists()
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=True)
    assert yard.attempts.kill(attempt)
    assert gone(tool)


def test_a_descendant_in_another_session_is_found_after_all_above_it_are_killed(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker("setsid sh -c 'echo $$ > runaway; sleep 600' & " + WAITING, attempt)
    runaway = number_in(yard.work / "runaway")
    keeper, tool = pids(attempt)
    for pid in (worker, keeper, tool):
        os.kill(pid, signal.SIGKILL)
    reap(worker)
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=True)
    assert yard.attempts.kill(attempt)
    assert gone(runaway)
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=False)


def test_everything_killed_at_once_is_unknown(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker(WAITING, attempt)
    keeper, tool = pids(attempt)
    number_in(yard.work / "pid")
    for pid in (worker, keeper, tool):
        os.kill(pid, signal.SIGKILL)
    reap(worker)
    until(lambda: gone(tool))
    assert yard.attempts.wait(attempt, 5)
    assert left(yard, attempt) == Handle(folder=step(attempt), result=None, alive=False)
    assert not (yard.work / "effects").exists()


def test_a_killed_tool_is_buried_with_its_descendants_before_the_attempt_is_over(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker("(trap '' HUP TERM INT; sleep 600) & echo $! > child; wait", attempt)
    child = number_in(yard.work / "child")
    os.kill(pids(attempt)[1], signal.SIGKILL)
    assert yard.attempts.wait(attempt, 10)
    assert gone(child)
    reap(worker)


def test_a_worker_that_stalls_before_it_starts_the_tool_never_starts_it_after_a_look(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    assert yard.attempts.look(attempt) == NeverStarted()
    assert yard.attempts.look(attempt) == NeverStarted()
    with pytest.raises(Exception, match="closed by somebody else"):
        shell.run(yard.sh("touch ran", mutates=True))
    assert not (yard.work / "ran").exists()
    # Whoever comes after the look may still work in the attempt, to rescue what was left.
    assert yard.change(attempt, "exit 0").exit_code == 0


def test_a_worker_that_stalls_between_two_steps_cannot_take_the_second_after_a_look(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    shell.run(yard.sh("echo one", mutates=True))
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    assert found.result == Result(exit_code=0, stdout=b"one\n", stderr=b"")
    with pytest.raises(Exception, match="closed by somebody else"):
        shell.run(yard.sh("touch ran", mutates=True))
    assert not (yard.work / "ran").exists()
    assert yard.attempts.look(attempt) == found


def test_killing_a_whole_attempt_is_proven_by_its_pids(yard: Yard) -> None:
    attempt = yard.attempt()
    script = "trap '' INT TERM; for n in 1 2 3; do setsid sh -c 'sleep 600' & done; " + WAITING
    worker = yard.worker(script, attempt)
    number_in(yard.work / "pid")
    keeper, tool = pids(attempt)
    assert yard.attempts.kill(attempt)
    assert gone(tool)
    until(lambda: gone(keeper))
    reap(worker)
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    assert (found.result, found.alive) == (None, False)


@pytest.mark.parametrize("turn", range(4))
def test_a_killed_attempt_never_looks_as_if_all_were_well(yard: Yard, turn: int) -> None:
    attempt = yard.attempt()
    # Ends well as soon as its child is gone.
    worker = yard.worker("sleep 600 & echo $! > child; wait; exit 0", attempt)
    number_in(yard.work / "child")
    until((step(attempt) / "tool.json").exists)
    assert yard.attempts.kill(attempt)
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    assert found.result is None
    reap(worker)


def test_a_stopped_keeper_is_killed_too(yard: Yard) -> None:
    attempt = yard.attempt()
    worker = yard.worker(WAITING, attempt)
    number_in(yard.work / "pid")
    keeper, tool = pids(attempt)
    os.kill(keeper, signal.SIGSTOP)
    assert yard.attempts.kill(attempt)
    assert gone(tool)
    assert gone(keeper)
    reap(worker)


def test_a_reader_that_stalls_does_not_stall_the_tool(yard: Yard) -> None:
    attempt = yard.attempt()
    hold = threading.Event()
    lines: list[str] = []

    def stalled(line: str) -> None:
        hold.wait(20)
        lines.append(line)

    shell = yard.shell(attempt=Path(attempt.folder))
    # Far more than a pipe holds.
    command = yard.sh("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; touch ended", mutates=True)
    thread = threading.Thread(target=shell.run, args=(command, stalled))
    thread.start()
    until((yard.work / "ended").exists)
    assert not lines
    hold.set()
    thread.join(20)
    assert lines == [f"line {n}" for n in range(20000)]


@pytest.mark.needs("terraform")
def test_terraform_goes_on_and_keeps_its_state_when_its_worker_is_killed(yard: Yard) -> None:
    (yard.work / "main.tf").write_text(
        """
resource "terraform_data" "first" {
  provisioner "local-exec" { command = "echo $$ > pid; while [ ! -e enough ]; do sleep 0.05; done; echo a >> effects" }
}
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo b >> effects" }
}
"""
    )
    init = Command(argv=("terraform", "init", "-input=false", "-no-color"), cwd=yard.work)
    assert yard.shell().run(init).exit_code == 0
    attempt = yard.attempt()
    worker = yard.worker("exec terraform apply -auto-approve -input=false -no-color", attempt)
    number_in(yard.work / "pid")
    os.kill(worker, signal.SIGKILL)
    reap(worker)
    (yard.work / "enough").touch()
    assert yard.attempts.wait(attempt, 30)
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    assert found.result is not None
    assert found.result.exit_code == 0, found.result
    assert b"Apply complete! Resources: 2 added" in found.result.stdout
    assert (yard.work / "effects").read_text() == "a\nb\n"
    state = json.loads((yard.work / "terraform.tfstate").read_text())
    assert len(state["resources"]) == 2

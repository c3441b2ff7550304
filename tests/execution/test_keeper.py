"""The keeper alone with real tools: claims, signals, descendants, words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from execution_yard import Yard, gone, number_in, step, until

from adapters.contract import Command, Handle, ToolMissing, ToolStopped
from orchestrator.effects import process, steps
from orchestrator.errors import ExecutionError, NotStarted
from orchestrator.ports import NeverStarted

#: Counts SIGINTs into a file and ends only when told to by another.
COUNTING = """
count=0
trap 'count=$((count+1)); echo $count > ints' INT
echo $$ > pid
while [ ! -e enough ]; do sleep 0.05; done
exit 7
"""


def run_aside(yard: Yard, attempt, script: str, **needs: object) -> tuple[threading.Thread, list[object]]:
    """Run a changing script in a thread; what came of it is in the list."""
    came: list[object] = []

    def run() -> None:
        try:
            came.append(yard.change(attempt, script, **needs))
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            came.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, came


def test_a_change_returns_what_the_tool_said(yard: Yard) -> None:
    attempt = yard.attempt()
    result = yard.change(attempt, "echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"out\n", b"err\n")
    word = json.loads((step(attempt) / "exit.json").read_text())
    assert {**word, "ended_at": 0} == {
        "exit_code": 3,
        "signal": None,
        "errno": 0,
        "timed_out": False,
        "cancelled": False,
        "ended_at": 0,
    }


def test_the_tool_writes_to_files_in_a_session_of_its_own_and_holds_nothing_else(yard: Yard) -> None:
    script = "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2; cut -d' ' -f1,5,6 /proc/$$/stat"
    attempt = yard.attempt()
    *ends, numbers = yard.change(attempt, script).stdout.decode().splitlines()
    folder = step(attempt)
    assert ends == ["/dev/null", f"{folder}/stdout", f"{folder}/stderr"]
    pid, group, session = numbers.split()
    assert pid == group == session
    listing = Command(argv=("ls", "/proc/self/fd"), cwd=yard.work, mutates=True)
    # The fourth is the listing's own.
    assert yard.shell(attempt=Path(attempt.folder)).run(listing).stdout == b"0\n1\n2\n3\n"


def test_no_core_is_dumped_and_no_file_is_for_others(yard: Yard) -> None:
    attempt = yard.attempt()
    result = yard.change(attempt, "ulimit -c; umask; touch made; sh -c 'kill -SEGV $$'; ls")
    assert result.stdout.split() == [b"0", b"0077", b"made"]
    for path in [Path(attempt.folder), *Path(attempt.folder).rglob("*"), yard.work / "made"]:
        assert path.lstat().st_mode & 0o077 == 0 or path.is_symlink(), path


def test_a_wish_to_stop_is_one_sigint_and_further_wishes_change_nothing(yard: Yard) -> None:
    attempt = yard.attempt()
    stop = threading.Event()
    thread, came = run_aside(yard, attempt, COUNTING, cancelled=stop.is_set)
    number_in(yard.work / "pid")
    stop.set()
    assert number_in(yard.work / "ints") == 1
    keeper = json.loads((step(attempt) / "claim").read_text())["pid"]
    for again in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(keeper, again)
    (step(attempt) / "cancel").touch()
    time.sleep(0.7)  # longer than the keeper's own tick: it has seen all of them
    assert number_in(yard.work / "ints") == 1
    (yard.work / "enough").touch()
    thread.join(15)
    assert isinstance(came[0], ToolStopped)
    word = json.loads((step(attempt) / "exit.json").read_text())
    assert (word["exit_code"], word["cancelled"], word["timed_out"]) == (7, True, False)


def test_a_tool_that_ignores_the_sigint_is_killed_with_its_tree_after_the_grace(yard: Yard) -> None:
    attempt = yard.attempt()
    script = "trap '' INT; sleep 600 & echo $! > child; echo $$ > pid; touch ready; wait; wait"
    with pytest.raises(ToolStopped, match="was cancelled"):
        yard.change(attempt, script, shells=yard.shells(grace_s=0.3), cancelled=(yard.work / "ready").exists)
    assert gone(number_in(yard.work / "pid"))
    assert gone(number_in(yard.work / "child"))
    word = json.loads((step(attempt) / "exit.json").read_text())
    assert (word["exit_code"], word["signal"], word["cancelled"]) == (None, 9, True)
    assert yard.attempts.look(attempt) == Handle(folder=step(attempt), result=None, alive=False)


def test_a_tool_out_of_time_is_stopped_and_has_left_no_result(yard: Yard) -> None:
    attempt = yard.attempt()
    with pytest.raises(ToolStopped, match=r"did not end within 0\.3 s"):
        yard.change(attempt, "sleep 600", timeout_s=0.3)
    word = json.loads((step(attempt) / "exit.json").read_text())
    assert (word["signal"], word["timed_out"], word["cancelled"]) == (2, True, False)
    assert yard.attempts.look(attempt) == Handle(folder=step(attempt), result=None, alive=False)


def test_a_tool_that_ends_well_in_spite_of_the_sigint_has_ended_well(yard: Yard) -> None:
    script = "trap 'exit 0' INT; touch ready; while :; do sleep 0.02; done"
    assert yard.change(yard.attempt(), script, cancelled=(yard.work / "ready").exists).exit_code == 0


@pytest.mark.parametrize("escape", ["setsid sh -c '{}' &", "(setsid setsid sh -c '{}' &) &"])
def test_no_word_is_left_before_a_grandchild_that_ran_away_is_dead(yard: Yard, escape: str) -> None:
    attempt = yard.attempt()
    run_away = escape.format("trap : TERM INT HUP; echo $$ > runaway; while :; do sleep 0.05; done")
    result = yard.change(attempt, f"{run_away} while [ ! -s runaway ]; do sleep 0.01; done; exit 0")
    assert result.exit_code == 0
    assert gone(number_in(yard.work / "runaway"))


def test_a_grandchild_that_needs_a_moment_gets_it(yard: Yard) -> None:
    yard.change(yard.attempt(), "(setsid sh -c 'sleep 0.2; touch tidied' &) &")
    assert (yard.work / "tidied").exists()


def test_a_killed_tool_has_left_no_result(yard: Yard) -> None:
    attempt = yard.attempt()
    with pytest.raises(ToolStopped, match="signal 9"):
        yard.change(attempt, "kill -9 $$")
    assert yard.attempts.look(attempt) == Handle(folder=step(attempt), result=None, alive=False)


def test_a_claimed_folder_is_never_run_again(yard: Yard) -> None:
    attempt = yard.attempt()
    folder = step(attempt)
    shell = yard.shell(attempt=Path(attempt.folder))
    assert yard.attempts.look(attempt) == NeverStarted()
    with pytest.raises(ExecutionError) as refused:
        shell.run(yard.sh("touch ran", mutates=True))
    assert refused.value.code == "HF-5003"
    assert (folder / "claim").exists()
    assert not (yard.work / "ran").exists()


def test_of_many_keepers_on_one_folder_exactly_one_runs(yard: Yard) -> None:
    attempt = yard.attempt()
    made = steps.begin(Path(attempt.folder), 1)
    launch = process.Launch(argv=("/bin/sh", "-c", "echo ran >> ran"), cwd=yard.work, env={}, grace_s=1.0)
    children = [process.start_keeper(launch, made.folder) for _ in range(6)]
    assert sorted(child.collect() for child in children) == [0, 3, 3, 3, 3, 3]
    assert (yard.work / "ran").read_text() == "ran\n"


def test_keepers_and_givers_up_race_and_one_of_them_wins(yard: Yard) -> None:
    for turn in range(12):
        attempt = yard.attempt()
        made = steps.begin(Path(attempt.folder), 1)
        mark = yard.work / f"ran{turn}"
        launch = process.Launch(argv=("/usr/bin/touch", str(mark)), cwd=yard.work, env={}, grace_s=1.0)
        child = process.start_keeper(launch, made.folder)
        # Somewhere around the moment of the claim.
        child.ended_within(0.010 + turn * 0.001)
        given_up = made.give_up()
        child.collect()
        assert mark.exists() is not given_up
        assert (yard.attempts.look(attempt) == NeverStarted()) is given_up


@pytest.mark.parametrize(
    "point", ["keeper.begun", "keeper.claimed", "keeper.spawned", "keeper.exited", "keeper.before_exit_written"]
)
def test_a_keeper_that_dies_anywhere_leaves_the_truth_or_nothing(yard: Yard, point: str) -> None:
    yard.outer["HOLDFAST_FAILPOINT"] = point
    attempt = yard.attempt()
    with pytest.raises(ExecutionError) as told:
        yard.change(attempt, "touch ran; sleep 0.3")
    look = yard.attempts.look(attempt)
    if point == "keeper.begun":
        assert isinstance(told.value, NotStarted)
        assert look == NeverStarted()
        assert not (yard.work / "ran").exists()
        return
    assert told.value.code == "HF-5001"
    assert isinstance(look, Handle)
    assert look.result is None
    assert yard.attempts.wait(attempt, 10)
    assert yard.attempts.look(attempt) == Handle(folder=step(attempt), result=None, alive=False)


def test_a_failpoint_names_the_step_that_it_is_for(yard: Yard) -> None:
    yard.outer["HOLDFAST_FAILPOINT"] = "keeper.claimed:2"
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    assert shell.run(yard.sh("exit 0", mutates=True)).exit_code == 0
    with pytest.raises(ExecutionError, match="keeper is gone"):
        shell.run(yard.sh("exit 0", mutates=True))


def test_a_missing_tool_is_said_before_a_step_is_taken(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    with pytest.raises(ToolMissing, match="no-such-tool"):
        shell.run(Command(argv=("no-such-tool",), cwd=yard.work, mutates=True))
    assert not step(attempt).exists()


def test_a_tool_that_cannot_start_has_not_started(yard: Yard) -> None:
    attempt = yard.attempt()
    script = yard.work / "tool"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(NotStarted, match="No such file"):
        yard.shell(attempt=Path(attempt.folder)).run(Command(argv=(str(script),), cwd=yard.work, mutates=True))
    assert yard.attempts.look(attempt) == NeverStarted()


FULL_DISK = """
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from execution_yard import Yard
from orchestrator.errors import NotStarted
home = Path({home!r})
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(home)], check=True)
yard = Yard(home=home, work=Path({work!r}), outer=dict(os.environ))
attempt = yard.attempt()
result = yard.change(attempt, f"cat /dev/zero > {{home}}/filler; echo lost; exit 5")
assert result.exit_code == 5, result
assert result.stdout == b"", "the disk was not full"
try:
    yard.change(yard.attempt(), "touch ran")
except NotStarted:
    assert not (yard.work / "ran").exists()
else:
    raise AssertionError("started on a full disk")
(home / "filler").unlink()
assert yard.attempts.look(attempt).result == result
"""


@pytest.mark.needs("unshare", "mount")
def test_a_full_disk_neither_silences_a_keeper_nor_lets_one_start(yard: Yard) -> None:
    yard.home.mkdir()
    code = FULL_DISK.format(tests=str(Path(__file__).parent), home=str(yard.home), work=str(yard.work))
    own_mounts = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run(
        [*own_mounts, "mount", "-t", "tmpfs", "tmpfs", yard.home], capture_output=True, check=False
    ).returncode:
        pytest.skip("this machine mounts nothing for this user")
    told = subprocess.run([*own_mounts, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_a_keeper_starts_in_milliseconds(yard: Yard) -> None:
    def once() -> float:
        attempt = yard.attempt()
        before = os.times()
        yard.change(attempt, "exit 0")
        after = os.times()
        return (after.children_user + after.children_system) - (before.children_user + before.children_system)

    # CPU of keeper and tool together, the best of a few: the machine may be busy.
    assert min(once() for _ in range(8)) <= 0.06


def test_the_keeper_passes_no_secret_through_disk_or_argv(yard: Yard) -> None:
    attempt = yard.attempt()
    thread, came = run_aside(
        yard, attempt, "echo $$ > pid; while [ ! -e enough ]; do sleep 0.02; done", credentials={"TOKEN": "canary-5f2c"}
    )
    number_in(yard.work / "pid")
    keeper = json.loads((step(attempt) / "claim").read_text())["pid"]
    assert b"canary-5f2c" not in Path(f"/proc/{keeper}/cmdline").read_bytes()
    assert b"canary-5f2c" not in Path(f"/proc/{keeper}/environ").read_bytes()
    for path in yard.home.rglob("*"):
        assert not path.is_file() or b"canary-5f2c" not in path.read_bytes(), path
    (yard.work / "enough").touch()
    thread.join(15)
    until(lambda: came)

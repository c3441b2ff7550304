"""Reading tools: files not pipes, bounded in time, ended with their tree, cheap."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from execution_yard import Yard, gone, number_in, until

from adapters.contract import Command, Result, ToolMissing, ToolStopped
from orchestrator.effects import liveness, process
from orchestrator.errors import ExecutionError, NotStarted


def launch(yard: Yard, script: str, **options: object) -> process.Launch:
    return process.Launch(argv=("/bin/sh", "-c", script), cwd=yard.work, env={}, **options)


def test_a_reading_tool_gets_exactly_its_environment_no_input_and_files(yard: Yard, tmp_path: Path) -> None:
    script = "env | sort; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2; echo x >&2; exit 4"
    wanted = process.Launch(argv=("/bin/sh", "-c", script), cwd=yard.work, env={"ONLY": "this"})
    ended = process.run(wanted, stdout=tmp_path / "out", stderr=tmp_path / "err")
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines == ["ONLY=this", f"PWD={yard.work}", "/dev/null", f"{tmp_path}/out", f"{tmp_path}/err"]
    assert (ended.exit_code, ended.timed_out, ended.cancelled) == (4, False, False)
    assert (tmp_path / "err").read_text() == "x\n"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert yard.shell().run(Command(argv=("ls", "/proc/self/fd"), cwd=yard.work)).stdout == b"0\n1\n2\n3\n"


def test_a_reading_tool_that_does_not_heed_its_one_sigint_is_killed_with_its_tree(yard: Yard) -> None:
    script = (
        "trap 'echo int >> ints' INT; setsid sleep 600 & echo $! > child; echo $$ > pid; touch ready;"
        "while :; do sleep 0.02; done"
    )
    with pytest.raises(ToolStopped, match="was cancelled"):
        yard.shell(shells=yard.shells(grace_s=0.5), cancelled=(yard.work / "ready").exists).run(yard.sh(script))
    assert (yard.work / "ints").read_text() == "int\n"
    assert gone(number_in(yard.work / "pid"))
    assert gone(number_in(yard.work / "child"))


def test_a_cancelled_reading_tool_gets_one_sigint_however_often_it_is_asked(yard: Yard) -> None:
    stop = threading.Event()
    script = "trap 'echo int >> ints; sleep 0.5; exit 1' INT; echo $$ > pid; while :; do sleep 0.02; done"
    came: list[BaseException] = []

    def read() -> None:
        try:
            yard.shell(cancelled=stop.is_set).run(yard.sh(script))
        except ToolStopped as error:
            came.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    number_in(yard.work / "pid")
    stop.set()
    thread.join(15)
    assert "was cancelled" in str(came[0])
    assert (yard.work / "ints").read_text() == "int\n"


def test_a_command_may_have_a_shorter_limit_than_its_stack(yard: Yard) -> None:
    with pytest.raises(ToolStopped, match=r"sh -c did not end within 0\.1 s"):
        yard.shell(timeout_s=60).run(yard.sh("sleep 60", timeout=0.1))


def test_what_a_reading_tool_leaves_in_its_group_is_killed(yard: Yard) -> None:
    yard.shell().run(yard.sh("(trap '' HUP; sleep 600) & echo $! > child"))
    child = number_in(yard.work / "child")
    until(lambda: gone(child))


def test_an_error_while_following_ends_the_reading_tool(yard: Yard) -> None:
    def fails(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="first"):
        yard.shell().run(yard.sh("echo $$ > pid; echo first; sleep 600"), fails)
    assert gone(number_in(yard.work / "pid"))


def test_lines_come_while_the_tool_still_runs(yard: Yard) -> None:
    seen: list[str] = []

    def on_line(line: str) -> None:
        seen.append(line)
        (yard.work / "go").touch()

    result = yard.shell().run(
        yard.sh("echo first; while [ ! -e go ]; do sleep 0.02; done; printf 'last, no end'"), on_line
    )
    assert seen == ["first", "last, no end"]
    assert result == Result(exit_code=0, stdout=b"first\nlast, no end", stderr=b"")


def test_nothing_of_a_reading_tool_stays_on_disk(yard: Yard) -> None:
    script = 'echo secret; echo secret >&2; echo secret > "$HOME/x"; echo secret > "$TMPDIR/x"; echo "$TMPDIR" > tmpdir'
    yard.shell().run(yard.sh(script))
    assert list((yard.home / "spool").iterdir()) == []
    assert not Path((yard.work / "tmpdir").read_text().strip()).exists()


def test_what_a_killed_worker_left_of_a_reading_tool_is_swept(yard: Yard) -> None:
    left = left_by_a_dead_worker(yard)
    (left / "stdout").write_text("secret")
    yard.shell().run(yard.sh(f"ls {yard.home}/spool > seen; : "))
    yard.shells().sweep()
    assert list((yard.home / "spool").iterdir()) == []


def left_by_a_dead_worker(yard: Yard) -> Path:
    space = re.sub(r"\D", "", liveness.pid_space())
    left = yard.home / "spool" / f"{os.getpid()}-1-{space}-abc"
    left.mkdir(parents=True)
    return left


def test_a_reading_tool_whose_worker_was_killed_is_asked_to_stop(yard: Yard) -> None:
    # It would go on holding its lock against the next one.
    left = left_by_a_dead_worker(yard)
    with subprocess.Popen(["sleep", "60"], env={"HOME": str(left / "home")}, start_new_session=True) as orphan:
        yard.shells().sweep()
        assert orphan.wait(5) == -signal.SIGINT
    assert list((yard.home / "spool").iterdir()) == []


def test_a_sweep_leaves_what_is_at_work(yard: Yard) -> None:
    def sweeping(line: str) -> None:
        yard.shells().sweep()

    assert yard.shell().run(yard.sh('echo go; sleep 0.3; touch "$TMPDIR/x" && echo there'), sweeping).exit_code == 0


def test_a_missing_tool_is_named_with_what_to_do(yard: Yard) -> None:
    with pytest.raises(ToolMissing, match="no-such-tool is not installed") as told:
        yard.shell().run(Command(argv=("no-such-tool",), cwd=yard.work))
    assert told.value.hint


def test_a_program_that_only_the_repository_has_is_not_found(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(yard.work)
    tool = yard.work / "evil"
    tool.write_text("#!/bin/sh\ntouch ran\n")
    tool.chmod(0o755)
    yard.outer["PATH"] = f":.:{yard.work.name}:{os.environ['PATH']}"
    for name in ("evil", "./evil"):
        with pytest.raises(ToolMissing):
            yard.shell().run(Command(argv=(name,), cwd=yard.work))


def test_a_missing_folder_is_told_apart_from_a_missing_tool(yard: Yard) -> None:
    with pytest.raises(ExecutionError, match="gone") as told:
        yard.shell().run(Command(argv=("true",), cwd=yard.work / "gone"))
    assert told.value.code == "HF-5009"


def test_a_change_outside_an_attempt_is_refused_and_runs_nothing(yard: Yard) -> None:
    with pytest.raises(ExecutionError) as refused:
        yard.shell().run(yard.sh("touch ran", mutates=True))
    assert refused.value.code == "HF-5002"
    assert not (yard.work / "ran").exists()


def test_running_out_of_descriptors_is_not_started(yard: Yard) -> None:
    shell = yard.shell()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(NotStarted):
            shell.run(yard.sh("touch ran"))
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not (yard.work / "ran").exists()


def test_a_tool_that_runs_is_not_lost_when_descriptors_run_out(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pidfd_open", exhausted)
    assert yard.change(yard.attempt(), "sleep 0.1; exit 3").exit_code == 3
    with pytest.raises(ToolStopped):
        yard.shell(timeout_s=0.1).run(yard.sh("sleep 60"))


def test_two_commands_of_one_name_never_run_side_by_side(yard: Yard) -> None:
    script = "mkdir alone || echo twice >> broken; sleep 0.05; rmdir alone"
    runs = [
        threading.Thread(target=yard.shell().run, args=(yard.sh(script, exclusive="plugins/cache"),)) for _ in range(4)
    ]
    for each in runs:
        each.start()
    for each in runs:
        each.join(20)
    assert not (yard.work / "broken").exists()


def test_a_lock_is_held_by_the_tool_itself_and_not_by_its_worker(yard: Yard) -> None:
    attempt = yard.attempt()
    keeper_waits = yard.sh("touch at_work; while [ ! -e enough ]; do sleep 0.02; done", mutates=True, exclusive="one")
    thread = threading.Thread(target=yard.shell(attempt=Path(attempt.folder)).run, args=(keeper_waits,))
    thread.start()
    until((yard.work / "at_work").exists)
    with pytest.raises(ExecutionError, match="'one', which another run holds") as told:
        yard.shell(timeout_s=0.1).run(yard.sh("touch ran", exclusive="one"))
    assert told.value.code == "HF-5006"
    with pytest.raises(ToolStopped, match="cancelled before it started"):
        yard.shell(cancelled=lambda: True).run(yard.sh("touch ran", exclusive="one"))
    (yard.work / "enough").touch()
    thread.join(20)
    yard.shell().run(yard.sh("touch ran", exclusive="one"))
    assert (yard.work / "ran").exists()


def test_a_reading_run_costs_little_of_our_own(yard: Yard, tmp_path: Path) -> None:
    wanted = process.Launch(argv=("/bin/true",), cwd=yard.work, env={})

    def cost(number: int) -> float:
        before = time.thread_time()
        for turn in range(10):
            process.run(wanted, stdout=tmp_path / f"{number}.{turn}.out", stderr=tmp_path / f"{number}.{turn}.err")
        return (time.thread_time() - before) / 10

    assert min(cost(number) for number in range(4)) <= 0.005


def test_a_long_wait_burns_no_cpu(yard: Yard, tmp_path: Path) -> None:
    before = time.thread_time()
    process.run(launch(yard, "sleep 1"), stdout=tmp_path / "out", stderr=tmp_path / "err")
    assert time.thread_time() - before <= 0.02


def test_a_small_command_gets_its_input_and_returns_its_output(yard: Yard) -> None:
    big = b"x" * 300_000
    result = process.quick(
        ["sh", "-c", "cat; echo no >&2; exit 2"], env=os.environ, cwd=yard.work, stdin=big, timeout=10
    )
    assert result == Result(exit_code=2, stdout=big, stderr=b"no\n")


def test_a_small_command_out_of_time_is_killed_with_its_group(yard: Yard) -> None:
    with pytest.raises(ExecutionError, match=r"did not end within 0\.2 s") as told:
        process.quick(["sh", "-c", "sleep 600 & echo $! > child; wait"], env=os.environ, cwd=yard.work, timeout=0.2)
    assert told.value.code == "HF-5008"
    child = number_in(yard.work / "child")
    until(lambda: gone(child))


def test_a_small_command_that_is_missing_is_named(yard: Yard) -> None:
    with pytest.raises(ExecutionError, match="no-such-tool") as told:
        process.quick(["no-such-tool"], env=os.environ, cwd=yard.work, timeout=5)
    assert told.value.code == "HF-5009"


def test_the_worker_itself_leaves_no_core(yard: Yard) -> None:
    code = (
        f"import sys, os, resource; from pathlib import Path; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from execution_yard import Yard\n"
        f"Yard(home=Path({str(yard.home)!r}), work=Path({str(yard.work)!r}), outer=dict(os.environ)).shell()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "(0, 0)\n"

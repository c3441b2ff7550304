"""Tools shut in with bubblewrap."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from execution_yard import Yard, gone, number_in, step, until

from adapters.contract import Command, Handle, ToolStopped
from orchestrator.effects.sandbox import Sandbox
from orchestrator.errors import ExecutionError


@pytest.fixture
def shut_in(yard: Yard) -> Sandbox:
    sandbox = Sandbox.find(os.environ["PATH"])
    tried = subprocess.run(
        [sandbox.bwrap, "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"],
        capture_output=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"bwrap does not work here: {tried.stderr.decode().strip()}")
    return sandbox


def test_a_sandbox_that_is_asked_for_and_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError) as told:
        Sandbox.find(str(tmp_path))
    assert told.value.code == "HF-5005"
    assert told.value.hint


@pytest.mark.needs("bwrap")
def test_a_tool_sees_its_own_folders_and_no_other_process(yard: Yard, shut_in: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "neighbour"
    secret.write_text("secret")
    (tmp_path / "kept").mkdir()
    script = f"""
cat {secret} /etc/shadow 2>/dev/null
cat /proc/*/environ | tr '\\0' '\\n' | grep CANARY
ls -d /proc/[0-9]* | wc -l
echo x > "$HOME/x" && echo x > "$TMPDIR/x" && echo x > {tmp_path}/kept/x && echo x > here && echo could write
touch /usr/x 2>/dev/null || echo read only
"""
    yard.outer["CANARY"] = "ours"
    os.environ["CANARY_OF_THE_WORKER"] = "1"
    shell = yard.shell(shells=yard.shells(sandbox=shut_in), writable=(yard.work, tmp_path / "kept"))
    lines = shell.run(yard.sh(script)).stdout.decode().splitlines()
    del os.environ["CANARY_OF_THE_WORKER"]
    assert int(lines[0]) <= 6
    assert lines[1:] == ["could write", "read only"]
    assert (tmp_path / "kept" / "x").exists()


@pytest.mark.needs("bwrap")
def test_a_command_that_stands_at_the_root_opens_nothing(yard: Yard, shut_in: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "neighbour").write_text("secret")
    script = f"cat {tmp_path}/neighbour /etc/shadow 2>/dev/null; touch {tmp_path}/made 2>/dev/null; echo ran"
    command = Command(argv=("sh", "-c", script), cwd=Path("/"))
    assert yard.shell(shells=yard.shells(sandbox=shut_in)).run(command).stdout == b"ran\n"
    assert not (tmp_path / "made").exists()


@pytest.mark.needs("bwrap")
def test_the_child_process_of_an_adapter_finds_its_code_inside(yard: Yard, shut_in: Sandbox) -> None:
    code = "import adapters.cloudformation.client, adapters.ansible.driver; print('found')"
    command = Command(argv=(sys.executable, "-I", "-c", code), cwd=yard.work)
    done = yard.shell(shells=yard.shells(sandbox=shut_in)).run(command)
    assert (done.stdout, done.stderr) == (b"found\n", b"")
    beside = Command(argv=(str(Path(sys.executable).with_name("ansible-playbook")), "--version"), cwd=Path("/"))
    assert yard.shell(shells=yard.shells(sandbox=shut_in)).run(beside).stdout.startswith(b"ansible-playbook")


@pytest.mark.needs("bwrap")
def test_the_network_and_its_names_stay_open(yard: Yard, shut_in: Sandbox) -> None:
    script = "cat /etc/hosts >/dev/null && ls /sys/class/net >/dev/null 2>&1; cat /proc/net/dev | grep -c :"
    assert int(yard.shell(shells=yard.shells(sandbox=shut_in)).run(yard.sh(script)).stdout.splitlines()[-1]) >= 1


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("changes", [False, True])
def test_one_sigint_reaches_the_tool_inside_and_it_may_end_in_its_own_time(
    yard: Yard, shut_in: Sandbox, *, changes: bool
) -> None:
    script = "trap 'echo int >> ints; sleep 1.4; echo tidied > tidied; exit 1' INT; echo 1 > pid; while :; do sleep 0.02; done"
    attempt = yard.attempt()
    stop = threading.Event()
    shell = yard.shell(
        shells=yard.shells(sandbox=shut_in), attempt=Path(attempt.folder), cancelled=stop.is_set, writable=(yard.work,)
    )
    came: list[BaseException] = []

    def run() -> None:
        try:
            shell.run(yard.sh(script, mutates=changes))
        except ToolStopped as error:
            came.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    number_in(yard.work / "pid")
    stop.set()
    thread.join(15)
    assert "was cancelled" in str(came[0])
    assert (yard.work / "ints").read_text() == "int\n"
    assert (yard.work / "tidied").exists()


def running(command: str) -> bool:
    """Whether a process with exactly these words runs anywhere."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes() == command.encode():
                return True
    return False


@pytest.mark.needs("bwrap")
def test_nothing_that_a_sandboxed_tool_starts_outlives_it(yard: Yard, shut_in: Sandbox) -> None:
    marker = f"60{os.getpid()}"
    yard.shell(shells=yard.shells(sandbox=shut_in)).run(yard.sh(f"setsid sh -c 'sleep {marker}' & sleep 0.1"))
    until(lambda: not running(f"sleep\0{marker}\0"))


@pytest.mark.needs("bwrap")
def test_a_sandboxed_tool_killed_by_a_signal_left_no_result(yard: Yard, shut_in: Sandbox) -> None:
    attempt = yard.attempt()
    with pytest.raises(ToolStopped, match="signal 9"):
        yard.change(attempt, "kill -9 $$", shells=yard.shells(sandbox=shut_in))


@pytest.mark.needs("bwrap")
def test_a_sandboxed_attempt_is_found_and_killed_whole(yard: Yard, shut_in: Sandbox) -> None:
    attempt = yard.attempt()
    script = "trap '' INT TERM; setsid sleep 600 & echo 1 > pid; sleep 600"
    shell = yard.shell(shells=yard.shells(sandbox=shut_in), attempt=Path(attempt.folder), writable=(yard.work,))

    def run() -> None:
        with contextlib.suppress(ExecutionError, ToolStopped):
            shell.run(yard.sh(script, mutates=True))

    thread = threading.Thread(target=run)
    thread.start()
    number_in(yard.work / "pid")
    found = yard.attempts.look(attempt)
    assert isinstance(found, Handle)
    assert found.alive
    tool = json.loads((step(attempt) / "tool.json").read_text())["pid"]
    assert yard.attempts.kill(attempt)
    assert gone(tool)
    thread.join(15)


READING_WORKER = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from execution_yard import Yard
from orchestrator.effects.sandbox import Sandbox
yard = Yard(home=Path({home!r}), work=Path({work!r}), outer=dict(os.environ))
shell = yard.shell(shells=yard.shells(sandbox=Sandbox.find(os.environ["PATH"])))
shell.run(yard.sh("touch at_work; sleep {marker}"))
"""


@pytest.mark.needs("bwrap")
def test_a_sandboxed_reading_tool_dies_with_its_worker(yard: Yard, shut_in: Sandbox) -> None:
    marker = f"61{os.getpid()}"
    code = READING_WORKER.format(
        tests=str(Path(__file__).parent), home=str(yard.home), work=str(yard.work), marker=marker
    )
    worker = subprocess.Popen([sys.executable, "-c", code])
    until((yard.work / "at_work").exists)
    until(lambda: running(f"sleep\0{marker}\0"))
    worker.kill()
    worker.wait()
    until(lambda: not running(f"sleep\0{marker}\0"))

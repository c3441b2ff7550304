"""What can be said of an attempt from its folder, its host, its boot and its pids."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from execution_yard import Yard, elsewhere, gone, step

from adapters.contract import Handle, Result, ToolStopped
from orchestrator.effects import liveness, steps
from orchestrator.effects.clock import SystemClock
from orchestrator.errors import NotStarted
from orchestrator.ports import Elsewhere, NeverStarted

DONE = Result(exit_code=0, stdout=b"done\n", stderr=b"")


@pytest.fixture
def stranger() -> int:
    """A living process that is none of ours."""
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield child.pid
    child.kill()
    child.wait()


def forge(folder: Path, pid: int, start: int, **other: object) -> None:
    """Write what a keeper of a crashed attempt would have left."""
    made = steps.begin(folder, 1)
    words = {"pid": pid, "start": start, "boot_id": liveness.boot_id(), "pid_space": liveness.pid_space(), **other}
    (made.folder / "claim").write_text(json.dumps(words))
    (made.folder / "tool.json").write_text(json.dumps({"pid": pid, "start": start}))
    (made.folder / "stdout").touch()


def test_an_attempt_of_another_host_proves_nothing(yard: Yard) -> None:
    attempt = elsewhere(yard.attempt(), host="other+12345678")
    found = yard.attempts.look(attempt)
    assert isinstance(found, Elsewhere)
    assert not found.dead
    assert "other+12345678" in found.why
    assert not yard.attempts.wait(attempt, 0.01)
    assert not yard.attempts.kill(attempt)
    assert list(Path(attempt.folder).iterdir()) == []


def test_after_a_reboot_an_attempt_without_a_word_is_dead_for_certain(yard: Yard, stranger: int) -> None:
    attempt = elsewhere(yard.attempt(), boot_id="00000000-0000-0000-0000-000000000000")
    life = liveness.life(stranger)
    forge(Path(attempt.folder), stranger, life.start)
    found = yard.attempts.look(attempt)
    assert isinstance(found, Elsewhere)
    assert found.dead
    assert yard.attempts.wait(attempt, 0)
    assert yard.attempts.kill(attempt)
    assert not gone(stranger)


def test_after_a_reboot_a_result_that_was_written_is_adopted(yard: Yard) -> None:
    attempt = yard.attempt()
    yard.change(attempt, "echo done")
    rebooted = elsewhere(attempt, boot_id="00000000-0000-0000-0000-000000000000")
    assert yard.attempts.look(rebooted) == Handle(folder=step(attempt), result=DONE, alive=False)


def test_after_a_reboot_an_unclaimed_attempt_never_started(yard: Yard) -> None:
    attempt = elsewhere(yard.attempt(), boot_id="00000000-0000-0000-0000-000000000000")
    assert yard.attempts.look(attempt) == NeverStarted()


def test_a_stranger_that_got_the_pid_is_neither_adopted_nor_killed(yard: Yard, stranger: int) -> None:
    attempt = yard.attempt()
    forge(Path(attempt.folder), stranger, liveness.life(stranger).start - 1)
    assert yard.attempts.look(attempt) == Handle(folder=step(attempt), result=None, alive=False)
    assert yard.attempts.wait(attempt, 0)
    assert yard.attempts.kill(attempt)
    assert not gone(stranger)


def test_the_pids_of_another_container_mean_nothing(yard: Yard, stranger: int) -> None:
    attempt = yard.attempt()
    forge(Path(attempt.folder), stranger, liveness.life(stranger).start, pid_space="pid:[1]")
    found = yard.attempts.look(attempt)
    assert isinstance(found, Elsewhere)
    assert not found.dead
    assert not yard.attempts.wait(attempt, 0)
    assert not gone(stranger)


def test_a_session_whose_leader_is_gone_is_in_doubt_alive_and_not_killed(yard: Yard) -> None:
    leader = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!"], stdout=subprocess.PIPE, start_new_session=True)
    orphan = int(leader.stdout.readline())
    leader.wait()
    attempt = yard.attempt()
    forge(Path(attempt.folder), leader.pid, 1)
    try:
        assert yard.attempts.look(attempt) == Handle(folder=step(attempt), result=None, alive=True)
        assert yard.attempts.doubt(attempt) == f"process {orphan} is alive, and may be its own"
        assert not yard.attempts.alive(attempt)
        assert not gone(orphan)
    finally:
        os.kill(orphan, signal.SIGKILL)
    assert yard.attempts.wait(attempt, 5)


def test_what_only_a_person_can_say_is_told_apart_from_what_a_look_can(yard: Yard, stranger: int) -> None:
    ended = yard.attempt()
    yard.change(ended, "echo done")
    other_boot = "00000000-0000-0000-0000-000000000000"
    container = yard.attempt()
    forge(Path(container.folder), stranger, liveness.life(stranger).start, pid_space="pid:[1]")
    assert yard.attempts.doubt(ended) == ""
    assert yard.attempts.doubt(elsewhere(ended, boot_id=other_boot)) == ""
    assert "other+12345678" in yard.attempts.doubt(elsewhere(ended, host="other+12345678"))
    assert "another container" in yard.attempts.doubt(container)
    assert yard.attempts.doubt(elsewhere(container, folder=f"{yard.home}/attempts/gone")) == ""
    assert not any(yard.attempts.alive(one) for one in (ended, container, elsewhere(container, boot_id=other_boot)))


def test_a_process_that_bears_the_attempts_mark_is_alive_whatever_its_host_was_called(yard: Yard) -> None:
    attempt = elsewhere(yard.attempt(), host="before")
    with subprocess.Popen(["sleep", "60"], env={liveness.MARKER: attempt.folder}) as child:
        assert yard.attempts.alive(attempt)
        child.kill()
    assert not yard.attempts.alive(attempt)


def test_an_attempt_that_is_taken_for_dead_is_what_its_folder_tells(yard: Yard, stranger: int) -> None:
    silent, ended, far = (elsewhere(yard.attempt(), host="other+12345678") for _ in range(3))
    forge(Path(silent.folder), stranger, liveness.life(stranger).start)
    yard.change(ended, "echo done")
    Path(far.folder).rmdir()
    for attempt, left in (
        (silent, Handle(folder=step(silent), result=None, alive=False)),
        (ended, Handle(folder=step(ended), result=DONE, alive=False)),
        (far, Handle(folder=Path(far.folder), result=None, alive=False)),
    ):
        taken = yard.attempts.taken_for_dead(attempt)
        assert taken.look(attempt) == left
        assert taken.kill(attempt)
        assert taken.wait(attempt, 0)
    assert not gone(stranger)
    assert isinstance(yard.attempts.look(silent), Elsewhere)


def test_a_folder_that_vanished_is_unknown_and_nothing_starts_in_it(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    Path(attempt.folder).rmdir()
    assert yard.attempts.look(attempt) == Handle(folder=Path(attempt.folder), result=None, alive=False)
    with pytest.raises(Exception, match="closed by somebody else"):
        shell.run(yard.sh("touch ran", mutates=True))
    assert not (yard.work / "ran").exists()


def test_the_last_of_several_commands_speaks_for_the_attempt(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    shell.run(yard.sh("echo first", mutates=True))
    shell.run(yard.sh("echo done", mutates=True))
    assert yard.attempts.look(attempt) == Handle(folder=step(attempt, 2), result=DONE, alive=False)


def test_closing_removes_every_byte_and_only_of_this_home(yard: Yard, tmp_path: Path) -> None:
    attempt = yard.attempt()
    script = 'echo "$TOKEN"; echo "$TOKEN" > "$HOME/note"; echo "$TOKEN" > "$TMPDIR/note"; echo "$TMPDIR" > tmpdir'
    yard.change(attempt, script, credentials={"TOKEN": "canary-77ab"}, secrets=("canary-77ab",))
    temporary = Path((yard.work / "tmpdir").read_text().strip())
    assert (temporary / "note").exists()
    yard.attempts.close(attempt)
    yard.attempts.close(attempt)
    assert not temporary.exists()
    assert not Path(attempt.folder).exists()
    for path in yard.home.rglob("*"):
        assert not path.is_file() or b"canary-77ab" not in path.read_bytes(), path
    precious = tmp_path / "precious"
    precious.mkdir()
    yard.attempts.close(elsewhere(attempt, folder=str(precious)))
    yard.attempts.close(elsewhere(attempt, folder=str(yard.home / "attempts" / ".." / "..")))
    assert precious.exists()
    assert yard.home.exists()


def test_folders_of_attempts_are_for_nobody_else_whatever_the_umask(yard: Yard) -> None:
    before = os.umask(0)
    try:
        attempt = yard.attempt()
        yard.change(attempt, "exit 0")
    finally:
        os.umask(before)
    for path in [yard.home / "attempts", Path(attempt.folder), *Path(attempt.folder).rglob("*")]:
        assert path.is_symlink() or path.stat().st_mode & 0o077 == 0, path


def test_a_home_that_cannot_be_written_starts_nothing(yard: Yard) -> None:
    yard.home.write_text("in the way")
    with pytest.raises(NotStarted):
        yard.attempts.prepare()


def left_attempts(yard: Yard, count: int) -> None:
    """Attempts of workers that were killed before they could clear up."""
    for _ in range(count):
        steps.begin(Path(yard.attempt().folder), 1)


def test_three_sweeps_at_once_remove_everything_and_none_of_them_fails(yard: Yard) -> None:
    # Every command begins with one.
    left_attempts(yard, 100)
    space = re.sub(r"\D", "", liveness.pid_space())
    for number in range(20):
        (yard.home / "spool" / f"{os.getpid()}-1-{space}-{number}" / "home").mkdir(parents=True)
    go = threading.Barrier(3)

    def sweep(_: int) -> None:
        go.wait()
        yard.attempts.sweep(tuple)
        yard.shells().sweep()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, range(3)))
    assert list((yard.home / "attempts").iterdir()) == []
    assert list((yard.home / "spool").iterdir()) == []


def test_what_another_sweep_removed_meanwhile_is_passed_over(yard: Yard) -> None:
    left_attempts(yard, 1)

    def another() -> tuple[str, ...]:
        yard.attempts.sweep(tuple)
        return ()

    yard.attempts.sweep(another)
    assert list((yard.home / "attempts").iterdir()) == []


def test_an_empty_folder_is_somebodys_who_has_yet_to_begin_until_an_hour_has_passed(yard: Yard) -> None:
    folder = Path(yard.attempt().folder)
    yard.attempts.sweep(tuple)
    assert folder.exists()
    replace(yard.attempts, clock=InAnHour()).sweep(tuple)
    assert not folder.exists()


class InAnHour(SystemClock):
    """The system's clock, an hour and a bit from now."""

    def now(self) -> float:
        return super().now() + 3700


def test_what_is_set_aside_says_nothing_of_how_an_attempt_ended(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder))
    shell.run(yard.sh("echo applied; exit 3", mutates=True))
    shell.run(yard.sh("echo saved", mutates=True, aside=True))
    found = yard.attempts.look(attempt)
    applied = Handle(folder=step(attempt), result=Result(exit_code=3, stdout=b"applied\n", stderr=b""), alive=False)
    assert found == applied
    # And again by whoever comes next, in the same attempt.
    again = yard.shell(attempt=Path(attempt.folder))
    again.run(yard.sh("exit 1", mutates=True, aside=True))
    assert yard.attempts.look(attempt) == applied


def test_an_attempt_in_which_only_something_was_set_aside_never_started(yard: Yard) -> None:
    attempt = yard.attempt()
    yard.shell(attempt=Path(attempt.folder)).run(yard.sh("echo saved", mutates=True, aside=True))
    assert yard.attempts.look(attempt) == NeverStarted()


def test_what_is_set_aside_is_not_stopped_along_with_the_run(yard: Yard) -> None:
    attempt = yard.attempt()
    shell = yard.shell(attempt=Path(attempt.folder), cancelled=lambda: True)
    with pytest.raises(ToolStopped):
        shell.run(yard.sh("sleep 60", mutates=True))
    assert shell.run(yard.sh("sleep 1; echo saved", mutates=True, aside=True)).stdout == b"saved\n"

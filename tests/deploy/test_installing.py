"""`holdfast service install` writes what systemd needs, and never over what a person wrote."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from promised import EXAMPLES, shape

from orchestrator.cli.show_doctor import Verdict
from orchestrator.cli.unit_exposure import exposure
from orchestrator.effects import leftovers, liveness

HOLDFAST = Path(sys.executable).with_name("holdfast")
PROGRAM = "/opt/holdfast/bin/holdfast"
FILES = {
    "etc/systemd/system/holdfast.service",
    "etc/systemd/system/holdfast-worker.service",
    "etc/sysusers.d/holdfast.conf",
    "etc/tmpfiles.d/holdfast.conf",
    "etc/holdfast/holdfast.yaml",
}


def holdfast(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOLDFAST, "service", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], **env},
    )


def install(root: Path, *words: str) -> dict[str, str]:
    """Install below a root; returns the fate of each file by its path in it."""
    done = holdfast("install", "--root", root, "--program", PROGRAM, "-o", "json", *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert shape(told) == shape(EXAMPLES["service install"])
    return {str(Path(one["path"]).relative_to(root)): one["fate"] for one in told["files"]}


def test_everything_is_written_and_names_the_program_that_was_installed(tmp_path: Path) -> None:
    assert set(install(tmp_path, "--dry-run")) == FILES
    assert not list(tmp_path.iterdir())
    assert set(install(tmp_path).values()) == {"written"}
    assert "\nhome: /var/lib/holdfast\n" in (tmp_path / "etc/holdfast/holdfast.yaml").read_text()
    unit = (tmp_path / "etc/systemd/system/holdfast.service").read_text()
    assert f"ExecStart={PROGRAM} serve" in unit
    assert f"ExecStopPost={PROGRAM} service end-leftovers" in unit
    assert "/usr/bin/holdfast" not in unit
    assert stat.S_IMODE((tmp_path / "etc/holdfast/holdfast.yaml").stat().st_mode) == 0o640


def test_a_second_time_writes_nothing_and_a_newer_release_writes_its_own_anew(tmp_path: Path) -> None:
    install(tmp_path)
    assert set(install(tmp_path).values()) == {"unchanged", "kept"}
    done = holdfast("install", "--root", tmp_path, "--program", "/usr/bin/holdfast")
    assert f"wrote {tmp_path}/etc/systemd/system/holdfast.service" in done.stderr
    assert "Next:  systemd-sysusers" in done.stderr


def test_what_a_person_changed_made_or_masked_is_kept(tmp_path: Path) -> None:
    install(tmp_path)
    unit = tmp_path / "etc/systemd/system/holdfast.service"
    worker = tmp_path / "etc/systemd/system/holdfast-worker.service"
    operator = tmp_path / "etc/holdfast/holdfast.yaml"
    user = tmp_path / "etc/sysusers.d/holdfast.conf"
    unit.write_text(unit.read_text().replace("PrivateTmp=yes", "PrivateTmp=no"))
    worker.unlink()
    worker.symlink_to("/dev/null")
    operator.write_text("version: 1\n")
    user.write_bytes(b"\xff\xfe not text\n")
    before = {path: path.read_bytes() for path in (unit, operator, user)}
    fates = install(tmp_path)
    assert {path for path, fate in fates.items() if fate == "kept"} == FILES - {"etc/tmpfiles.d/holdfast.conf"}
    assert before == {path: path.read_bytes() for path in before}
    assert worker.is_symlink()


def test_a_person_gets_a_unit_of_their_own(tmp_path: Path) -> None:
    done = holdfast("install", "--user", XDG_CONFIG_HOME=str(tmp_path), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"ExecStart={HOLDFAST} serve" in (tmp_path / "systemd/user/holdfast.service").read_text()
    operator = (tmp_path / "holdfast/holdfast.yaml").read_text()
    assert f"home: {tmp_path}/.local/state/holdfast/service\n" in operator
    assert "systemctl --user enable" in done.stderr


def test_a_program_that_the_unit_cannot_see_or_name_is_refused(tmp_path: Path) -> None:
    for path in ("/home/ana/.local/bin/holdfast", "/tmp/venv/bin/holdfast"):
        done = holdfast("install", "--root", tmp_path, "--program", path)
        assert done.returncode == 64
        assert "HF-1951" in done.stderr
    for path in ("bin/holdfast", "/opt/a b/holdfast", "/opt/%h/holdfast", "/opt/x\nUser=root"):
        done = holdfast("install", "--root", tmp_path, "--program", path)
        assert done.returncode == 64
        assert "HF-1900" in done.stderr
    assert holdfast("install", "--root", tmp_path, "--user").returncode == 64
    assert not list(tmp_path.iterdir())


def test_where_a_file_cannot_be_written_that_is_said_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where a folder should be")
    done = holdfast("install", "--root", tmp_path, "--program", PROGRAM)
    assert done.returncode == 64
    assert "HF-1950" in done.stderr
    assert "--user" in done.stderr


def test_nobody_but_systemd_may_have_leftovers_ended() -> None:
    for env in ({}, {"SERVICE_RESULT": "success"}, {"SERVICE_RESULT": "success", "SYSTEMD_EXEC_PID": "1"}):
        done = holdfast("end-leftovers", **env)
        assert done.returncode == 64
        assert "HF-1952" in done.stderr


@pytest.mark.parametrize(
    ("result", "code", "status", "meant"),
    [
        ("success", "exited", "0", True),
        ("success", "killed", "TERM", True),
        ("timeout", "killed", "KILL", True),
        ("exit-code", "exited", "5", True),
        ("exit-code", "exited", "1", False),
        ("exit-code", "exited", "64", False),
        ("signal", "killed", "KILL", False),
        ("watchdog", "killed", "ABRT", False),
        ("core-dump", "dumped", "SEGV", False),
        ("oom-kill", "killed", "KILL", False),
    ],
)
def test_a_deliberate_stop_is_told_from_a_crash(result: str, code: str, status: str, meant: bool) -> None:
    said = {"SERVICE_RESULT": result, "EXIT_CODE": code, "EXIT_STATUS": status}
    assert leftovers.deliberate(said) is meant


def test_one_that_was_killed_over_a_stop_had_said_that_it_was_told_to(tmp_path: Path) -> None:
    said = {
        "SERVICE_RESULT": "signal",
        "EXIT_CODE": "killed",
        "EXIT_STATUS": "KILL",
        "RUNTIME_DIRECTORY": str(tmp_path),
    }
    assert not leftovers.deliberate(said)
    leftovers.say_told(said)
    assert leftovers.deliberate(said)
    leftovers.forget_told(said)
    leftovers.forget_told(said)
    assert not leftovers.deliberate(said)


def processes(script: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a tree of two; returns its top and both ids."""
    top = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert top.stdout is not None
    return top, [top.pid, int(top.stdout.readline())]


@pytest.mark.parametrize(
    ("script", "killed"),
    [
        ("trap 'kill $!; exit 0' TERM; sleep 600 & echo $!; wait", 0),
        ("trap '' TERM; sleep 600 & echo $!; wait", 2),
    ],
)
def test_those_at_the_top_are_asked_first_and_who_stays_is_killed(script: str, killed: int) -> None:
    top, pids = processes(script)

    def there() -> list[int]:
        return [pid for pid in pids if liveness.life(pid)]

    began = time.monotonic()
    assert leftovers.end(1.0, there) == killed
    assert there() == []
    assert time.monotonic() - began < 8
    assert top.wait(5) == (-signal.SIGKILL if killed else 0)


def test_the_doctor_leaves_out_a_unit_that_is_not_there_and_says_so(tmp_path: Path) -> None:
    (one,) = exposure(lambda *_: pytest.fail("nothing is to be asked"), tmp_path)
    assert (one.verdict, one.found) == (Verdict.GOOD, "left out: none is installed")


@pytest.mark.needs("systemd-analyze")
def test_the_doctor_says_how_exposed_an_installed_unit_is(tmp_path: Path) -> None:
    install(tmp_path)
    unit = tmp_path / "etc/systemd/system/holdfast.service"

    def says(*words: str) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    assert {one.verdict for one in exposure(says, tmp_path)} == {Verdict.GOOD}
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    verdicts = {one.found.partition(":")[0]: one.verdict for one in exposure(says, tmp_path)}
    assert verdicts == {"holdfast.service": Verdict.WARNING, "holdfast-worker.service": Verdict.GOOD}
    assert "left out" in exposure(lambda *_: "", tmp_path)[0].found

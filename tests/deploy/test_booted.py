"""The unit as it is installed, under a real systemd: ready, watched, crashed, stopped, reloaded.

What this machine cannot show: memory limits are not enforced where the host's control groups are of the hybrid kind, so
no tool is killed for want of memory here (`OOMPolicy=`); and the sandbox works here even where a part of /proc is
covered, which it does nowhere else (see test_units).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from booted import BASE, CHECKOUT, PROGRAM, Machine, booted, installed, tools

pytestmark = [
    pytest.mark.full,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.needs("debootstrap", "systemd-nspawn", "nsenter", "terraform", "uv"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may boot a machine"),
]

OPERATOR = """
version: 1
home: /var/lib/holdfast
listen: "off"
workers: {sandbox: bwrap, grace: 5m}
sources:
  - name: infra
    directory: {path: /srv/infra, every: 10s}
"""
STACKS = "version: 1\ndefaults: {apply: auto}\nstacks:\n  slow: {tool: %s, path: slow}\n"
#: Says that it has begun, and goes on until it is let go; in the tool's own folder, which is all that it may write to.
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "echo begun >>begun; until [ -e go ]; do sleep 0.1; done; touch $TMPDIR/there && echo ended >>ended"
  }
}
"""


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    made = subprocess.run([CHECKOUT / "scripts/boot-root", BASE], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    # On a disk, and short: it is a whole system.
    folder = Path(tempfile.mkdtemp(prefix="hf-boot-", dir="/var/tmp"))
    try:
        installed(BASE, folder / "root", folder)
        with booted(folder / "root", tools(), folder / "console.log") as made_machine:
            made_machine.run(PROGRAM, "service", "install")
            made_machine.run("systemd-sysusers")
            made_machine.run("systemd-tmpfiles", "--create")
            yield made_machine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ground(machine: Machine) -> Iterator[Machine]:
    """The machine with nothing done yet, and one source whose only stack is slow."""
    machine.write("/etc/holdfast/holdfast.yaml", OPERATOR)
    machine.write(
        "/srv/infra/stacks.yaml", STACKS % {"terraform": "terraform", "tofu": "opentofu"}[next(iter(tools()))]
    )
    machine.write("/srv/infra/slow/main.tf", SLOW)
    # Quicker than the unit's own 30 s.
    machine.write("/etc/systemd/system/holdfast.service.d/quick.conf", "[Service]\nWatchdogSec=4s\n")
    machine.systemctl("daemon-reload")
    yield machine
    machine.systemctl("stop", "--no-block", "holdfast", code=None)

    def ended() -> bool:
        if begun := machine.found("begun"):
            begun.with_name("go").touch()
        return machine.shows("ActiveState") in {"inactive", "failed"}

    machine.until(ended)
    machine.systemctl("reset-failed", "holdfast", code=None)
    machine.run("rm", "-rf", "/etc/systemd/system/holdfast.service.d", "/srv/infra")
    machine.run("sh", "-c", "rm -rf /var/lib/holdfast/*")


def begun(machine: Machine) -> Path:
    """Start the service, and return the folder of the apply that it has begun."""
    machine.systemctl("start", "holdfast")
    machine.until(lambda: machine.found("begun"))
    there = machine.found("begun")
    assert there is not None
    assert [line for line in machine.alive().values() if line.startswith("bwrap") or "/bwrap " in line]
    return there.parent


def in_sync(machine: Machine) -> bool:
    (row,) = machine.asks("status")["stacks"]
    return bool(row["sync"] == "Synced")


def results(machine: Machine) -> list[str]:
    return [run["result"] for run in machine.asks("runs", "--all")["runs"]]


def test_systemd_takes_every_line_of_what_was_installed(ground: Machine) -> None:
    for name in ("holdfast.service", "holdfast-worker.service"):
        assert ground.run("systemd-analyze", "verify", name) == ""
    checks = {one["name"]: one for one in ground.asks("doctor")["checks"]}
    assert checks["systemd unit"]["verdict"] == "good", checks
    assert "exposure" in checks["systemd unit"]["found"]


def test_it_is_active_only_once_it_says_that_it_serves(ground: Machine) -> None:
    ground.systemctl("start", "--no-block", "holdfast")
    ground.until(lambda: ground.shows("MainPID") != "0")
    main = ground.shows("MainPID")
    ground.kill(main, signal.SIGSTOP)
    assert ground.shows("ActiveState") == "activating"
    ground.kill(main, signal.SIGCONT)
    ground.reaches("active")
    assert ground.shows("StatusText").startswith("serving infra")
    assert ground.shows("MainPID") == main


def test_one_that_hangs_is_started_anew(ground: Machine) -> None:
    ground.systemctl("start", "holdfast")
    main = ground.shows("MainPID")
    ground.kill(main, signal.SIGSTOP)
    ground.until(lambda: ground.shows("NRestarts") == "1")
    ground.reaches("active")
    assert ground.shows("MainPID") != main
    assert "watchdog" in ground.journal().lower()


def test_a_sandboxed_apply_goes_on_through_a_crash_and_is_taken_over(ground: Machine) -> None:
    folder = begun(ground)
    before = ground.alive()
    main = ground.shows("MainPID")
    keepers = {pid for pid, line in before.items() if "keeper.py" in line}
    assert keepers
    ground.kill(main, signal.SIGKILL)
    ground.until(lambda: ground.shows("NRestarts") == "1")
    ground.reaches("active")
    after = ground.alive()
    assert keepers <= set(after)
    assert main not in after
    assert "not told to stop" in ground.journal()
    (folder / "go").touch()
    ground.until(lambda: in_sync(ground))
    assert (folder / "begun").read_text() == "begun\n"
    assert (folder / "ended").read_text() == "ended\n"
    assert set(results(ground)) == {"success"}


def test_a_stop_lets_an_apply_end_and_leaves_nothing_alive(ground: Machine) -> None:
    folder = begun(ground)
    ground.systemctl("stop", "--no-block", "holdfast")
    ground.until(lambda: ground.shows("StatusText") == "draining")
    assert [line for line in ground.alive().values() if "keeper.py" in line]
    (folder / "go").touch()
    ground.reaches("inactive")
    assert ground.alive() == {}
    assert ground.shows("Result") == "success"
    assert in_sync(ground)


def test_killed_over_a_stop_it_leaves_nothing_alive_either(ground: Machine) -> None:
    begun(ground)
    ground.systemctl("stop", "--no-block", "holdfast")
    ground.until(lambda: ground.shows("StatusText") == "draining")
    ground.kill(ground.shows("MainPID"), signal.SIGKILL)
    ground.reaches("failed", 120)
    assert ground.shows("NRestarts") == "0"
    assert "told to stop: 6 processes were left" in ground.journal()
    assert ground.alive() == {}
    assert not in_sync(ground)


def test_a_bad_file_at_a_reload_is_said_and_costs_nothing(ground: Machine) -> None:
    ground.systemctl("start", "holdfast")
    ground.write("/etc/holdfast/holdfast.yaml", "version: 1\nsources: nonsense\n")
    ground.systemctl("reload", "holdfast")
    ground.until(lambda: "is bad, the old one is in force" in ground.shows("StatusText"))
    assert ground.shows("ActiveState") == "active"
    ground.write("/etc/holdfast/holdfast.yaml", OPERATOR)
    ground.systemctl("reload", "holdfast")
    ground.until(lambda: ground.shows("StatusText").startswith("serving"))


def test_a_file_that_cannot_be_used_is_not_tried_again_and_again(ground: Machine) -> None:
    ground.write("/etc/holdfast/holdfast.yaml", "version: 1\n")
    ground.systemctl("start", "holdfast", code=1)
    assert ground.shows("ExecMainStatus") == "64"
    assert (ground.shows("ActiveState"), ground.shows("NRestarts")) == ("failed", "0")
    assert "HF-1060" in ground.journal()

"""A small machine with a real systemd in it, booted by systemd-nspawn, with Holdfast installed from its wheel."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
#: Made once and kept: it takes minutes.
BASE = CHECKOUT / ".tools" / "boot" / "root"
PROGRAM = "/opt/holdfast/bin/holdfast"
#: What systemd says of itself once everything is started.
READY = {"running", "degraded"}
START = "import sys\nfrom orchestrator.cli.main import run\nsys.exit(run())\n"


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds; fail the test where it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@dataclass
class Machine:
    """One that is running."""

    root: Path
    #: Its first process, as this host numbers it.
    leader: int

    def run(self, *words: object, code: int | None = 0) -> str:
        """Run a command in it, as root; returns its output."""
        enter = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p"]
        done = subprocess.run(
            [*enter, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            stdin=subprocess.DEVNULL,
        )
        assert code in {None, done.returncode}, (
            f"{words}: {done.returncode}\n{done.stdout}{done.stderr}{self.journal()}"
        )
        return done.stdout

    def journal(self) -> str:
        enter = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p"]
        words = ["journalctl", "-u", "holdfast", "-n", "80", "--no-pager", "-o", "short-monotonic"]
        return subprocess.run([*enter, *words], capture_output=True, text=True, check=False, timeout=60).stdout

    def write(self, path: str, text: str) -> None:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def systemctl(self, *words: str, code: int | None = 0) -> str:
        return self.run("systemctl", *words, code=code)

    def shows(self, name: str) -> str:
        """One property of the service."""
        return self.systemctl("show", "-P", name, "holdfast").strip()

    def until(self, holds: Callable[[], object], seconds: float = 60.0) -> None:
        try:
            until(holds, seconds)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.systemctl('status', 'holdfast', code=None)}\n{self.journal()}"
            ) from None

    def reaches(self, state: str, seconds: float = 60.0) -> None:
        self.until(lambda: self.shows("ActiveState") == state, seconds)

    def kill(self, pid: str, number: signal.Signals) -> None:
        self.run("sh", "-c", f"kill -{number.value} {pid}")

    def alive(self) -> dict[str, str]:
        """What is in the service's control group: process id -> name."""
        look = (
            "for p in /proc/[0-9]*; do grep -qs holdfast.service $p/cgroup && "
            "echo ${p#/proc/} $(tr '\\0' ' ' <$p/cmdline); done; true"
        )
        lines = self.run("sh", "-c", look).splitlines()
        return {pid: rest for pid, _, rest in (line.partition(" ") for line in lines)}

    def holdfast(self, *words: str, code: int | None = 0) -> str:
        return self.run("runuser", "-u", "holdfast", "--", PROGRAM, "--source", "infra", *words, code=code)

    def asks(self, *words: str) -> Any:
        return json.loads(self.holdfast(*words, "-o", "json", code=None))

    def found(self, name: str) -> Path | None:
        """A file of that name that a tool made."""
        return next((self.root / "var/lib/holdfast").rglob(name), None)


def installed(base: Path, root: Path, work: Path) -> None:
    """Copy the base system to ``root`` and install the wheel of this checkout with its extra `service` in it."""
    subprocess.run(["cp", "-a", "--reflink=auto", base, root], check=True, timeout=300)
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", work, CHECKOUT], check=True, timeout=300)
    (wheel,) = work.glob("holdfast-*.whl")
    asked = "import sys; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
    version = subprocess.run(
        ["chroot", root, "python3", "-c", asked], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()
    library = root / f"opt/holdfast/lib/python{version}/site-packages"
    constraints = CHECKOUT / "constraints.txt"
    subprocess.run(
        [
            *("uv", "pip", "install", "--quiet", "--target", library, "--python-version", version),
            *("--constraints", constraints, "--build-constraints", constraints),
            f"holdfast[service] @ file://{wheel}",
        ],
        check=True,
        timeout=300,
        env={**os.environ, "UV_LINK_MODE": "copy"},
    )
    programs = root / "opt/holdfast/bin"
    programs.mkdir(parents=True)
    # What `python3 -m venv` and pip would have written in there.
    (root / "opt/holdfast/pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    (programs / "python3").symlink_to("/usr/bin/python3")
    (programs / "holdfast").write_text(f"#!/opt/holdfast/bin/python3\n{START}")
    (programs / "holdfast").chmod(0o755)


@contextmanager
def booted(root: Path, tools: dict[str, str], log: Path) -> Iterator[Machine]:
    """Boot the machine with programs of this host in its ``/usr/local/bin``; it has a network of its own, with nobody."""
    for name in tools:
        (root / "usr/local/bin" / name).touch()
    words = ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "--private-network", "-D", str(root), "--boot"]
    words += [f"--bind-ro={Path(path).resolve()}:/usr/local/bin/{name}" for name, path in tools.items()]
    with log.open("wb") as output:
        nspawn = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        below = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
        machine = Machine(root, 0)

        def up() -> bool:
            assert nspawn.poll() is None, log.read_text()
            # Its first child only makes the machine's first process, and goes.
            machine.leader = int((below.read_text().split() or ["0"])[0])
            # Degraded: a unit of the distribution's own does not like it here.
            return bool(machine.leader) and machine.systemctl("is-system-running", code=None).strip() in READY

        try:
            until(up, 90)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{log.read_text(errors='replace')}") from None
        yield machine
        machine.systemctl("poweroff", code=None)
        nspawn.wait(60)
    finally:
        if nspawn.poll() is None:
            nspawn.kill()
            nspawn.wait()


def tools() -> dict[str, str]:
    """The first of Terraform and OpenTofu that this host has."""
    return next({name: path} for name in ("terraform", "tofu") if (path := shutil.which(name)))

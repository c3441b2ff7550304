"""Hosts and the workers on them.

Where it may be, a host is one of its own: its name, its processes and its network are namespaces, joined to the
database by a cable that can be pulled. Without root all workers live on this one host.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HOLDFAST = Path(sys.executable).with_name("holdfast")
#: What the database and the cables are plugged into.
NETWORK = "10.213.77"


def may_make_hosts() -> bool:
    """Whether namespaces and cables can be made here."""
    probe = ["unshare", "--uts", "--net", "--pid", "--mount", "--fork", "--mount-proc", "true"]
    return os.geteuid() == 0 and subprocess.run(probe, capture_output=True, check=False).returncode == 0


def a_name_of_its_own() -> list[str]:
    """Return the words before a program that is to believe itself on another host; none where that cannot be."""
    for words in (["unshare", "--uts"], ["unshare", "--user", "--map-root-user", "--uts"]):
        if subprocess.run([*words, "hostname", "h0"], capture_output=True, check=False).returncode == 0:
            return words
    return []


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=30)


def children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@dataclass(kw_only=True)
class Switch:
    """What the cables are plugged into; nothing where there are no hosts of their own."""

    name: str

    def make(self) -> None:
        run("ip", "link", "add", self.name, "type", "bridge")
        run("ip", "addr", "add", f"{NETWORK}.1/24", "dev", self.name)
        run("ip", "link", "set", self.name, "up")

    def remove(self) -> None:
        with suppress(subprocess.SubprocessError):
            run("ip", "link", "del", self.name)


@dataclass(kw_only=True)
class Host:
    """One host: this one, or where there is a switch one of its own."""

    name: str
    number: int
    switch: Switch | None = None
    #: The words that give a program on this host another host's name.
    naming: Sequence[str] = ()
    shell: subprocess.Popen[bytes] | None = None

    @property
    def init(self) -> int:
        """Its first process: with it all others end."""
        assert self.shell
        return children(self.shell.pid)[0]

    @property
    def cable(self) -> str:
        assert self.switch
        return f"{self.switch.name}-{self.number}"

    def boot(self) -> None:
        if self.switch is None:
            return
        begin = f"hostname {self.name}; ip link set lo up; echo up; trap '' CHLD; exec sleep infinity"
        words = ["unshare", "--uts", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
        self.shell = subprocess.Popen(
            [*words, "sh", "-c", begin], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert self.shell.stdout
        assert self.shell.stdout.readline() == b"up\n"
        init = str(self.init)
        run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", init)
        run("ip", "link", "set", self.cable, "master", self.switch.name)
        run("ip", "link", "set", self.cable, "up")
        inside = ["nsenter", "-t", init, "-n", "ip"]
        run(*inside, "addr", "add", f"{NETWORK}.{10 + self.number}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")

    def plug(self, *, in_: bool) -> None:
        run("ip", "link", "set", self.cable, "up" if in_ else "down")

    def die(self) -> None:
        """End every process of it at once, as a loss of power does."""
        if self.shell and self.shell.poll() is None:
            with suppress(IndexError, ProcessLookupError):
                os.kill(self.init, signal.SIGKILL)
            self.shell.wait()

    def entered(self, *argv: str) -> list[str]:
        """Return the words that start a program on it."""
        if self.switch is None and not self.naming:
            return list(argv)
        if self.switch is None:
            return [*self.naming, "sh", "-c", f'hostname {self.name}; exec "$@"', "sh", *argv]
        return ["nsenter", "-t", str(self.init), "-m", "-u", "-n", "-p", "--", *argv]


@dataclass(kw_only=True)
class Worker:
    """`holdfast worker` on a host, with a home of its own."""

    host: Host
    folder: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    #: Whether it is to be at work: whoever supervises it starts it again where it is not.
    wanted: bool = False
    more: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.wanted = True
        words = self.host.entered(str(HOLDFAST), "worker", "--config", str(self.folder / "operator.yaml"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words,
                cwd=self.folder,
                env={**self.environment, **self.more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pids(self) -> list[int]:
        """Return the worker's process; before it, where it is on a host of its own, who entered it there."""
        assert self.process
        return [self.process.pid, *(children(self.process.pid)[:1] if self.host.switch else [])]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the worker alone: keepers and tools are processes of their own."""
        for pid in self.pids()[-1:] if number != signal.SIGCONT else self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        self.wanted = False
        if self.alive:
            self.signal(signal.SIGKILL)
            self.signal(signal.SIGCONT)
            assert self.process
            self.process.wait()

    def stop(self, seconds: float = 60.0) -> int:
        """Tell it to end, and return its exit code; it is killed where it does not."""
        assert self.process
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        self.kill()
        return -1

    def clear(self) -> None:
        """End everything of it: worker, keepers, tools."""
        self.kill()
        self.host.die()
        if self.host.switch is None:
            from orchestrator.effects import liveness  # noqa: PLC0415 -- only here

            for folder in (self.home / "attempts").glob("*"):
                liveness.end(liveness.marked(liveness.table(), str(folder)))


def wait_for(seconds: float) -> None:
    """Let time pass: a fault lasts as long as it lasts."""
    time.sleep(seconds)

"""Everything that is tormented: a database, hosts with workers, a repository of many stacks, and their cloud."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet
from hosts import Host, Switch, Worker, a_name_of_its_own
from server import Server

from orchestrator.effects.agenda import LEASE

ADAPTER = Path(__file__).with_name("adapter")
#: The code that is tormented: that which these tests belong to.
ROOT = Path(__file__).resolve().parents[2]
SOURCE = "estate"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large an estate is, and how quick. Seconds."""

    stacks: int
    workers: int
    #: So many stacks each worker works at once.
    slots: int = 4
    #: The wait of an apply before its effect, and after it.
    pause: float = 0.2
    lease: float = 6.0
    #: Between two looks at the repository.
    every: int = 5
    #: MiB of each worker's disk, where it is to have one of its own.
    disk: int = 0


@dataclass(kw_only=True)
class Estate:
    """One estate below ``folder``."""

    folder: Path
    size: Size
    server: Server
    switch: Switch | None = None
    workers: list[Worker] = field(default_factory=list)
    #: Stack -> the word that the last commit asks for.
    wanted: dict[str, str] = field(default_factory=dict)
    #: Rows of the agenda that somebody was told will be looked at. They are of no stack: a look comes to rest at once.
    acknowledged: list[str] = field(default_factory=list)
    #: Names of hosts that were lost with all that ran on them.
    lost: set[str] = field(default_factory=set)
    #: How often a worker had ended by itself.
    revived: int = 0
    _hosts: int = 0
    _mounts: list[Path] = field(default_factory=list)
    _key: str = field(default_factory=lambda: Fernet.generate_key().decode())
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def cloud(self) -> Path:
        return self.folder / "cloud"

    @property
    def checkout(self) -> Path:
        return self.folder / "infra"

    @property
    def names(self) -> list[str]:
        return [f"s{number:03}" for number in range(self.size.stacks)]

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder / "person"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONPATH": f"{self.folder / 'adapter'}{os.pathsep}{ROOT}",
            "HOLDFAST_SECRET_DATA_KEY": self._key,
            LEASE: str(self.size.lease),
        }

    def lay(self) -> None:
        """Make repository, cloud and adapter; start the database; boot the hosts. No worker is started."""
        for name in ("person", "cloud/objects", "cloud/busy"):
            (self.folder / name).mkdir(parents=True)
        self._lay_adapter()
        self.checkout.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")
        for name, value in (("user.name", "Ana"), ("user.email", "ana@lab.example"), ("gc.auto", "0")):
            self._git("config", name, value)
        keys = f"tool: ledger, cloud: {self.cloud}, pause: {self.size.pause}"
        lines = [f"  {name}: {{path: {name}, {keys}}}\n" for name in self.names]
        head = f"version: 1\nproject: {SOURCE}\ndiscover: false\ndefaults: {{apply: auto, drift: {{every: 1h}}}}\nstacks:\n"
        (self.checkout / "stacks.yaml").write_text(head + "".join(lines))
        self.ask_for(dict.fromkeys(self.names, "v1"))
        if self.switch:
            self.switch.make()
        self.server.make()
        self.workers = [self._worker(number) for number in range(self.size.workers)]

    def _lay_adapter(self) -> None:
        """Install the adapter where only the workers find it: a distribution of its own, as somebody else's would be."""
        shutil.copytree(ADAPTER, self.folder / "adapter")
        told = self.folder / "adapter/holdfast_ledger-1.0.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast-ledger\nVersion: 1.0.0\n")
        (told / "entry_points.txt").write_text("[orchestrator.adapters]\nledger = holdfast_ledger:build\n")

    def _worker(self, number: int) -> Worker:
        folder = self.folder / f"worker-{number}"
        (folder / "home").mkdir(parents=True, mode=0o700)
        if self.size.disk:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={self.size.disk}m,mode=700", "none", folder / "home"], check=True
            )
            self._mounts.append(folder / "home")
        source = {
            "name": SOURCE,
            "git": {"url": str(self.checkout), "branch": "main", "every": f"{self.size.every}s"},
        }
        operator = {
            "version": 1,
            "home": str(folder / "home"),
            "listen": "off",
            "database": self.server.url,
            "encryption": {"key": "${secret:data-key}"},
            "workers": {"count": self.size.slots},
            "sources": [source],
        }
        (folder / "operator.yaml").write_text(json.dumps(operator))
        return Worker(host=self.new_host(), folder=folder, environment=self.environment)

    def revive(self) -> None:
        """Start what ended by itself again, as whoever supervises a worker does."""
        for worker in self.workers:
            if not worker.alive and worker.wanted:
                worker.start()
                self.revived += 1

    def new_host(self) -> Host:
        """Boot a host that was never there before."""
        self._hosts += 1
        naming = [] if self.switch else a_name_of_its_own()
        host = Host(name=f"h{self._hosts}", number=self._hosts, switch=self.switch, naming=naming)
        host.boot()
        return host

    def ask_for(self, words: dict[str, str]) -> None:
        """Commit what is wanted of some stacks. Once this returns, it must come about."""
        with self._turn:
            for name, word in words.items():
                place = self.checkout / name / "wanted"
                place.parent.mkdir(exist_ok=True)
                place.write_text(f"{word}\n")
            self._git("add", "--all")
            self._git("commit", "--quiet", "--message=change")
            self.wanted.update(words)

    def ask_for_more(self, chance: random.Random, count: int) -> None:
        """Commit a new word for so many of the stacks."""
        some = chance.sample(self.names, min(count, self.size.stacks))
        self.ask_for({name: f"v{int(self.wanted[name][1:]) + 1}" for name in some})

    def _git(self, *words: str) -> None:
        subprocess.run(
            ["git", *words], cwd=self.checkout, env=self.environment, capture_output=True, check=True, timeout=60
        )

    def clear(self) -> None:
        """Leave nothing behind."""
        for worker in self.workers:
            worker.clear()
        self.server.run("pg_ctl", "-D", self.server.cluster, "-m", "immediate", "-s", "stop")
        if self.switch:
            self.switch.remove()
        for mount in self._mounts:
            subprocess.run(["umount", "--lazy", mount], check=False)


@contextmanager
def an_estate(folder: Path, size: Size, *, hosts: bool) -> Iterator[Estate]:
    """Make an estate and start its workers; whatever happens, nothing of it is left behind.

    ``hosts`` says whether each worker is on a host of its own, with a disk and a cable of its own.
    """
    switch = Switch(name=f"hf{os.getpid() % 100000}") if hosts else None
    server = Server(folder=folder / "server", address="10.213.77.1" if hosts else "127.0.0.1")
    made = Estate(folder=folder, size=size, server=server, switch=switch)
    try:
        made.lay()
        started(made.workers)
        yield made
    finally:
        made.clear()


def started(workers: Iterable[Worker]) -> None:
    for worker in workers:
        worker.start()

"""The installed program on a repository, a home and a cloud of its own, and what the record says afterwards."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import preloaded

from orchestrator.effects import liveness
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.model.event import ApplyEnded, ApplyStarted
from orchestrator.model.observed import State
from orchestrator.ports import Entry

HOLDFAST = Path(sys.executable).with_name("holdfast")
PROJECT = "estate"

#: What a stack of lab objects begins with.
LAB = """
terraform {
  required_providers {
    lab = { source = "lab.test/lab/lab", version = "0.1.0" }
  }
}
provider "lab" { root = "%s" }
"""


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds; fail the test where it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def ended(self, code: int, *words: str) -> Done:
        """Assert how it ended and that it said ``words``, and never a traceback. Returns itself."""
        assert self.code == code, f"{self.code}, not {code}\n{self.said}"
        assert "Traceback" not in self.said, self.said
        for word in words:
            assert word in self.said, f"{word!r} is missing in\n{self.said}"
        return self


@dataclass(kw_only=True)
class Yard:
    """One test's world below one folder."""

    folder: Path
    cli_config: Path
    #: Added to the environment of every command.
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        return self.folder / "infra"

    @property
    def cloud(self) -> Path:
        return self.folder / "cloud"

    @property
    def home(self) -> Path:
        return Path(self.extra.get("HOLDFAST_HOME", self.folder / "home"))

    @property
    def lab(self) -> str:
        """What a stack of lab objects begins with."""
        return LAB % self.cloud

    def lay(self) -> None:
        """Make the repository, and a ``terraform`` that says in a log when and where it was started."""
        self.checkout.mkdir()
        self.cloud.mkdir()
        (self.folder / "person").mkdir()
        real = shutil.which("terraform")
        wrapper = self.folder / "bin" / "terraform"
        wrapper.parent.mkdir()
        wrapper.write_text(f'#!/bin/sh\necho "$1 $PWD" >>"{self.folder}/tool.log"\nexec "{real}" "$@"\n')
        wrapper.chmod(0o755)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ana")
        self.git("config", "user.email", "ana@lab.example")

    def clear(self) -> None:
        """End what a failed test left at work."""
        for folder in (self.home / "attempts").glob("*"):
            for pid in liveness.marked(liveness.table(), str(folder)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a person who has nothing but what the test gives them."""
        kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
        return {
            **kept,
            "PATH": f"{self.folder}/bin{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "person"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOLDFAST_HOME": str(self.folder / "home"),
            "TF_CLI_CONFIG_FILE": str(self.cli_config),
            "COLUMNS": "200",
            **self.extra,
        }

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start the program in a session of its own and return it; it hears what whoever runs the tests ignores."""
        return subprocess.Popen(
            ["env", "--default-signal=HUP,INT", HOLDFAST, *words],
            cwd=self.checkout,
            env={**self.environment, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, timeout: float = 200.0, **env: str) -> Done:
        """Run the program to its end."""
        code, out, err = preloaded.run(words, cwd=self.checkout, env={**self.environment, **env}, timeout=timeout)
        return Done(code=code, out=out, err=err)

    def apply(self, *words: str, **env: str) -> Done:
        return self.run("apply", "--yes", *words, **env)

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.checkout, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "change") -> str:
        """Write and commit files, None removes one; returns the commit."""
        for name, content in files.items():
            path = self.checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def starts(self) -> list[tuple[str, str]]:
        """Return each start of the tool so far: its verb and the stack's folder."""
        log = self.folder / "tool.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(verb, folder.rpartition("/root/")[2]) for verb, _, folder in (line.partition(" ") for line in lines)]

    def forget_starts(self) -> None:
        (self.folder / "tool.log").unlink(missing_ok=True)

    def ledger(self) -> list[dict[str, Any]]:
        """Return what happened in the cloud, as the cloud itself says."""
        path = self.cloud / "ledger.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def objects(self) -> list[dict[str, Any]]:
        """Return what is in the cloud."""
        return [json.loads(path.read_text()) for path in sorted((self.cloud / "objects").glob("*.json"))]

    def created(self) -> Counter[str]:
        """Return how often each name was created."""
        return Counter(line["name"] for line in self.ledger() if line["act"] == "create")

    def edit_object(self, name: str, **values: Any) -> None:
        """Change an object behind the tool's back."""
        (file,) = (self.cloud / "objects").glob(f"{name}-*.json")
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    @contextmanager
    def record(self) -> Iterator[SqlRecord]:
        """Open the record as any reader would."""
        database = open_database(f"sqlite:///{self.home}/record.db")
        try:
            yield SqlRecord(database=database, clock=SystemClock(), actor="test")
        finally:
            database.close()

    def key(self, stack: str) -> str:
        return f"{PROJECT}/{stack}@default"

    def state(self, stack: str) -> State:
        """Return what is true of a stack, as the record has it."""
        with self.record() as record:
            return record.row(self.key(stack)).state

    def entries(self, stack: str | None = None) -> list[Entry]:
        """Return everything that happened."""
        found: list[Entry] = []
        with self.record() as record:
            while True:
                some = record.events(
                    stack=self.key(stack) if stack else None, after=found[-1].seq if found else 0, limit=1000
                )
                if not some:
                    return found
                found += some

    def status(self, *words: str) -> dict[str, Any]:
        """Return ``holdfast status -o json`` by stack."""
        return {row["stack"]: row for row in self.run("status", "-o", "json", *words).ended(0).json["stacks"]}

    def attempts(self, stack: str) -> list[tuple[ApplyStarted, float, ApplyEnded | None, float]]:
        """Return each attempt of a stack: begin, its time, end, its time (infinity where none is recorded)."""
        entries = self.entries(stack)
        ends = {e.event.attempt: (e.event, e.at) for e in entries if isinstance(e.event, ApplyEnded)}
        return [
            (e.event, e.at, *ends.get(e.event.attempt.number, (None, float("inf"))))
            for e in entries
            if isinstance(e.event, ApplyStarted)
        ]

    def everything_belongs_to_an_attempt(self, stack: str) -> None:
        """Assert that each effect lies between begin and end of a recorded attempt, and attempts never overlap."""
        spans = [(began, ended) for _, began, _, ended in self.attempts(stack)]
        for line in self.ledger():
            assert any(began <= line["at"] <= ended for began, ended in spans), (line, spans)
        for (_, ended), (began, _) in pairwise(spans):
            assert ended <= began, spans

    def record_is_sound(self) -> None:
        """Assert that the chain verifies and that the rows are what their events fold to."""
        self.run("audit", "verify").ended(0)

    def files_below(self, folder: Path) -> Iterator[tuple[Path, bytes]]:
        """Yield each regular file and its content."""
        for path in folder.rglob("*"):
            if stat.S_ISREG(path.lstat().st_mode):
                yield path, path.read_bytes()


class Terminal:
    """The program in front of a person."""

    def __init__(self, yard: Yard, *words: str) -> None:
        self.said = b""
        self.child, self.terminal = pty.fork()
        if not self.child:
            os.chdir(yard.checkout)
            for ignored in (signal.SIGHUP, signal.SIGINT):
                signal.signal(ignored, signal.SIG_DFL)
            env = {**yard.environment, "TERM": "xterm"}
            os.execve(HOLDFAST, [str(HOLDFAST), *words], env)  # noqa: S606 -- the installed program itself

    def sees(self, text: bytes) -> bool:
        if select.select([self.terminal], [], [], 0.05)[0]:
            try:
                self.said += os.read(self.terminal, 65536)
            except OSError:
                return True
        return text in self.said

    def press(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def ends(self) -> int:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.sees(b"\0")
            done, status = os.waitpid(self.child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        raise AssertionError(self.said.decode())

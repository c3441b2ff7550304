"""`holdfast serve` on plain directories, and a client in front of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import preloaded

from orchestrator.effects.clock import SystemClock
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database

HOLDFAST = Path(sys.executable).with_name("holdfast")
KINDS = ("github", "gitlab", "gitea", "bitbucket", "generic")
#: A secret of each hook; that of `standard` is written as Standard Webhooks has it.
SECRETS = {kind: f"c4n4ry-{kind}-secret" for kind in KINDS} | {"standard": "whsec_" + "QUJDREVGR0hJSktMTU5PUA=="}


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds; fail the test where it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Service:
    """One service: its file, its home, its process."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        self.folder, self.home = folder, folder / "home"
        self.config, self.log = folder / "holdfast.yaml", folder / "serve.log"
        self.lab = folder / "lab"
        self.lab.mkdir()
        (self.lab / "stacks.yaml").write_text("version: 1\ndiscover: false\n")
        self.keys = {
            "version": 1,
            "home": str(self.home),
            "listen": "127.0.0.1:0",
            "sources": [self.source("lab"), *(self.hooked(kind) for kind in KINDS)],
            "trusted_proxies": ["127.0.0.1"],
            "auth": {
                "roles": {
                    "web": {"can": ["view", "plan"], "stacks": ["web@*"]},
                    "lab": {"can": ["view"], "stacks": ["lab/*"]},
                    "nobody": {"can": ["view"], "stacks": []},
                }
            },
            **keys,
        }
        self.write()
        self.process: preloaded.Begun | subprocess.Popen[bytes]
        self.first = ""
        self.extra: dict[str, str] = {}

    def source(self, name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "directory": {"path": str(self.lab), "every": "1h", "watch": False}, **more}

    def hooked(self, kind: str) -> dict[str, Any]:
        return self.source(kind, hook={"kind": kind, "secret": [f"${{secret:{kind}}}", f"${{secret:{kind}-next}}"]})

    def write(self) -> None:
        self.config.write_text(json.dumps(self.keys))

    @property
    def environment(self) -> dict[str, str]:
        secrets = {f"HOLDFAST_SECRET_{kind.upper()}": secret for kind, secret in SECRETS.items()}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "HOLDFAST_CONFIG": str(self.config),
            "HOLDFAST_SECRET_GENERIC_NEXT": SECRETS["standard"],
            "HOLDFAST_SECRET_GITLAB_NEXT": SECRETS["standard"],
            **secrets,
            **self.extra,
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the service's host."""
        code, out, err = preloaded.run(words, cwd=self.folder, env=self.environment, timeout=60)
        return subprocess.CompletedProcess(words, code, out, err)

    def start(self, *words: str) -> None:
        """Start the program itself, as it is installed."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [HOLDFAST, "serve", *words],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ends(self) -> int:
        """Wait for its end, and see to it; return its exit code."""
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()

    @property
    def said(self) -> str:
        return self.log.read_text()

    def lines(self, event: str) -> list[dict[str, Any]]:
        whole = [line for line in self.said.splitlines(keepends=True) if line.endswith("\n") and line.startswith("{")]
        return [line for line in map(json.loads, whole) if line["event"] == event]

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, as long as the service is there."""

        def looks() -> object:
            assert self.process.poll() is None, self.said
            return holds()

        until(looks)

    @contextmanager
    def at_work(self, *words: str) -> Iterator[Service]:
        """Serve for as long as the block runs."""
        self.log.write_bytes(b"")
        self.process = preloaded.Begun(["serve", *words], self.folder, self.environment, [self.log, self.log])
        try:
            self.until(lambda: self.lines("serving"))
            shown = [line.rpartition(" ")[2] for line in self.said.splitlines() if line.startswith("The first token")]
            self.first = shown[0] if shown else self.first
            self.url = f"http://{self.lines('serving')[0]['listen']}"
            with httpx2.Client(base_url=self.url, timeout=30) as self.http:
                yield self
        finally:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(60)
                finally:
                    self.process.kill()
                    self.process.wait()

    def token(self, name: str, role: str, *more: str) -> str:
        """Make a token on the service's host, as a person does."""
        done = self.run("token", "create", name, "--role", role, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx2.Response:
        bearer = {"authorization": f"Bearer {token}"} if token is not None else {}
        return self.http.get(path, headers={**bearer, **headers})

    def looked(self) -> dict[str, float]:
        """Return when each source was last looked at, as the record has it."""
        database = open_database(f"sqlite:///{self.home}/record.db")
        try:
            found = SqlRecord(database=database, clock=SystemClock(), actor="test").recollect("sources")
            return {name: value["looked_at"] for name, value in found.items()}  # type: ignore[call-overload,index]
        finally:
            database.close()

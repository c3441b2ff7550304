"""Git repositories of the tests' own making, and everything that a source's tests ask of them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from orchestrator.effects.process import quick
from orchestrator.effects.sources import VersionedSources
from orchestrator.errors import SecretMissing
from orchestrator.model.policy import Policy
from orchestrator.model.source import Source, SourceKind
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import Secret

ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "1750000000 +0000",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "1750000000 +0000",
}


@dataclass(frozen=True)
class Repository:
    """A checkout on the branch ``main``."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, path: Path, *options: str) -> Repository:
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "-q", "-b", "main", *options)
        return made

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        env = {**ENV, **self.env}
        done = subprocess.run(["git", *args], cwd=self.path, env=env, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, str | bytes] | None = None, message: str = "a change", *options: str) -> str:
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", *options, "-m", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


class OneSecret:
    """A secret store that knows one token."""

    def __init__(self, value: str = "") -> None:
        self.value = value

    def get(self, name: str) -> Secret:
        if name != "token":
            raise SecretMissing(name)
        return Secret(value=self.value, version="1")

    def versions(self, names):
        return dict.fromkeys(names, "1")


class Counting:
    """Runs programs for real and keeps what was run."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []
        self.environments: list[dict[str, str]] = []

    def __call__(self, argv, *, env, cwd, stdin=b"", timeout):
        self.seen.append(tuple(argv))
        self.environments.append(dict(env))
        return quick(argv, env=env, cwd=cwd, stdin=stdin, timeout=timeout)

    @property
    def fetches(self) -> int:
        return sum("git_fetch" in " ".join(argv) for argv in self.seen)


@dataclass
class Yard:
    """Sources under a home of their own, and every program that they started."""

    home: Path
    runs: Counting = field(default_factory=Counting)
    outer: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    token: str = ""

    @property
    def sources(self) -> VersionedSources:
        return VersionedSources(home=self.home, outer=self.outer, run=self.runs, secrets=OneSecret(self.token))


def git_source(location: object, **settings: object) -> Source:
    return Source(id="infra", kind=SourceKind.GIT, location=str(location), **settings)


def directory_source(location: object) -> Source:
    return Source(id="folder", kind=SourceKind.DIRECTORY, location=str(location))


def stack(path: str = "web", name: str = "web", environment: str = "default") -> Stack:
    key = StackKey(source="infra", name=name, environment=environment)
    return Stack(key=key, tool="terraform", path=PurePosixPath(path), policy=Policy())

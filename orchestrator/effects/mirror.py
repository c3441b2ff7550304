"""Keeps a source's bare mirror up to date, by way of a short-lived fetch process."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.effects.git import Git, Run, git_environment, last_line
from orchestrator.effects.location import Location, Transport
from orchestrator.errors import ExecutionError, SourceGone, SourceUnreachable
from orchestrator.model.source import Source

#: Where the remote's HEAD is kept when the source names no ref.
REMOTE_HEAD: Final = "refs/holdfast/head"
#: Seconds that a fetch may take.
FETCH_LIMIT: Final = 900.0

_FETCHER: Final = Path(__file__).with_name("git_fetch.py")
_OPTIONS: Final = ("--prune", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--quiet", "--force")
_BRANCHES_AND_TAGS: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_ASKPASS: Final = """#!/bin/sh
case "$1" in
  Username*) printf '%s\\n' "$HOLDFAST_GIT_USER" ;;
  *) printf '%s\\n' "$HOLDFAST_GIT_TOKEN" ;;
esac
"""
_LOGIN_REFUSED: Final = (
    "Host key verification failed",
    "Permission denied",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "error: 401",
    "error: 403",
    "No ED25519 host key is known",
    "dubious ownership",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One source's bare repository under ``<home>/sources/<id>/``."""

    folder: Path
    source: Source
    location: Location
    outer: Mapping[str, str]
    run: Run

    @property
    def git(self) -> Git:
        """The mirror, for questions."""
        return Git(folder=self.folder / "mirror.git", env=git_environment(self.outer), run=self.run)

    @property
    def exists(self) -> bool:
        """Whether anything was ever fetched."""
        return (self.folder / "mirror.git" / "HEAD").exists()

    def holds(self, commit: str) -> bool:
        """Whether a commit was fetched with all that it leads to: a killed fetch may leave a part of it."""
        # Git's own proof that a history is whole: what the refs lead to need not be walked again.
        argv = ("rev-list", "--objects", "--quiet", "--not", "--all", "--not", "--end-of-options", commit)
        return self.exists and self.git.ask(*argv).exit_code == 0

    @property
    def shallow(self) -> bool:
        """Whether the history ends early because the place it came from was cloned so."""
        return (self.folder / "mirror.git" / "shallow").exists()

    def make(self, object_format: str) -> None:
        """Make the mirror of a repository that has no commit yet, unless it is there. Raises SourceError."""
        if not self.exists:
            self.git.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.git.tell("init", "--bare", "--quiet", "--template=", f"--object-format={object_format}")

    def fetch(self, token: str, *, wanted: str = "") -> None:
        """Bring branches, tags and HEAD up to date; whoever waited for another's fetch takes that one's result.

        ``wanted`` is the commit that is all we came for, if it is just one. Raises SourceUnreachable.
        """
        asked = time.time_ns()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self.folder / "lock"):
            now = time.time_ns()
            # One that had begun before we asked may have missed what we came for; a clock may have been set back.
            if asked <= self._begun() <= now or (wanted and self.holds(wanted)):
                return
            head = () if self.source.ref else (f"+HEAD:{REMOTE_HEAD}",)
            self._fetch(token, (*_BRANCHES_AND_TAGS, *head))
            fresh = self.folder / "fetched.new"
            fresh.write_text(f"{now} {self.location.url}")
            fresh.replace(self.folder / "fetched")

    def bring(self, token: str, refs: Mapping[str, str]) -> None:
        """Fetch single refs of the remote, each into a ref of ours. Raises SourceUnreachable."""
        with _locked(self.folder / "lock"):
            self._fetch(token, tuple(f"+{theirs}:{ours}" for theirs, ours in refs.items()))

    def _begun(self) -> int:
        """Return when the last fetch from this very place began (nanoseconds since the epoch), 0 for none known."""
        try:
            begun, _, url = (self.folder / "fetched").read_text().partition(" ")
            return int(begun) if url == self.location.url else 0
        except (OSError, ValueError):
            return 0

    def _fetch(self, token: str, refspecs: tuple[str, ...]) -> None:
        local = self.location.transport is Transport.FILE
        request = {
            "mirror": str(self.folder / "mirror.git"),
            "url": self.location.url,
            "options": [*_OPTIONS, *(("--update-shallow",) if local else ())],
            "refspecs": list(refspecs),
        }
        try:
            result = self.run(
                [sys.executable, "-I", str(_FETCHER)],
                env=self._environment(token),
                cwd=self.folder,
                stdin=json.dumps(request).encode(),
                timeout=FETCH_LIMIT,
            )
        except ExecutionError as failure:
            raise SourceUnreachable(
                f"source {self.source.id}: {failure.message}", hint="check the network, then run the command again"
            ) from failure
        status, message = _answer(result.stdout, result.stderr)
        if status != 0:
            raise self._unreachable(message.replace(token, "***") if token else message)

    def _environment(self, token: str) -> dict[str, str]:
        transport = self.location.transport
        env = git_environment(self.outer, protocols=transport.value, own=transport is Transport.FILE)
        env["GIT_DIR"] = str(self.folder / "mirror.git")
        env["GIT_PYTHON_REFRESH"] = "quiet"
        if transport is Transport.SSH:
            env["GIT_SSH_COMMAND"] = ssh_command(self.source)
            env["GIT_SSH_VARIANT"] = "ssh"
        if transport is Transport.HTTPS and token:
            env["GIT_ASKPASS"] = str(self._askpass())
            env["HOLDFAST_GIT_USER"] = self.location.user or "x-access-token"
            env["HOLDFAST_GIT_TOKEN"] = token
        return env

    def _askpass(self) -> Path:
        """Write the program that hands the token to git: it holds no secret itself."""
        path = self.folder / "askpass"
        if not path.exists():
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_text(_ASKPASS)
            fresh.chmod(0o700)
            fresh.replace(path)
        return path

    def _unreachable(self, message: str) -> SourceUnreachable:
        name = f"source {self.source.id} ({self.location.url})"
        if "couldn't find remote ref HEAD" in message:
            return gone(self.source, "its HEAD names no commit: the repository is empty or its branch was deleted")
        if any(sign in message for sign in _LOGIN_REFUSED):
            return SourceUnreachable(
                f"{name} does not let us in: {_cause(message)}",
                code="HF-3003",
                hint="check the token or key, and that known_hosts holds the host's key",
            )
        return SourceUnreachable(
            f"{name} did not answer: {_cause(message)}", hint="the last good revision stays in force"
        )


def gone(source: Source, why: str) -> SourceGone:
    """Return the error for a source that answers but no longer holds what it held. Never read as "nothing desired"."""
    return SourceGone(
        f"source {source.id}: {why}",
        hint="nothing is destroyed because of it; restore the ref, or name another",
    )


def ssh_command(source: Source) -> str:
    """Return the ``GIT_SSH_COMMAND``: never asks, never trusts a host that is not known already."""
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "ConnectTimeout=20",
        "ForwardAgent=no",
        "PermitLocalCommand=no",
    ]
    argv = ["ssh"]
    if source.known_hosts:
        argv += ["-F", "/dev/null"]
        options += [f"UserKnownHostsFile={_quoted(source.known_hosts)}", "GlobalKnownHostsFile=/dev/null"]
    if source.ssh_key:
        argv += ["-i", source.ssh_key]
        options += ["IdentitiesOnly=yes", "IdentityAgent=none"]
    for option in options:
        argv += ["-o", option]
    return shlex.join(argv)


def _quoted(path: str) -> str:
    """Quote a path as ssh_config(5) wants it: ``%`` stands for itself only when doubled."""
    return '"' + path.replace("%", "%%") + '"'


def _answer(stdout: bytes, stderr: bytes) -> tuple[int, str]:
    try:
        answer = json.loads(stdout)
        return int(answer["status"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        return 1, last_line(stderr) or "the fetch process died"


def _cause(message: str) -> str:
    """Return the telling line of git's (or GitPython's) message."""
    text = message.replace("stderr: '", "").strip().rstrip("'")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for sign in (*_LOGIN_REFUSED, "fatal:", "error:"):
        for line in lines:
            if sign in line:
                return line.removeprefix("fatal:").removeprefix("error:").strip()
    return lines[0] if lines else "no message"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

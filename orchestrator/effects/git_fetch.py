"""The fetch process: brings one bare mirror up to date and ends. The only place where GitPython is imported.

Run as a program, never imported: it reads one JSON object (:class:`Request`) from standard input and writes one
(:class:`Answer`) to standard output. Its environment is the whole of what git will see: configuration, the SSH command,
the allowed protocol and the token for ``GIT_ASKPASS`` are set by whoever starts it.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, TypedDict

from git import Git, Repo
from git.exc import GitCommandError

#: Seconds after which the lock on a pin belongs to nobody alive: others than this process set pins.
_STALE_S: Final = 60.0


class Request(TypedDict):
    """What to fetch."""

    #: The mirror's folder; made where it is missing.
    mirror: str
    url: str
    refspecs: list[str]
    #: Options of ``git fetch``, ours alone.
    options: list[str]


class Answer(TypedDict):
    """How it went: ``status`` is git's exit code, ``message`` what it said on standard error."""

    status: int
    message: str


def main() -> None:
    """Fetch once and say how it went."""
    request: Request = json.load(sys.stdin)
    mirror = Path(request["mirror"])
    # Held for as long as this process lives, by one whose starter is dead, too.
    with mirror.with_name("fetching").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _forget_locks(mirror)
        json.dump(_answer(request), sys.stdout)


def _forget_locks(mirror: Path) -> None:
    """Remove the locks that a killed git left behind: they would stop every fetch to come."""
    pins = mirror / "refs" / "holdfast" / "keep"
    for lock in (*mirror.glob("*.lock"), *mirror.glob("objects/*.lock"), *(mirror / "refs").rglob("*.lock")):
        with suppress(FileNotFoundError):
            if not lock.is_relative_to(pins) or lock.stat().st_mtime < time.time() - _STALE_S:
                lock.unlink()


def _answer(request: Request) -> Answer:
    mirror = Path(request["mirror"])
    try:
        _init(mirror, "sha1")
        try:
            _fetch(mirror, request)
        except GitCommandError as failure:
            if "mismatched algorithms" not in str(failure.stderr) or _has_refs(mirror):
                raise
            shutil.rmtree(mirror)
            _init(mirror, "sha256")
            _fetch(mirror, request)
    except GitCommandError as failure:
        status = failure.status if isinstance(failure.status, int) else 1
        return Answer(status=status, message=str(failure.stderr))
    return Answer(status=0, message="")


def _init(mirror: Path, object_format: str) -> None:
    if not (mirror / "HEAD").exists():
        mirror.mkdir(parents=True, exist_ok=True, mode=0o700)
        Git(str(mirror)).init("--bare", "--quiet", f"--object-format={object_format}", "--template=", "--", str(mirror))


def _fetch(mirror: Path, request: Request) -> None:
    with Repo(mirror) as repo:
        repo.git.fetch(*request["options"], "--", request["url"], *request["refspecs"])


def _has_refs(mirror: Path) -> bool:
    with Repo(mirror) as repo:
        return bool(repo.git.for_each_ref("--count=1"))


if __name__ == "__main__":
    main()

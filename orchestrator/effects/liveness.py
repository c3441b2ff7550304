"""Which processes are alive, told apart from strangers that got their numbers later.

A process id alone proves nothing: ids are used again. Within a boot and a pid namespace (see ``holder``) a process
is known by pid and start time together; ``/proc`` is described in proc(5).
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Variable that every process of an attempt inherits: it finds those whose parents are gone.
MARKER: Final = "HOLDFAST_ATTEMPT"

#: Seconds between looks at processes that are to end.
_TICK: Final = 0.02

_PROC: Final = Path("/proc")
_ZOMBIE: Final = "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One living process, as ``/proc/PID/stat`` has it."""

    pid: int
    parent: int
    group: int
    session: int
    #: Clock ticks since boot.
    start: int


def host() -> str:
    """Return this host's name, with a digest of its machine id where there is one: names alone are used twice."""
    name = socket.gethostname().replace(" ", "-") or "unnamed"
    with suppress(OSError):
        if machine := Path("/etc/machine-id").read_text(encoding="ascii").strip():
            return f"{name}+{hashlib.sha256(machine.encode()).hexdigest()[:8]}"
    return name


def boot_id() -> str:
    """Return the id that the kernel made when it started."""
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def pid_space() -> str:
    """Return the pid namespace that we are in: pids of another one mean nothing here."""
    return str((_PROC / "self/ns/pid").readlink())


def life(pid: int) -> Life | None:
    """Return a process, None where it is gone or only waits to be collected."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    if len(fields) < 20 or fields[0] == _ZOMBIE:  # noqa: PLR2004 -- the start time is the 20th after the name
        return None
    return Life(pid=pid, parent=int(fields[1]), group=int(fields[2]), session=int(fields[3]), start=int(fields[19]))


def alive(pid: int, start: int) -> bool:
    """Whether exactly this process still runs."""
    found = life(pid)
    return found is not None and found.start == start


def owner() -> str:
    """Return a name for this very process, for what only it uses: ``pid-start-namespace``."""
    me = life(os.getpid())
    return f"{os.getpid()}-{me.start if me else 0}-{_space()}"


def orphaned(owned_by: str) -> bool:
    """Whether the process that `owner` named is gone; of another namespace nobody here can tell, and so it is not."""
    pid, start, space = owned_by.split("-")
    return space == _space() and not alive(int(pid), int(start))


def _space() -> str:
    """Return the number of our pid namespace: the same process id means another process elsewhere."""
    return pid_space().removeprefix("pid:[").removesuffix("]")


def table() -> Mapping[int, Life]:
    """Return every living process that we can see."""
    return {found.pid: found for entry in _PROC.iterdir() if entry.name.isdigit() and (found := life(int(entry.name)))}


def descendants(lives: Mapping[int, Life], roots: Iterable[int]) -> list[int]:
    """Return ``roots`` that live and all their descendants, parents before children.

    In this order they are to be killed: a tool whose children are killed first may end as if all were well.
    """
    found = [pid for pid in roots if pid in lives]
    for parent in found:
        found.extend(each.pid for each in lives.values() if each.parent == parent and each.pid not in found)
    return found


def marked(lives: Mapping[int, Life], value: str) -> set[int]:
    """Return the processes whose environment says that they belong to the attempt folder ``value``."""
    return having(lives, {MARKER: value})


def having(lives: Mapping[int, Life], variables: Mapping[str, str]) -> set[int]:
    """Return the processes that were started with all these variables."""
    wanted = {f"{name}={value}".encode() for name, value in variables.items()}
    found = set()
    for pid in lives:
        with suppress(OSError):
            if wanted <= set((_PROC / str(pid) / "environ").read_bytes().split(b"\0")):
                found.add(pid)
    return found


def stop(variables: Mapping[str, str], *, grace_s: float) -> None:
    """Ask the tool that has these variables to stop; whoever of it is left after ``grace_s`` seconds is killed."""
    lives = table()
    for pid in having(lives, variables):
        # Only who leads the others: a provider that is interrupted by itself leaves its tool confused.
        if lives[pid].group == pid:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + grace_s
    while (left := having(table(), variables)) and time.monotonic() < deadline:
        time.sleep(_TICK)
    end(left)


def end(pids: Iterable[int]) -> None:
    """Kill each; those that are gone or not ours to kill are passed over."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)

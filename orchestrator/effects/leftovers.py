"""Ends what a service that was told to stop has left in its control group.

systemd signals the main process alone (``KillMode=process``), so that the keepers of running applies outlive its
crash. After a deliberate stop nothing may be left: a keeper is asked first, gives its tool the one SIGINT and leaves
word of how that ended; whoever is there when the time is up is killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from orchestrator.effects import liveness
from orchestrator.errors import EXIT_DONE, EXIT_UNKNOWN

#: Seconds between looks at who is left.
_TICK: Final = 0.1
#: Seconds that the kernel gets to bury whom it was told to kill.
_LAST_S: Final = 10.0
_PROC: Final = Path("/proc")


def called_by_systemd(environment: Mapping[str, str]) -> bool:
    """Whether systemd itself started this very process after a service's end.

    A variable alone is inherited by everybody below, and the control group of a shell is a person's whole session.
    """
    return "SERVICE_RESULT" in environment and environment.get("SYSTEMD_EXEC_PID") == str(os.getpid())


def deliberate(environment: Mapping[str, str]) -> bool:
    """Whether the service ended because somebody wanted it to, by what systemd tells its ``ExecStopPost=``.

    ``SERVICE_RESULT``, ``EXIT_CODE`` and ``EXIT_STATUS`` are described in systemd.exec(5). Told to stop, the service
    ends with 0, or with 5 where something was left to its keeper; one that takes too long over it ends by a timeout,
    and our unit knows no other (``TimeoutStartSec=infinity``). Killed while it ends, it has said so before.
    """
    mark = _mark(environment)
    if mark is not None and mark.exists():
        return True
    if environment["SERVICE_RESULT"] in {"success", "timeout"}:
        return True
    ended = (environment.get("EXIT_CODE"), environment.get("EXIT_STATUS"))
    return ended in {("exited", str(EXIT_DONE)), ("exited", str(EXIT_UNKNOWN))}


def say_told(environment: Mapping[str, str]) -> None:
    """Leave word that somebody wants the service to end, in its ``RUNTIME_DIRECTORY``: it may be killed over it."""
    if mark := _mark(environment):
        with suppress(OSError):
            mark.touch(mode=0o600)


def forget_told(environment: Mapping[str, str]) -> None:
    """Take that word back: the service begins."""
    if mark := _mark(environment):
        with suppress(OSError):
            mark.unlink()


def _mark(environment: Mapping[str, str]) -> Path | None:
    folder = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(folder) / "told-to-stop" if folder else None


def left() -> list[int]:
    """Return every other process of our control group, parents before children."""
    lives = liveness.table()
    ours = _group(os.getpid())
    found = {pid for pid in lives if pid != os.getpid() and ours and _group(pid) == ours}
    return liveness.descendants({pid: lives[pid] for pid in found}, [p for p in found if lives[p].parent not in found])


def end(grace_s: float, those: Callable[[], list[int]] = left) -> int:
    """End every other process of our control group (``those``); returns how many of them had to be killed.

    Those at the top are asked to stop (SIGTERM), and get ``grace_s`` seconds to have all below them end.
    """
    lives, there = liveness.table(), those()
    for pid in there:
        if pid in lives and lives[pid].parent not in there:
            _signal(pid, signal.SIGTERM)
    if _gone_within(grace_s, those):
        return 0
    killed = len(those())
    deadline = time.monotonic() + _LAST_S
    while (there := those()) and time.monotonic() < deadline:
        for pid in there:
            _signal(pid, signal.SIGKILL)
        time.sleep(_TICK)
    return killed


def _gone_within(seconds: float, those: Callable[[], list[int]]) -> bool:
    deadline = time.monotonic() + seconds
    while those():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_TICK)
    return True


def _group(pid: int) -> str:
    """Return the control groups of a process as cgroups(7) lists them, empty where it is gone."""
    try:
        return (_PROC / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)

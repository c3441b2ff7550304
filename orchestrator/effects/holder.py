"""Proof of life: who holds something, and whether that process is still there.

A process is named by host, boot, PID namespace, number and start time, so that neither a reboot, a
container beside us nor a number given twice is ever taken for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from orchestrator.effects import liveness


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One process on one host."""

    host: str
    boot_id: str
    #: The PID namespace: the same number means another process in another container.
    namespace: str
    pid: int
    #: Start time in clock ticks since the boot, field 22 of proc_pid_stat(5).
    started: int

    def __str__(self) -> str:
        """Render for people."""
        return f"process {self.pid} on {self.host}"

    def proof(self) -> str:
        """Return the one line that is stored."""
        return f"{self.host} {self.boot_id} {self.namespace} {self.pid} {self.started}"

    @classmethod
    def parse(cls, proof: str) -> Holder:
        """Read a stored line. Raises ValueError where it is not one."""
        host, boot_id, namespace, pid, started = proof.rsplit(" ", 4)
        return cls(host=host, boot_id=boot_id, namespace=namespace, pid=int(pid), started=int(started))

    def gone(self, seen_from: Holder) -> bool | None:
        """Whether this process is gone, as far as ``seen_from`` can prove; None where it can prove nothing."""
        if self.boot_id != seen_from.boot_id:
            # The same name with another boot: everything of that boot is gone. Another host: who knows.
            return True if self.host == seen_from.host else None
        if self.namespace != seen_from.namespace:
            return None
        found = liveness.life(self.pid)
        if found is None:
            # Where the kernel hides other people's processes, one that can be signalled counts as the one we know.
            return not _hidden(self.pid)
        return found.start != self.started


def this_process() -> Holder:
    """Return the proof of life of the process that asks."""
    me = liveness.life(os.getpid())
    return Holder(
        host=liveness.host(),
        boot_id=liveness.boot_id(),
        namespace=liveness.pid_space(),
        pid=os.getpid(),
        started=me.start if me else 0,
    )


def _hidden(pid: int) -> bool:
    """Whether a process is there that belongs to somebody else."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    # Ours, and not to be read: it has died and waits to be collected.
    return False

"""What is left of executions that may have changed the world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.contract import Handle
from orchestrator.model.observed import Applying


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an attempt will run: recorded before anything starts."""

    host: str
    boot_id: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverStarted:
    """The attempt's folder was claimed before its keeper could: nothing ran, and nothing will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The attempt ran on another host or before a reboot: this host can prove nothing alive."""

    why: str
    #: Same host, other boot: every process of it is dead for certain.
    dead: bool


class Attempts(Protocol):
    """The folders in which keepers leave what came of an attempt."""

    def prepare(self) -> Place:
        """Make a new attempt folder on this host."""
        ...

    def look(self, attempt: Applying) -> Handle | NeverStarted | Elsewhere:
        """Say what is left of an attempt. A folder that no keeper claimed is claimed here, for ever."""
        ...

    def wait(self, attempt: Applying, timeout: float) -> bool:
        """Wait for the attempt's keeper to end; False where it still runs after ``timeout`` seconds."""
        ...

    def cancel(self, attempt: Applying) -> None:
        """Have an attempt's tool stopped by its keeper: one interrupt, and its end where it does not heed that."""
        ...

    def kill(self, attempt: Applying) -> bool:
        """End the whole process tree of an attempt; True where it is proven dead."""
        ...

    def alive(self, attempt: Applying) -> bool:
        """Whether a process is alive on this host that is the attempt's beyond doubt."""
        ...

    def doubt(self, attempt: Applying) -> str:
        """Say why nobody here can prove that the attempt is dead; empty where a look will tell. Claims nothing."""
        ...

    def taken_for_dead(self, attempt: Applying) -> Attempts:
        """Return attempts among which this one is dead, whatever its processes seem to be: a person says so."""
        ...

    def close(self, attempt: Applying) -> None:
        """Remove the raw output of an attempt whose end is recorded."""
        ...

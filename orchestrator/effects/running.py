"""Which processes work which runs: of one that was killed the record would say forever that it is running.

A run is told to stop by a file, too: whoever asks for it is another process than the one that works it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects import liveness


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A file for each run that is at work, under the ``home`` of this host."""

    home: Path

    @contextmanager
    def working(self, run: int) -> Iterator[None]:
        """Say that this process works a run, for as long as the block runs. Raises OSError."""
        mark = self._folder / f"{run}-{liveness.owner()}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        mark.touch(mode=0o600)
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)

    def forsaken(self) -> Iterator[int]:
        """Yield each run whose process is gone, and forget it once the caller has seen to it."""
        for mark in self._folder.glob("*-*-*-*"):
            run, _, owner = mark.name.partition("-")
            if liveness.orphaned(owner):
                yield int(run)
                mark.unlink(missing_ok=True)

    def ask_to_stop(self, run: int) -> None:
        """Ask whoever works a run to stop. Raises OSError."""
        flag = self._flag(run)
        flag.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flag.touch()

    def asked_to_stop(self, run: int) -> bool:
        """Whether somebody asked for that."""
        return self._flag(run).exists()

    def over(self, run: int) -> None:
        """Forget what was asked of a run that has ended."""
        self._flag(run).unlink(missing_ok=True)

    def _flag(self, run: int) -> Path:
        return self.home / "cancelled" / str(run)

    @property
    def _folder(self) -> Path:
        return self.home / "running"

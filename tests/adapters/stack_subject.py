"""What the subjects of all our adapters have in common: folders, a shell that runs the real tool, what was said."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from adapters.contract import Handle, Input, Shell, Workspace
from orchestrator.effects import steps
from orchestrator.effects.attempts import KeptAttempts
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.runlog import log_path
from orchestrator.effects.shells import ToolShells
from orchestrator.ports import ShellNeeds


@dataclass(kw_only=True)
class StackSubject:
    """One stack below one folder."""

    folder: Path
    #: The folder of the newest attempt.
    attempt: Path | None = None

    #: The stack's key, its folder in the repository, and how long its tool gets to end by itself (seconds).
    key: ClassVar[str]
    path: ClassVar[str]
    grace_s: ClassVar[float] = 2.0

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def laid(self, inputs: Mapping[str, Input], environment: str = "default") -> Workspace:
        """Return the workspace, its folders made."""
        for name in ("scratch", "private", "kept"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        return Workspace(
            root=self.folder / "tree",
            path=PurePosixPath(self.path),
            scratch=self.folder / "scratch",
            private=self.folder / "private",
            kept=self.folder / "kept",
            stack=self.key,
            environment=environment,
            inputs=inputs,
        )

    def shell(self, **needs: Any) -> Shell:
        """Return a shell of a new attempt."""
        self.attempt = KeptAttempts(home=self.home, clock=SystemClock()).prepare().folder
        shells = ToolShells(home=self.home, clock=SystemClock(), outer=dict(os.environ), grace_s=self.grace_s)
        standard = {"stack": self.key, "run": 1, "credentials": {}, "secrets": (), "timeout_s": 120.0}
        return shells.open(ShellNeeds(**{**standard, **needs}, attempt=self.attempt))

    def said(self) -> str:
        return log_path(self.home, 1, self.key).read_text()

    def handle(self) -> Handle:
        assert self.attempt is not None
        last = next(step for step in steps.steps_of(self.attempt) if step.keeping and not step.aside)
        return Handle(folder=last.folder, result=last.result, alive=False)

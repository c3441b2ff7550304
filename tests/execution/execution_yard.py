"""A home, shells and attempts with real processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.contract import Command, Goal, Result, ToolVersion
from orchestrator.effects import liveness
from orchestrator.effects.attempts import KeptAttempts
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.runlog import log_path
from orchestrator.effects.shells import ToolShell, ToolShells
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Applying, Counts, Proposal
from orchestrator.ports import ShellNeeds

STACK = "infra/site@prod"

PROPOSAL = Proposal(
    number=1,
    run=1,
    track="main",
    goal=Goal.CONVERGE,
    revision="0" * 40,
    fingerprint="f",
    parts=Parts(tree=""),
    changes_digest="",
    artifact="",
    detail="",
    inputs="",
    policy_digest="",
    tool=ToolVersion(name="sh", version="1", platform="linux"),
    counts=Counts(),
)


def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until a condition holds; fail the test where it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@dataclass
class Yard:
    """Where a test runs tools."""

    home: Path
    work: Path
    outer: dict[str, str]
    attempts: KeptAttempts = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = KeptAttempts(home=self.home, clock=SystemClock())

    def shells(self, **options: object) -> ToolShells:
        return ToolShells(home=self.home, clock=SystemClock(), outer=self.outer, **{"grace_s": 5.0, **options})

    def shell(self, **needs: object) -> ToolShell:
        shells = needs.pop("shells", None) or self.shells()
        wanted = {"stack": STACK, "run": 1, "credentials": {}, "secrets": (), "timeout_s": 60.0, **needs}
        return shells.open(ShellNeeds(**wanted))

    def attempt(self) -> Applying:
        """Make an attempt as the engine does before it commits it."""
        place = self.attempts.prepare()
        return Applying(
            number=1,
            run=1,
            proposal=PROPOSAL,
            host=place.host,
            boot_id=place.boot_id,
            folder=str(place.folder),
            by="ana",
            started_at=0.0,
        )

    def sh(self, script: str, **options: object) -> Command:
        return Command(argv=("sh", "-c", script), cwd=self.work, **options)

    def change(self, attempt: Applying, script: str, **needs: object) -> Result:
        return self.shell(attempt=Path(attempt.folder), **needs).run(self.sh(script, mutates=True))

    @property
    def log(self) -> str:
        return log_path(self.home, 1, STACK).read_text(encoding="utf-8")

    def worker(self, script: str, attempt: Applying, *, failpoint: str = "", timeout_s: float = 60.0) -> int:
        """Start a worker process of its own that runs a changing script in ``attempt``; returns its pid."""
        code = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from execution_yard import Yard
yard = Yard(home=Path({str(self.home)!r}), work=Path({str(self.work)!r}), outer=dict(os.environ))
from adapters.contract import Command
shell = yard.shell(attempt=Path({attempt.folder!r}), timeout_s={timeout_s})
shell.run(yard.sh({script!r}, mutates=True), on_line=print)
"""
        env = {**self.outer, "HOLDFAST_FAILPOINT": failpoint}
        devnull = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, devnull, n) for n in (0, 1, 2)]
        pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], env, file_actions=actions, setsid=True)
        os.close(devnull)
        return pid


def step(attempt: Applying, number: int = 1) -> Path:
    return Path(attempt.folder) / str(number)


def number_in(path: Path) -> int:
    """Wait for a file that holds a number, and return it."""
    until(lambda: path.exists() and path.read_text().strip().isdigit())
    return int(path.read_text())


def gone(pid: int) -> bool:
    return liveness.life(pid) is None


def elsewhere(attempt: Applying, **place: str) -> Applying:
    return replace(attempt, **place)

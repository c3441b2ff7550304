"""What its author runs: the shipped suite, in an environment that has Holdfast and the adapter installed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from adapters.conformance import CASES, Case, Tampering
from adapters.contract import Adapter, Goal, Handle, Input, Json, Shell, Workspace
from orchestrator.effects import steps
from orchestrator.effects.attempts import KeptAttempts
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.plugins import InstalledAdapters
from orchestrator.effects.runlog import log_path
from orchestrator.effects.shells import ToolShells
from orchestrator.model.policy import Policy
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import ShellNeeds

STACK = "acme/notes@default"


def found(shell: Shell, settings: Mapping[str, Json]) -> Adapter:
    """Build the adapter the way Holdfast does: by its entry point."""
    stack = Stack(key=StackKey.parse(STACK), tool="acme-copy", path=PurePosixPath("notes"), policy=Policy())
    return InstalledAdapters().build(stack, settings, shell)


@dataclass(kw_only=True)
class Notes:
    folder: Path
    canary: str = "c4n4ry-acme"
    _adapter: Adapter | None = None
    _attempt: Path | None = None

    @property
    def adapter(self) -> Adapter:
        if self._adapter is None:
            home = self.folder / "home"
            self._attempt = KeptAttempts(home=home, clock=SystemClock()).prepare().folder
            shells = ToolShells(home=home, clock=SystemClock(), outer=dict(os.environ))
            needs = ShellNeeds(stack=STACK, run=1, credentials={}, secrets=(), timeout_s=60.0, attempt=self._attempt)
            self._adapter = found(shells.open(needs), {"target": str(self.target)})
        return self._adapter

    @property
    def target(self) -> Path:
        return self.folder / "target"

    @property
    def workspace(self) -> Workspace:
        places = {name: self.folder / name for name in ("scratch", "private", "kept")}
        return Workspace(
            root=self.folder / "tree",
            path=PurePosixPath("notes"),
            stack=STACK,
            environment="default",
            inputs={"secret": Input(value=self.canary, sensitive=True)},
            **places,
        )

    def world(self) -> Json:
        return {file.name: file.read_text() for file in sorted(self.target.iterdir())}

    def said(self) -> str:
        return log_path(self.folder / "home", 1, STACK).read_text()

    def edit(self) -> None:
        (self.workspace.folder / "one.txt").write_text("one, edited\n")

    def spoil(self) -> str:
        (self.workspace.folder / "one.txt").write_bytes(b"\xff\xfe")
        return "notes/one.txt"

    def tamper(self) -> Tampering:
        (self.target / "one.txt").write_text("mallory\n")
        return Tampering(address="one.txt", path="content", before="one\n", after="mallory\n")

    def remove(self) -> str:
        (self.target / "two.txt").unlink()
        return "two.txt"

    def handle(self) -> Handle:
        assert self._attempt is not None
        last = steps.steps_of(self._attempt)[0]
        return Handle(folder=last.folder, result=last.result, alive=False)


@dataclass(kw_only=True)
class NotesRig:
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def fresh(self) -> Notes:
        notes = Notes(folder=Path(tempfile.mkdtemp(dir=self.folder)))
        for name in ("tree/notes", "scratch", "private", "kept", "target"):
            (notes.folder / name).mkdir(parents=True)
        for name in ("one", "two"):
            (notes.workspace.folder / f"{name}.txt").write_text(f"{name}\n")
        return notes

    def converged(self) -> Notes:
        notes = self.fresh()
        notes.adapter.apply(notes.workspace, notes.adapter.plan(notes.workspace, Goal.CONVERGE))
        return notes

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        return found(shell, {"target": "/nowhere", **settings})

    def without_tool(self) -> Notes:
        self.monkeypatch.setenv("PATH", str(self.folder))
        return self.fresh()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_conformance(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case(NotesRig(folder=tmp_path, monkeypatch=monkeypatch))

"""The suite that every adapter passes, against the real commands, with the adapter found by its entry point."""

from __future__ import annotations

import json
import os
import shutil
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

NOTES = Path(os.environ.get("COMMAND_EXAMPLE", Path(__file__).parents[1])) / "notes"
STACK = "acme/notes@default"
SETTINGS: Mapping[str, Json] = {
    "commands": {verb: ["python3", "store.py", verb] for verb in ("observe", "apply", "destroy")}
}


def found(shell: Shell, settings: Mapping[str, Json]) -> Adapter:
    """Build the adapter as Holdfast does."""
    stack = Stack(key=StackKey.parse(STACK), tool="command", path=PurePosixPath("notes"), policy=Policy())
    return InstalledAdapters().build(stack, {**SETTINGS, **settings}, shell)


@dataclass(kw_only=True)
class Notes:
    """A small world: one folder of files, kept by the commands beside this test."""

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
            self._adapter = found(shells.open(needs), {})
        return self._adapter

    @property
    def target(self) -> Path:
        return self.folder / "target"

    @property
    def wanted(self) -> Path:
        return self.folder / "tree/notes/wanted.json"

    @property
    def workspace(self) -> Workspace:
        return Workspace(
            root=self.folder / "tree",
            path=PurePosixPath("notes"),
            scratch=self.folder / "scratch",
            private=self.folder / "private",
            kept=self.folder / "kept",
            stack=STACK,
            environment="default",
            inputs={"folder": Input(value=str(self.target)), "token": Input(value=self.canary, sensitive=True)},
        )

    def world(self) -> Json:
        return {file.name: file.read_text() for file in sorted(self.target.iterdir())}

    def said(self) -> str:
        return log_path(self.folder / "home", 1, STACK).read_text()

    def edit(self) -> None:
        self.wanted.write_text(self.wanted.read_text().replace("20", "21"))

    def spoil(self) -> str:
        self.wanted.write_text('{\n  "first": {\n')
        return "notes/wanted.json"

    def tamper(self) -> Tampering:
        file = self.target / "first.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "size": 99}))
        return Tampering(address="first", path="size", before=10, after=99)

    def remove(self) -> str:
        (self.target / "second.json").unlink()
        return "second"

    def handle(self) -> Handle:
        assert self._attempt is not None
        last = steps.steps_of(self._attempt)[0]
        return Handle(folder=last.folder, result=last.result, alive=False)


@dataclass(kw_only=True)
class NotesRig:
    """Makes such worlds."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def fresh(self) -> Notes:
        notes = Notes(folder=Path(tempfile.mkdtemp(dir=self.folder)))
        for name in ("tree", "scratch", "private", "kept", "target"):
            (notes.folder / name).mkdir()
        shutil.copytree(NOTES, notes.wanted.parent)
        return notes

    def converged(self) -> Notes:
        notes = self.fresh()
        notes.adapter.apply(notes.workspace, notes.adapter.plan(notes.workspace, Goal.CONVERGE))
        return notes

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        return found(shell, settings)

    def without_tool(self) -> Notes:
        self.monkeypatch.setenv("PATH", str(self.folder))
        return self.fresh()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_conformance(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case(NotesRig(folder=tmp_path, monkeypatch=monkeypatch))

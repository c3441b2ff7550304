"""An adapter of somebody else's: keeps the text files of a stack's folder copied into a target folder, with ``cp``.

Depends on ``adapters.contract`` and on nothing else of Holdfast.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters.contract import (
    MASK,
    AttributeChange,
    Change,
    ChangeKind,
    Command,
    DriftItem,
    Drifts,
    Finished,
    Goal,
    Handle,
    InvalidSettings,
    Json,
    Output,
    Outputs,
    Plan,
    PlanStale,
    Problem,
    Result,
    Resumed,
    Running,
    Severity,
    Shell,
    ToolFailed,
    ToolMissing,
    ToolVersion,
    Traits,
    Tree,
    Unknown,
    Workspace,
)

Texts = Mapping[str, str]


def build(settings: Mapping[str, Json], shell: Shell) -> CopyAdapter:
    """Build the adapter. Raises InvalidSettings."""
    unknown = set(settings) - {"tool", "path", "target"}
    if unknown:
        raise InvalidSettings(f"no such setting: {', '.join(sorted(unknown))}")
    return CopyAdapter(target=Path(str(settings["target"])), shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAdapter:
    """Copies files."""

    target: Path
    shell: Shell

    @property
    def traits(self) -> Traits:
        return Traits(heals_drift=True, sees_deletes=True, saves_plans=False)

    def version(self) -> ToolVersion:
        first = self._run(Command(argv=("cp", "--version"), cwd=Path("/"))).stdout.decode().splitlines()[0]
        return ToolVersion(name="cp", version=first.split()[-1], platform="posix")

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        return frozenset()

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        return tuple(
            Problem(severity=Severity.ERROR, summary="not UTF-8", file=str(workspace.path / file.name), line=1)
            for file in workspace.folder.glob("*.txt")
            if not _is_text(file)
        )

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        if shutil.which("cp") is None:
            raise ToolMissing("cp is not on PATH", hint="install coreutils")
        for problem in self.validate(workspace):
            raise ToolFailed(str(problem), problems=(problem,))
        wanted = {} if goal is Goal.DESTROY else _wanted(workspace)
        changes = tuple(_changes(self._world(), wanted, _secret(workspace)))
        return Plan(goal=goal, changes=changes, tool=self.version())

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        if not plan.is_still(self.plan(workspace, plan.goal)):
            raise PlanStale("the target folder or the files changed", hint="plan again")
        wanted = {} if plan.goal is Goal.DESTROY else _wanted(workspace)
        out = workspace.private / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(mode=0o700)
        for name, text in wanted.items():
            (out / name).write_text(text)
        gone = [str(self.target / name) for name in self._world() if name not in wanted]
        if gone:
            self._run(Command(argv=("rm", "-f", *gone), cwd=out, mutates=True))
        if wanted:
            self._run(Command(argv=("cp", "-r", ".", str(self.target)), cwd=out, mutates=True))
        (workspace.kept / "applied.json").write_text(json.dumps(wanted))

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:
        if handle.alive:
            return Running()
        if handle.result is None:
            return Unknown(why="nothing is left of it")
        return Finished(error=None if handle.result.exit_code == 0 else "cp failed")

    def drift(self, workspace: Workspace) -> Drifts:
        applied: Texts = json.loads((workspace.kept / "applied.json").read_text())
        secret = _secret(workspace)
        return Drifts(
            items=tuple(
                DriftItem(change=change, will_be_reverted=True) for change in _changes(applied, self._world(), secret)
            ),
            pending=tuple(_changes(applied, _wanted(workspace), secret)),
        )

    def outputs(self, workspace: Workspace) -> Outputs:
        return {"files": Output(value=sorted(self._world()))}

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Refuse: there is no lock."""
        del workspace
        raise ToolFailed(f"there is no lock {lock_id}", hint="there is nothing to unlock")

    def _world(self) -> Texts:
        return {file.name: file.read_text() for file in sorted(self.target.glob("*.txt"))}

    def _run(self, command: Command) -> Result:
        result = self.shell.run(command)
        if result.exit_code != 0:
            raise ToolFailed(f"{command.argv[0]} failed")
        return result


def _wanted(workspace: Workspace) -> Texts:
    texts = {file.name: file.read_text() for file in sorted(workspace.folder.glob("*.txt"))}
    return {**texts, "secret.txt": _secret(workspace)}


def _secret(workspace: Workspace) -> str:
    return str(workspace.inputs["secret"].value)


def _changes(before: Texts, after: Texts, secret: str) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            kind = ChangeKind.CREATE if old is None else ChangeKind.DELETE if new is None else ChangeKind.UPDATE
            masked = [None if text is None else MASK if secret in text else text for text in (old, new)]
            attribute = AttributeChange(path="content", before=masked[0], after=masked[1])
            yield Change(address=name, kind=kind, attributes=(attribute,))


def _is_text(file: Path) -> bool:
    try:
        file.read_text("utf-8")
    except UnicodeDecodeError:
        return False
    return True

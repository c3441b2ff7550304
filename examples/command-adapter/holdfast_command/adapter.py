"""The lines between the three commands and the contract."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import PurePosixPath

from adapters.contract import (
    MASK,
    DriftItem,
    Drifts,
    Finished,
    Goal,
    Handle,
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
    ToolVersion,
    Traits,
    Tree,
    Unknown,
    Workspace,
)
from holdfast_command import commands, output


def build(settings: Mapping[str, Json], shell: Shell) -> CommandAdapter:
    """Build the adapter for one stack; starts nothing. Raises InvalidSettings."""
    return CommandAdapter(lines=commands.read(settings), shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAdapter:
    """Drives three commands for one stack."""

    lines: commands.Commands
    shell: Shell

    @property
    def traits(self) -> Traits:
        """What it can do."""
        return Traits(heals_drift=True, sees_deletes=True, saves_plans=False, blind_spots=("what observe leaves out",))

    def version(self) -> ToolVersion:
        """Return this adapter's own version: nobody can ask three unknown commands for theirs."""
        return ToolVersion(name="command", version=version("holdfast-command"), platform=platform.machine())

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:  # noqa: ARG002 - nothing outside is read
        """Return nothing: all that a stack reads lies in its folder."""
        return frozenset()

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Say what is wrong with ``wanted.json``, and where."""
        try:
            self._wanted(workspace)
        except ToolFailed as error:
            return error.problems
        return ()

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Compare what is there with what is wanted."""
        wanted = {} if goal is Goal.DESTROY else self._wanted(workspace)
        world, _ = self._observe(workspace)
        changes = tuple(output.changes(world, wanted, _secrets(workspace)))
        return Plan(goal=goal, changes=changes, tool=self.version())

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Do what the plan says, or raise PlanStale: no plan was saved, so a new one must say the same."""
        if not plan.is_still(self.plan(workspace, plan.goal)):
            raise PlanStale("what is there changed since the plan was made", hint="plan again")
        self._run(workspace, "destroy" if plan.goal is Goal.DESTROY else "apply")
        self._remember(workspace, plan.goal)

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:
        """Say how an attempt ended whose worker died; what left no result is unknown, not failed."""
        if handle.alive:
            return Running()
        if handle.result is None or handle.result.exit_code < 0:
            return Unknown(why="the command ended before it said how")
        if handle.result.exit_code != 0:
            return Finished(error=_last_line(handle.result, workspace))
        self._remember(workspace, plan.goal)
        return Finished()

    def drift(self, workspace: Workspace) -> Drifts:
        """Compare what is there with what was applied, and what was applied with what is wanted now."""
        secrets = _secrets(workspace)
        wanted = self._wanted(workspace)
        world, _ = self._observe(workspace)
        applied = self._applied(workspace, wanted)
        return Drifts(
            items=tuple(
                DriftItem(change=one, will_be_reverted=True) for one in output.changes(applied, world, secrets)
            ),
            pending=tuple(output.changes(applied, wanted, secrets)),
            blind_spots=self.traits.blind_spots,
        )

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return the outputs that ``observe`` prints; one that holds a secret is sensitive."""
        _, found = self._observe(workspace)
        secrets = _secrets(workspace)
        return {
            name: Output(value=value, sensitive=output.masked(value, secrets) != value) for name, value in found.items()
        }

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Refuse: there is no lock."""
        del workspace
        raise ToolFailed(f"there is no lock {lock_id}", hint="there is nothing to unlock")

    def _wanted(self, workspace: Workspace) -> output.Objects:
        file = workspace.path / "wanted.json"
        try:
            return output.wanted((workspace.root / file).read_text("utf-8"), workspace.inputs)
        except (ValueError, OSError) as error:
            line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
            summary = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            problem = Problem(severity=Severity.ERROR, summary=summary, file=str(file), line=line)
            raise ToolFailed(str(problem), hint="mend the file", problems=(problem,)) from error

    def _observe(self, workspace: Workspace) -> tuple[output.Objects, Mapping[str, Json]]:
        return output.observed(self._run(workspace, "observe").stdout)

    def _run(self, workspace: Workspace, verb: str) -> Result:
        """Run one of the three with its document, which holds secrets: only we may read it, and it goes at once."""
        self.shell.conceal(_secrets(workspace))
        document = workspace.private / "document.json"
        document.unlink(missing_ok=True)
        content = {
            "stack": workspace.stack,
            "environment": workspace.environment,
            "inputs": {name: item.value for name, item in workspace.inputs.items()},
            "wanted": {} if verb == "destroy" else self._wanted(workspace),
        }
        with os.fdopen(os.open(document, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
        try:
            command = commands.command(self.lines, verb, workspace.folder, document)
            result = self.shell.run(command, self.shell.report if command.mutates else None)
        finally:
            document.unlink(missing_ok=True)
        if result.exit_code != 0:
            raise ToolFailed(f"{verb} failed: {_last_line(result, workspace)}", hint="read the run's log")
        return result

    def _remember(self, workspace: Workspace, goal: Goal) -> None:
        """Keep what was applied, without its secrets: drift is told against it."""
        secrets = _secrets(workspace)
        wanted = {} if goal is Goal.DESTROY else self._wanted(workspace)
        kept = {
            name: {key: output.masked(value, secrets) for key, value in one.items()} for name, one in wanted.items()
        }
        (workspace.kept / "applied.json").write_text(json.dumps(kept), "utf-8")

    def _applied(self, workspace: Workspace, wanted: output.Objects) -> output.Objects:
        """Return what was applied; for a secret, what is wanted stands in: the files are those of that apply."""
        try:
            kept: output.Objects = json.loads((workspace.kept / "applied.json").read_text("utf-8"))
        except FileNotFoundError:
            return wanted
        return {
            name: {key: wanted.get(name, {}).get(key) if value == MASK else value for key, value in one.items()}
            for name, one in kept.items()
        }


def _secrets(workspace: Workspace) -> frozenset[str]:
    """Return the sensitive inputs as texts; ``wanted.json`` takes each of them whole."""
    return frozenset(str(item.value) for item in workspace.inputs.values() if item.sensitive and item.value)


def _last_line(result: Result, workspace: Workspace) -> str:
    lines = result.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {result.exit_code}"]
    return str(output.masked(lines[-1], _secrets(workspace)))

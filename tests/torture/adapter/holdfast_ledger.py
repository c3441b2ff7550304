"""An adapter for a tool that keeps a ledger of its effects: made for finding out what Holdfast does to a world.

A stack is a folder with a file ``wanted``, one word. Its settings are ``cloud``, the folder where objects and ledger
are, and ``pause``, the seconds that an apply waits before and after its effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters.contract import (
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

TOOL = Path(__file__).with_name("ledger.sh")


def build(settings: Mapping[str, Json], shell: Shell) -> LedgerAdapter:
    """Build the adapter for one stack; starts nothing. Raises InvalidSettings."""
    cloud, pause = settings.get("cloud"), settings.get("pause", 0)
    if not isinstance(cloud, str) or not isinstance(pause, int | float):
        raise InvalidSettings("ledger wants a folder for cloud, and seconds for pause")
    return LedgerAdapter(cloud=cloud, pause=pause, shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAdapter:
    """Drives the tool for one stack."""

    cloud: str
    pause: float
    shell: Shell

    @property
    def traits(self) -> Traits:
        """What it can do."""
        return Traits(heals_drift=True, sees_deletes=True, saves_plans=False)

    def version(self) -> ToolVersion:
        """Return the one version that there is."""
        return ToolVersion(name="ledger", version="1.0.0", platform="any")

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        """Return nothing: all that a stack reads lies in its folder."""
        return frozenset()

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Say that ``wanted`` is missing, or no word."""
        try:
            self._wanted(workspace)
        except ToolFailed as error:
            return error.problems
        return ()

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Compare what is there with what is wanted."""
        wanted = None if goal is Goal.DESTROY else self._wanted(workspace)
        change = _change(self._there(workspace), wanted)
        return Plan(goal=goal, changes=(change,) if change else (), tool=self.version())

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Do what the plan says, or raise PlanStale: no plan was saved, so a new one must say the same."""
        if not plan.is_still(self.plan(workspace, plan.goal)):
            raise PlanStale("what is there changed since the plan was made", hint="plan again")
        for change in plan.changes:
            content = "" if plan.goal is Goal.DESTROY else self._wanted(workspace)
            self._run(workspace, "apply", change.kind.value, content, str(self.pause))

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:
        """Say how an attempt ended whose worker died; what left no result is unknown, not failed."""
        if handle.alive:
            return Running()
        if handle.result is None or handle.result.exit_code < 0:
            return Unknown(why="the tool ended before it said how")
        if handle.result.exit_code != 0:
            return Finished(error=f"the tool ended with {handle.result.exit_code}")
        return Finished()

    def drift(self, workspace: Workspace) -> Drifts:
        """Compare what is there with what is wanted."""
        change = _change(self._wanted(workspace), next(iter(self._there(workspace)), None))
        return Drifts(items=(DriftItem(change=change, will_be_reverted=True),) if change else ())

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return what is wanted, which is what is there."""
        return {"content": Output(value=self._wanted(workspace))}

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Do nothing: there is no lock."""

    def _wanted(self, workspace: Workspace) -> str:
        file = workspace.path / "wanted"
        try:
            word = (workspace.root / file).read_text("utf-8").strip()
        except OSError as error:
            word = ""
            why = error.strerror or "it cannot be read"
        else:
            why = "one word is wanted"
        if not word.isalnum():
            problem = Problem(severity=Severity.ERROR, summary=why, file=str(file), line=1)
            raise ToolFailed(str(problem), hint="mend the file", problems=(problem,))
        return word

    def _there(self, workspace: Workspace) -> list[str]:
        return self._run(workspace, "observe")

    def _run(self, workspace: Workspace, verb: str, *more: str) -> list[str]:
        stack = workspace.stack.replace("/", ".").replace("@", ".")
        argv = (str(TOOL), verb, self.cloud, stack, *more)
        done = self.shell.run(Command(argv=argv, cwd=workspace.folder, mutates=verb == "apply"))
        if done.exit_code != 0:
            raise ToolFailed(f"{verb} ended with {done.exit_code}", hint="read the run's log")
        return done.stdout.decode().split()


def _change(before: list[str] | str | None, after: str | None) -> Change | None:
    """Return what leads from what is there to what is to be there, None where that is the same."""
    there = before if isinstance(before, list) else [before] if before else []
    if not there:
        kind = ChangeKind.CREATE if after else None
    elif after is None:
        kind = ChangeKind.DELETE
    else:
        kind = ChangeKind.UPDATE if any(one != after for one in there) else None
    if kind is None:
        return None
    was = there[0] if there else None
    return Change(address="object", kind=kind, attributes=(AttributeChange(path="content", before=was, after=after),))

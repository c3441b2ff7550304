"""The adapter for Puppet: the lines between ``puppet apply`` and its report.

``build`` is what the entry point ``puppet`` names.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from adapters import hosts
from adapters.contract import (
    ChangeKind,
    DriftItem,
    Drifts,
    Goal,
    Handle,
    InvalidSettings,
    Json,
    Outputs,
    OutputUnreadable,
    Plan,
    PlanStale,
    Problem,
    Result,
    Resumed,
    Severity,
    Shell,
    ToolFailed,
    ToolMissing,
    ToolVersion,
    ToolVersionWrong,
    Traits,
    Tree,
    Workspace,
)
from adapters.files import write_private
from adapters.puppet import aftermath, applied, commands, facts, output
from adapters.puppet.layout import outside
from adapters.puppet.prepared import APPLIED, APPLYING, Prepared, prepared, secrets, settle
from adapters.puppet.puppetfile import not_installed
from adapters.puppet.report import Report
from adapters.puppet.settings import Settings, read
from adapters.testimony import Testimony
from adapters.versions import allows

BLIND_SPOTS: Final = (
    "resources that the manifests no longer name: Puppet forgets them",
    "what an exec did: only whether it would run again is known",
    "other machines: puppet apply works on the host that Holdfast runs on",
)


#: Versions known so far, by the program's path, inode, time and size: to ask, Ruby takes a second, and each step of a
#: stack has an adapter of its own.
_VERSIONS: Final[dict[tuple[str, int, int, int], ToolVersion]] = {}


def build(settings: Mapping[str, Json], shell: Shell) -> Puppet:
    """Build the adapter for one stack; starts nothing. Raises InvalidSettings."""
    return Puppet(settings=read(settings), shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of one look."""

    plan: Plan
    report: Report
    memory: applied.Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Puppet:
    """Drives Puppet for one stack."""

    settings: Settings
    shell: Shell

    @property
    def traits(self) -> Traits:
        """What the tool can do."""
        return Traits(heals_drift=True, sees_deletes=True, saves_plans=False, destroys=False, blind_spots=BLIND_SPOTS)

    def version(self) -> ToolVersion:
        """Return the installed tool's version, asked for where no look told it yet."""
        key = _identity(_program())
        if key not in _VERSIONS:
            result = self.shell.run(commands.version())
            number = result.stdout.decode("utf-8", "replace").strip()
            if result.exit_code != 0 or not number[:1].isdigit():
                raise OutputUnreadable("puppet --version tells no version", hint="install puppet-agent again")
            _VERSIONS[key] = _tool(number)
        return _VERSIONS[key]

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        """Return modules, manifests and Hiera data outside the stack's folder."""
        return outside(tree, self.settings)

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Have the tool check the syntax of the stack's manifests."""
        with self._prepared(workspace) as ready:
            files = ready.manifests
            ends = {str(one.relative_to(workspace.root)): _last_line(one) for one in files}
            result = self.shell.run(commands.validate(ready.place, files))
            found = output.problems(result.stderr, ready.wording, ends)
            notes = tuple(not_installed(ready.layout, workspace.root))
        if result.exit_code != 0 and not found:
            found = (Problem(severity=Severity.ERROR, summary=f"puppet parser ended with {result.exit_code}"),)
        return (*found, *notes)

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Work out what would be done, by a run that only looks."""
        if goal is Goal.DESTROY:
            raise InvalidSettings(
                "puppet cannot take down what it made",
                hint="declare the resources with ensure => absent, and apply that",
            )
        with self._prepared(workspace) as ready:
            return self._look(ready, goal).plan

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Look once more, and where that is what ``plan`` says, do it."""
        with self._prepared(workspace) as ready:
            looked = self._look(ready, plan.goal)
            if looked.plan.tool != plan.tool:
                raise PlanStale("the plan was made by another puppet than the one on PATH now", hint="plan again")
            if not plan.is_still(looked.plan):
                raise PlanStale("the host or the files changed since the plan was made", hint="plan again")
            write_private(workspace.kept / APPLYING, applied.dump(looked.memory.now))
            ready.forget()
            result = self.shell.run(commands.apply(ready.place), aftermath.teller(self.shell, ready.wording))
            ready.keep_state()
            self._raise_failed(ready, result)
        settle(workspace.kept)

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:  # noqa: ARG002 - the log tells
        """Say how an attempt ended whose worker died."""
        self.shell.conceal(secrets(workspace))
        wording = output.Wording(prefixes=((str(workspace.root), ""),), secrets=secrets(workspace))
        found = aftermath.outcome(handle, wording)
        if aftermath.well(found):
            settle(workspace.kept)
        return found

    def drift(self, workspace: Workspace) -> Drifts:
        """Compare the host with what was applied, by a run that only looks."""
        with self._prepared(workspace) as ready:
            looked = self._look(ready, Goal.CONVERGE)
            if looked.plan.empty:
                # All is as these files ask, whether or not an apply was needed for that.
                write_private(workspace.kept / APPLIED, applied.dump(looked.memory.now))
            return output.drifts(looked.report, ready.wording, looked.memory, BLIND_SPOTS)

    def testify(self, workspace: Workspace, items: tuple[DriftItem, ...], since: float) -> tuple[Testimony, ...]:
        """Read this host's own traces of the files that drifted."""
        files = {item.change.address: path for item in items if (path := output.file_of(item.change.address))}
        if not files:
            return ()
        result = self.shell.run(commands.traces(workspace.folder, hosts.script(files.values(), since)))
        traces = hosts.read(result.stdout.decode("utf-8", "replace"))
        return tuple(
            word
            for address, path in files.items()
            for word in hosts.testimonies(address, (path,), platform.node() or "this host", traces, since)
        )

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return the facts that the stack hands to others."""
        wanted = self.settings.facts
        if not wanted:
            return {}
        with self._prepared(workspace) as ready:
            result = self.shell.run(commands.facts(ready.place, sorted(set(wanted.values()))))
            if result.exit_code != 0:
                raise _failed("facts", output.problems(result.stderr, ready.wording), result.exit_code)
            return facts.outputs(result.stdout, wanted, secrets(workspace))

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Refuse: ``puppet apply`` takes no lock."""
        del workspace
        raise ToolFailed(f"puppet has no lock {lock_id}", hint="there is nothing to unlock")

    @contextmanager
    def _prepared(self, workspace: Workspace) -> Iterator[Prepared]:
        self.shell.conceal(secrets(workspace))
        _program()
        asked = self.settings.tool_version
        # Asked for only where it matters: starting Ruby once more costs a second.
        if asked and not allows(asked, self.version().version):
            raise ToolVersionWrong(
                f"puppet {self.version().version} is installed, tool_version asks for {asked}",
                hint=f"install puppet {asked}, or change tool_version",
            )
        with prepared(self.settings, workspace) as ready:
            yield ready

    def _look(self, ready: Prepared, goal: Goal) -> Looked:
        ready.forget()
        key = _identity(_program())
        result = self.shell.run(commands.look(ready.place))
        report = ready.report()
        problems = output.problems(result.stderr, ready.wording)
        if report is None or not report.completed or result.exit_code == 1:
            raise _failed("apply --noop", problems, result.exit_code)
        tool = _VERSIONS[key] = _tool(report.version)
        memory = ready.memory()
        changes = output.changes(report, ready.wording, memory)
        drift = output.drifts(report, ready.wording, memory, ()).items if memory.then is not None else ()
        warnings = (
            Problem(severity=Severity.WARNING, summary=one.summary, file=one.file, line=one.line)
            for one in output.failures(report, ready.wording)
        )
        plan = Plan(
            goal=goal,
            changes=changes,
            tool=tool,
            problems=(*warnings, *not_installed(ready.layout, ready.workspace.root)),
            drift=tuple(item.change for item in drift if item.change.kind is not ChangeKind.UNKNOWN),
        )
        return Looked(plan=plan, report=report, memory=memory)

    def _raise_failed(self, ready: Prepared, result: Result) -> None:
        """Raise where the run did not do all that it should: the report says so, with the resource."""
        report = ready.report()
        found = output.failures(report, ready.wording) if report is not None else ()
        if report is None or not report.completed or found or result.exit_code not in {0, 2}:
            raise _failed("apply", found or output.problems(result.stderr, ready.wording), result.exit_code)


def _program() -> str:
    found = shutil.which(commands.PROGRAM)
    if found is None:
        raise ToolMissing("puppet is not on PATH", hint="install puppet-agent, then plan again")
    return found


def _identity(program: str) -> tuple[str, int, int, int]:
    seen = Path(program).resolve().stat()
    return program, seen.st_ino, seen.st_mtime_ns, seen.st_size


def _tool(version: str) -> ToolVersion:
    return ToolVersion(
        name="puppet", version=version, platform=f"{platform.system().lower()}_{platform.machine().lower()}"
    )


def _last_line(file: Path) -> int:
    return max(1, file.read_bytes().count(b"\n"))


def _failed(verb: str, problems: tuple[Problem, ...], exit_code: int) -> ToolFailed:
    if not problems:
        return ToolFailed(f"puppet {verb} failed: it ended with exit code {exit_code}", hint="read the run's log")
    first = problems[0]
    place = f"{first.file}:{first.line}: " if first.file else ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ToolFailed(
        f"puppet {verb} failed: {place}{first.summary}{more}",
        hint="mend what it names, then plan again",
        problems=problems,
    )

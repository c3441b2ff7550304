"""The adapter for Terraform and OpenTofu: the lines between the tool's commands and its words.

``build`` is what the entry points ``terraform`` and ``opentofu`` name.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from adapters.contract import (
    DriftItem,
    Drifts,
    Goal,
    Handle,
    Json,
    Outputs,
    OutputUnreadable,
    Plan,
    PlanStale,
    Problem,
    Resumed,
    Running,
    Severity,
    Shell,
    ToolFailed,
    ToolStopped,
    ToolVersion,
    Traits,
    Tree,
    Workspace,
)
from adapters.terraform import aftermath, commands, modules, output, readiness, seen, state, stream, testimony
from adapters.terraform.hcl import bodies, code
from adapters.terraform.prepared import Prepared, missing, prepare
from adapters.terraform.reads import outside
from adapters.terraform.settings import Settings, read
from adapters.testimony import Testimony

#: The file in `Workspace.private` that a plan is saved to.
SAVED: Final = "plan"
BLIND_SPOTS: Final = ("objects that no resource of the stack manages",)


#: What this process has asked for, whichever stack it was for: asking costs a start of the tool.
_VERSIONS: Final[dict[readiness.Binary, ToolVersion]] = {}


def build(settings: Mapping[str, Json], shell: Shell) -> Terraform:
    """Build the adapter for one stack; starts nothing. Raises InvalidSettings."""
    return Terraform(settings=read(settings), shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of one plan."""

    saved: Path
    #: Digest of the fetched modules that it was made with.
    installed: str
    said: stream.Stream
    shown: output.Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Terraform:
    """Drives Terraform or OpenTofu for one stack."""

    settings: Settings
    shell: Shell
    #: Versions asked for so far, by binary: another build is another binary.
    versions: dict[readiness.Binary, ToolVersion] = field(default_factory=lambda: _VERSIONS)

    @property
    def traits(self) -> Traits:
        """What the tool can do."""
        return Traits(heals_drift=True, sees_deletes=True, saves_plans=True, blind_spots=BLIND_SPOTS)

    def version(self) -> ToolVersion:
        """Return the installed tool's version and digest, asked for once in this process for each binary."""
        program = readiness.binary(self.settings.program)
        if program is None:
            raise missing(self.settings.program)
        if program not in self.versions:
            result = self.shell.run(commands.version(self.settings.program, {"CHECKPOINT_DISABLE": "1"}))
            number, platform = output.version(result.stdout)
            digest = readiness.digest(program)
            self.versions[program] = ToolVersion(
                name=self.settings.tool, version=number, platform=platform, program=digest
            )
        return self.versions[program]

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        """Return local modules, variable files and files read by literal path outside the stack's folder."""
        return outside(tree, self.settings)

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Have the tool check the files, and run its tests where the stack asks for that."""
        prepared = self._prepare(workspace)
        try:
            prepared.initialise()
        except ToolFailed as refused:
            # Files that cannot be read are what validate is for; anything else is no word on the files.
            if any(problem.file for problem in refused.problems):
                return refused.problems
            raise
        result = self.shell.run(commands.validate(prepared.place))
        found = output.validated(result.stdout, workspace.path, prepared.secrets)
        return (*found, *self._tests(prepared)) if self.settings.test else found

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Work out what would be done and save it."""
        prepared = self._prepare(workspace).mended()
        looked = self._look(prepared, goal)
        return Plan(
            goal=goal,
            changes=looked.shown.changes,
            tool=prepared.tool,
            saved=looked.saved,
            installed=looked.installed,
            outputs_changing=looked.shown.outputs_changing,
            problems=(*prepared.notes, *prepared.problems(looked.said)),
            drift=looked.shown.drift,
            moved=looked.said.moved,
            imported=looked.said.imported,
        )

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Do exactly what the saved plan says."""
        if plan.saved is None or not plan.saved.is_file():
            raise PlanStale("the saved plan is gone", hint="plan again")
        prepared = self._prepare(workspace)
        if prepared.rescue():
            raise PlanStale("a state that could not be saved was found and is saved now", hint="plan again")
        prepared.initialise()
        if prepared.keeps_state:
            state.keep_copy(prepared.state_file)
        if self.version() != plan.tool:
            raise PlanStale(f"the plan was made by another program than the {self.settings.program} on PATH now")
        if modules.digest(workspace.scratch) != plan.installed:
            raise PlanStale("the modules that were fetched are not those the plan was made with", hint="plan again")
        sealed = {**prepared.written(), **({plan.saved: plan.seal} if plan.seal else {})}
        command = commands.apply(prepared.place, plan.saved, parallelism=self.settings.parallelism, sealed=sealed)
        result = self.shell.run(command, prepared.tell)
        # It tells of the state before, from here on.
        (workspace.private / SAVED).unlink(missing_ok=True)
        said = stream.read(result.stdout)
        problems = prepared.problems(said)
        if result.exit_code != 0:
            prepared.rescue(said.dump)
        prepared.remember_state()
        if result.exit_code != 0 and aftermath.cut_short(said, aftermath.errors_of(problems)):
            hint = "what it had begun may be there: holdfast plan tells what it would do now"
            raise ToolStopped(f"{self.settings.tool} was cut short in the middle of a change", hint=hint)
        prepared.raise_failed(result, "apply", problems)

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:  # noqa: ARG002 - the plan is saved
        """Say how an attempt ended whose worker died, once what it could not save is saved."""
        if handle.alive:
            return Running()
        printed = aftermath.stdout_of(handle)
        said = None if printed is None else stream.read(printed)
        prepared = self._prepare(workspace)
        for line in io.BytesIO(aftermath.untold(handle, printed)):
            prepared.tell(line.decode("utf-8", "replace"))
        prepared.rescue(said.dump if said else None)
        prepared.remember_state()
        problems = prepared.problems(said) if said else ()
        return aftermath.outcome(handle, said, aftermath.errors_of(problems))

    def drift(self, workspace: Workspace) -> Drifts:
        """Compare the world with what was applied, by one ordinary plan at the applied revision.

        The exit codes of ``plan -refresh-only`` cannot be relied on
        (https://github.com/hashicorp/terraform/issues/37406), and it does not tell what would be put back.
        """
        prepared = self._prepare(workspace).mended()
        return output.drifts(self._look(prepared, Goal.CONVERGE).shown, BLIND_SPOTS)

    def testify(
        self,
        workspace: Workspace,
        items: tuple[DriftItem, ...],  # noqa: ARG002 - the state speaks of all of them
        since: float,  # noqa: ARG002 - it counts from the last apply
    ) -> tuple[Testimony, ...]:
        """Say whether anybody else has written the state since the last apply."""
        return testimony.of_state(seen.read(workspace.kept), seen.planned_on(workspace.private / SAVED))

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return the outputs, as the state holds them."""
        # A plan that this very run made tells of the state that it was made on, and an apply left the one that it made.
        found = seen.outputs_in(workspace.private / SAVED)
        if found is None:
            prepared = self._prepare(workspace)
            found = prepared.known_outputs()
        if found is None:
            prepared.initialise()
            found = output.outputs(prepared.ask(commands.outputs(prepared.place), "output"))
        self.shell.conceal(output.output_secrets(found))
        return found

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Free the state's lock; the caller has made sure that it is one of ours."""
        prepared = self._prepare(workspace)
        prepared.initialise()
        prepared.ask(commands.force_unlock(prepared.place, lock_id), "force-unlock")

    def _prepare(self, workspace: Workspace) -> Prepared:
        program = readiness.binary(self.settings.program)
        marker = readiness.read_marker(workspace.scratch)
        if program is not None and marker is not None and marker.binary == program:
            self.versions.setdefault(program, marker.tool)
        return prepare(self.settings, self.shell, workspace, self.version(), self._operators_config())

    def _operators_config(self) -> str:
        """Return the CLI configuration of whoever runs Holdfast, empty where there is none."""
        chosen = self.settings.cli_config_file
        try:
            return chosen.read_text("utf-8") if chosen else ""
        except OSError:
            return ""

    def _look(self, prepared: Prepared, goal: Goal) -> Looked:
        """Plan, and ask for the detail only where there is any: that costs the tool another start."""
        saved = prepared.workspace.private / SAVED
        command = commands.plan(
            prepared.place,
            goal=goal,
            out=saved,
            var_files=prepared.var_files,
            parallelism=self.settings.parallelism,
        )
        installed, said = prepared.initialised(command, "plan")
        if said.summary is None:
            raise OutputUnreadable(
                f"{self.settings.tool} {prepared.tool.version} planned without a summary",
                hint="check its version with holdfast doctor",
            )
        prepared.check_state(saved)
        if said.quiet:
            shown = output.Shown(changes=(), drift=(), outputs_changing=(), secrets=frozenset())
            return Looked(saved=saved, installed=installed, said=said, shown=shown)
        shown = output.shown(prepared.ask(commands.show(prepared.place, saved), "show"), prepared.secrets)
        self.shell.conceal(shown.secrets)
        return Looked(saved=saved, installed=installed, said=said, shown=shown)

    def _tests(self, prepared: Prepared) -> tuple[Problem, ...]:
        """Run the tool's own tests, leaving out files with runs that would create real objects."""
        files: list[str] = []
        left_out: list[str] = []
        folder = prepared.place.folder
        for file in sorted([*folder.glob("*.tftest.hcl"), *folder.glob("tests/*.tftest.hcl")]):
            runs = list(bodies(code(file.read_text("utf-8", "replace")), r'run\s+"[^"]+"'))
            plans_only = all(any(line.split() == ["command", "=", "plan"] for line in run.splitlines()) for run in runs)
            (files if plans_only else left_out).append(file.relative_to(folder).as_posix())
        notes = tuple(
            Problem(
                severity=Severity.NOTE,
                summary="tests left out: they would create real objects",
                detail="give every run block: command = plan",
                file=str(self.settings.path / name),
                line=1,
            )
            for name in left_out
        )
        if not files:
            return notes
        result = self.shell.run(commands.test(prepared.place, files))
        return (*notes, *output.tested(result.stdout, prepared.workspace.path, prepared.secrets))

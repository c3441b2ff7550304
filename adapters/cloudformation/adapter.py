"""The adapter for CloudFormation: the lines between the child that speaks to AWS and the contract.

``build`` is what the entry point ``cloudformation`` names.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from adapters.cloudformation import answers, changes, checks, commands, drifted
from adapters.cloudformation.prepared import Prepared, prepare
from adapters.cloudformation.reads import outside
from adapters.cloudformation.settings import Settings, read
from adapters.contract import (
    AttributeChange,
    Change,
    ChangeKind,
    DriftItem,
    Drifts,
    Finished,
    Goal,
    Handle,
    InvalidSettings,
    Json,
    Outputs,
    Plan,
    PlanStale,
    Problem,
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
from adapters.files import write_private
from adapters.telling import scrub

#: The files in `Workspace.private` that a plan is saved to, and that tell the outputs as this run saw them.
SAVED: Final = "plan"
_SEEN: Final = "outputs.json"
_LINT: Final = "cfn-lint"


def build(settings: Mapping[str, Json], shell: Shell) -> CloudFormation:
    """Build the adapter for one stack; starts nothing. Raises InvalidSettings."""
    return CloudFormation(settings=read(settings), shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFormation:
    """Drives CloudFormation for one stack."""

    settings: Settings
    shell: Shell

    @property
    def traits(self) -> Traits:
        """What the service can do; whether it puts drift back depends on the region."""
        return Traits(
            heals_drift=self.settings.revert_drift,
            sees_deletes=True,
            saves_plans=True,
            blind_spots=drifted.BLIND_SPOTS,
        )

    def version(self) -> ToolVersion:
        """Return the installed library's version. Raises ToolMissing; loads nothing."""
        if importlib.util.find_spec("boto3") is None:
            raise ToolMissing("boto3 is not installed", hint="pip install 'holdfast[cloudformation]'")
        return ToolVersion(
            name="boto3",
            version=importlib.metadata.version("boto3"),
            platform=f"{sys.platform}_{platform.machine()}",
        )

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        """Return deployment file, template, nested templates and packaged files outside the stack's folder."""
        return outside(tree, self.settings)

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Check the files by themselves, with cfn-lint where it is installed, and by the service."""
        self.version()
        try:
            prepared = prepare(self.settings, self.shell, workspace)
        except InvalidSettings as refused:
            if refused.problems:
                return refused.problems
            raise
        found = checks.problems(prepared.template, prepared.file)
        if found:
            return found
        linted = self._linted(prepared)
        if any(problem.severity is Severity.ERROR for problem in linted):
            return (*prepared.notes, *linted)
        return (*prepared.notes, *linted, *self._checked_by_aws(prepared))

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Have a change set made, or list what removing the stack would remove, and save which it is."""
        tool = self.version()
        prepared = prepare(self.settings, self.shell, workspace)
        (workspace.private / _SEEN).unlink(missing_ok=True)
        if goal is Goal.DESTROY:
            return self._plan_destroy(prepared, tool)
        if goal is Goal.REVERT_DRIFT and not self.settings.revert_drift:
            raise InvalidSettings(
                "this region offers no change sets that put drift back (revert_drift: false)",
                hint="put it back by hand, or have the template ask for what is there and apply",
            )
        answer = prepared.ask("plan", revert_drift=goal is Goal.REVERT_DRIFT)
        deployed = answer["deployed"]
        sides = prepared.sides(deployed)
        found = changes.changes(answer["changes"], sides)
        outputs = changes.outputs_changing(sides, found) if answer["change_set"] else ()
        own = self._stack_itself(prepared, answer, quiet=not (found or outputs))
        plan = Plan(
            goal=goal,
            changes=(*found, *own),
            tool=tool,
            outputs_changing=outputs,
            problems=prepared.notes,
            imported=sum(1 for one in answer["changes"] if one.get("Action") == "Import"),
        )
        if plan.empty:
            self._remember(workspace, deployed["outputs"] if deployed else {})
        return self._saved(prepared, plan, answer)

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Execute exactly the change set that was planned, or remove exactly the stack that was seen."""
        self.version()
        if plan.saved is None or not plan.saved.is_file():
            raise PlanStale("the saved plan is gone", hint="plan again")
        prepared = prepare(self.settings, self.shell, workspace)
        (workspace.private / _SEEN).unlink(missing_ok=True)
        ended = self.shell.run(commands.apply(plan.saved, workspace.folder, plan.seal), prepared.tell)
        self._remember(workspace, answers.result(ended, prepared.secrets)["outputs"])

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:
        """Say how an attempt ended whose worker died: as it said itself, or as the service tells. Executes nothing."""
        if handle.alive:
            return Running()
        prepared = prepare(self.settings, self.shell, workspace)
        if handle.result is not None and answers.ended(handle.result.stdout):
            said = answers.failure(handle.result.stdout)
            return Finished(error=None if said is None else " ".join(scrub(said, prepared.secrets).split()))
        if plan.saved is None or not plan.saved.is_file():
            return Unknown(why="the saved plan is gone, which names the change set", started=None)
        ended = self.shell.run(commands.ask("resume", plan.saved, workspace.folder), prepared.tell)
        answer = answers.result(ended, prepared.secrets)
        return _resumed(answer, scrub(str(answer.get("why") or ""), prepared.secrets), begun=handle.folder.is_dir())

    def drift(self, workspace: Workspace) -> Drifts:
        """Have the service compare the world with what it deployed, and what it deployed with the files."""
        self.version()
        prepared = prepare(self.settings, self.shell, workspace)
        answer = prepared.ask("drift")
        if answer["missing"]:
            gone = Change(address=f"stack {prepared.stack_name}", kind=ChangeKind.DELETE, reason="the stack is gone")
            return Drifts(items=(DriftItem(change=gone, will_be_reverted=True),), blind_spots=drifted.BLIND_SPOTS)
        sides = prepared.sides(answer["deployed"])
        pending: tuple[Change, ...] = ()
        if answer["pending"]:
            found = changes.changes(answer["pending"]["changes"], sides)
            pending = (*found, *self._stack_itself(prepared, {**answer, **answer["pending"]}, quiet=not found))
        hidden = sorted(prepared.template.no_echo)
        return Drifts(
            items=drifted.items(answer["drifts"], sides.veil, prepared.secrets, reverted=self.settings.revert_drift),
            blind_spots=(
                *drifted.BLIND_SPOTS,
                *drifted.unseen(answer["drifts"], answer["resources"], scrub(answer["failed"], prepared.secrets)),
                *((f"what the NoEcho parameters are worth: {', '.join(hidden)}",) if hidden else ()),
            ),
            pending=pending,
        )

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return the stack's outputs; those made of secrets are marked."""
        self.version()
        prepared = prepare(self.settings, self.shell, workspace)
        try:
            # What this very run saw: asking again would tell the same.
            values = json.loads((workspace.private / _SEEN).read_bytes())
        except FileNotFoundError:
            values = prepared.ask("outputs")["outputs"]
        return changes.outputs(values, prepared.sides(None))

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Refuse: the service keeps no lock that could be left behind."""
        del workspace
        raise ToolFailed(
            f"CloudFormation has no lock {lock_id}", hint="an operation at work ends by itself: holdfast status"
        )

    def _plan_destroy(self, prepared: Prepared, tool: ToolVersion) -> Plan:
        answer = prepared.ask("plan-destroy")
        standing = prepared.sides(answer["deployed"]).deployed
        gone, stays = changes.destroyed(answer["resources"], standing)
        if answer["expected"]["status"] and answer["deployed"]:
            name = f"stack {prepared.stack_name}"
            gone = (*gone, Change(address=name, kind=ChangeKind.DELETE, reason="AWS::CloudFormation::Stack"))
        notes = tuple(
            Problem(severity=Severity.NOTE, summary=f"{name} stays as it is: its DeletionPolicy says so")
            for name in stays
        )
        plan = Plan(goal=Goal.DESTROY, changes=gone, tool=tool, problems=notes)
        return self._saved(prepared, plan, {**answer, "change_set": "", "creates": False})

    def _saved(self, prepared: Prepared, plan: Plan, answer: Mapping[str, Any]) -> Plan:
        """Save what an apply needs: the change set by its ARN, and how the stack stood."""
        wish, standing = self.settings.termination_protection, answer["deployed"] or {}
        destroys = plan.goal is Goal.DESTROY
        kept: dict[str, Any] = {
            "verb": "delete" if destroys else "execute",
            "region": self.settings.region,
            "stack_name": prepared.stack_name,
            "expected": answer["expected"],
            "change_set": answer["change_set"],
            "creates": answer["creates"],
            "role_arn": self.settings.role_arn,
            "termination_protection": None if destroys or wish == bool(standing.get("protected")) else wish,
            "stack_policy": "" if destroys or _same_json(prepared.policy, standing.get("policy")) else prepared.policy,
        }
        # Asked for twice with the same token, the service does a thing once.
        digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
        file = prepared.workspace.private / SAVED
        write_private(file, json.dumps({**kept, "token": f"holdfast-{digest[:40]}"}).encode())
        return Plan(
            goal=plan.goal,
            changes=plan.changes,
            tool=plan.tool,
            saved=file,
            outputs_changing=plan.outputs_changing,
            problems=plan.problems,
            imported=plan.imported,
        )

    def _stack_itself(self, prepared: Prepared, answer: Mapping[str, Any], *, quiet: bool) -> tuple[Change, ...]:
        """Return what changes of the stack itself, and that something does where no resource says so."""
        deployed = answer["deployed"]
        wanted: dict[str, Any] = {}
        if self.settings.termination_protection is not None:
            wanted["termination_protection"] = self.settings.termination_protection
        if prepared.policy:
            wanted["stack_policy"] = json.loads(prepared.policy)
        if deployed and answer["change_set"]:
            wanted["tags"] = dict(prepared.tags)
        standing = None
        if deployed:
            policy = json.loads(deployed["policy"]) if deployed["policy"] else {}
            standing = {
                "termination_protection": deployed["protected"],
                "stack_policy": policy,
                "tags": deployed["tags"],
            }
        found = changes.stack_change(prepared.stack_name, wanted, standing, prepared.secrets)
        if found is None and quiet and answer["change_set"] and deployed:
            before, after = (_digest(text) for text in (deployed["template"], prepared.package.text))
            found = Change(
                address=f"stack {prepared.stack_name}",
                kind=ChangeKind.UPDATE,
                attributes=(AttributeChange(path="template", before=before, after=after),),
                reason="the template's text changes, and no resource does",
            )
        return () if found is None else (found,)

    def _linted(self, prepared: Prepared) -> tuple[Problem, ...]:
        program = shutil.which(_LINT) if self.settings.lint else None
        if program is None:
            return ()
        template = prepared.workspace.root / prepared.file
        ended = self.shell.run(commands.lint(_LINT, template, prepared.workspace.folder, self.settings.region))
        return checks.linted(ended.stdout, prepared.file)

    def _checked_by_aws(self, prepared: Prepared) -> tuple[Problem, ...]:
        file, line = str(prepared.file), 1
        if prepared.package.url:
            note = "too large to be checked by the service before it is uploaded"
            return (Problem(severity=Severity.NOTE, summary=note, file=file, line=line),)
        answer = prepared.ask("validate")
        if not answer["refused"]:
            return ()
        said = " ".join(scrub(answer["refused"], prepared.secrets).split())
        return (Problem(severity=Severity.ERROR, summary=said, file=file, line=line),)

    def _remember(self, workspace: Workspace, outputs: Mapping[str, Any]) -> None:
        write_private(workspace.private / _SEEN, json.dumps(dict(outputs)).encode())


def _resumed(answer: Mapping[str, Any], why: str, *, begun: bool) -> Resumed:
    match answer["state"]:
        case "running":
            return Running()
        case "finished":
            return Finished()
        case "failed":
            return Finished(error=why)
        case "untouched" if begun:
            return Finished(error="it ended before the service was asked to do anything: nothing changed")
        case "untouched":
            return Unknown(why="nothing is left of the attempt, and the service was not asked to do anything yet")
        case _:
            return Unknown(why=why)


def _same_json(wanted: str, standing: str | None) -> bool:
    return not wanted or (bool(standing) and json.loads(wanted) == json.loads(standing or "null"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]

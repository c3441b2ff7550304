"""A cloud, and a tool that makes things in it: values that outlive every worker."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ticking import Crash

from adapters.contract import (
    AttributeChange,
    Change,
    ChangeKind,
    DriftItem,
    Drifts,
    Finished,
    Goal,
    Output,
    Plan,
    PlanStale,
    ToolFailed,
    ToolVersion,
    Traits,
    Unknown,
    Workspace,
)

TOOL = ToolVersion(name="cloudtool", version="1", platform="any")


@dataclass
class Cloud:
    """What exists, and a ledger of everything that was ever done, with the attempt that did it."""

    objects: dict[str, str] = field(default_factory=dict)
    #: What the tool believes exists: its state.
    state: dict[str, str] = field(default_factory=dict)
    ledger: list[tuple[str, str, str]] = field(default_factory=list)
    #: Attempt folder -> exit code, None while its keeper has not written one.
    attempts: dict[str, int | None] = field(default_factory=dict)
    begun: dict[str, list[str]] = field(default_factory=dict)
    #: What stacks' objects begin with; a name that comes back with no state begins a second life.
    named: set[str] = field(default_factory=set)
    abandoned: set[str] = field(default_factory=set)
    fail_next: int = 0
    #: The object after whose making worker, keeper and tool die together, the tool not knowing of it.
    dies_after: str = ""
    #: Whether a plan always finds something to change, right after an apply too.
    restless: bool = False
    #: What the tool writes into a saved plan beside what it would do: two equal plans may be different files.
    salt: int = 0
    #: Whether the tool leaves what drifted as it is.
    lenient: bool = False
    #: Why nobody can look for drift; empty where one can.
    blind: str = ""
    #: How often reading outputs fails from now on.
    mute: int = 0
    #: Whether a crash of the worker takes the keeper and the tool with it, in the middle of a creation.
    dies_with_worker: bool = False


class CloudTool:
    """An adapter whose tool makes one object per line of the stack's file ``objects``: ``name=value``."""

    traits = Traits(heals_drift=True, sees_deletes=True, saves_plans=True)

    def __init__(self, world, settings, attempt):
        self.world, self.cloud, self.settings, self.attempt = world, world.cloud, settings, attempt

    def version(self):
        return TOOL

    def inputs(self, tree):
        self.world.break_at("inputs")
        return frozenset()

    def _wanted(self, workspace: Workspace) -> dict[str, str]:
        prefix = self._prefix(workspace)
        lines = (workspace.folder / "objects").read_text().split()
        fed = {f"{prefix}in.{name}": str(one.value) for name, one in workspace.inputs.items()}
        return {prefix + line.partition("=")[0]: line.partition("=")[2] for line in lines} | fed

    def _prefix(self, workspace: Workspace) -> str:
        """What this stack's objects begin with: said by the state that is kept, which goes along with a rename."""
        named = workspace.kept / "named"
        if named.exists():
            return f"{named.read_text()}:"
        lives = sum(name.rstrip("'") == workspace.stack for name in self.cloud.named)
        return f"{workspace.stack}{lives * chr(39)}:"

    def _mine(self, workspace, objects):
        prefix = self._prefix(workspace)
        return {name: value for name, value in objects.items() if name.startswith(prefix)}

    def plan(self, workspace, goal):
        self.world.break_at("plan")
        if self.world.plan_fails:
            raise ToolFailed("the tool says no", hint="ask it once more")
        wanted = {} if goal is Goal.DESTROY else self._wanted(workspace)
        # A refresh: what the state names is looked up in the cloud.
        there = {
            name: self.cloud.objects[name]
            for name in self._mine(workspace, self.cloud.state)
            if name in self.cloud.objects
        }
        changes = [
            Change(address=name, kind=ChangeKind.UPDATE if name in there else ChangeKind.CREATE)
            for name, value in wanted.items()
            if there.get(name) != value or self.cloud.restless
        ] + [Change(address=name, kind=ChangeKind.DELETE) for name in there if name not in wanted]
        saved = None
        if changes:
            saved = workspace.private / "plan"
            saved.write_text(json.dumps([wanted, self._mine(workspace, self.cloud.state), self.cloud.salt]))
        changing = tuple(sorted(c.address.partition(":")[2] for c in changes))
        return Plan(goal=goal, changes=tuple(changes), tool=TOOL, saved=saved, outputs_changing=changing)

    def apply(self, workspace, plan):
        self.world.executing(workspace, plan)
        wanted, seen, _ = json.loads(plan.saved.read_text())
        if seen != self._mine(workspace, self.cloud.state):
            raise PlanStale("saved plan is stale")
        self.world.effects.tick()
        folder = str(self.attempt)
        if folder in self.cloud.abandoned:
            raise Crash
        self.cloud.attempts[folder] = None
        self._do(workspace, folder, wanted)
        self.world.break_at("apply")
        self.world.effects.tick()
        if self.cloud.attempts[folder]:
            raise ToolFailed("the cloud says no")

    def _do(self, workspace, folder, wanted):
        """What the keeper and the tool do; a crash of the worker stops them only where they die with it."""
        ticks = self.world.effects.tick if self.cloud.dies_with_worker else lambda: None
        begun = self.cloud.begun.setdefault(folder, [])
        name = self._prefix(workspace)[:-1]
        self.cloud.named.add(name)
        (workspace.kept / "named").write_text(name)
        for name, value in wanted.items():
            if self.cloud.objects.get(name) == value and self.cloud.state.get(name) == value:
                continue
            if name not in self.cloud.state:
                begun.append(name)
            ticks()
            if self.cloud.fail_next:
                self.cloud.fail_next -= 1
                self.cloud.attempts[folder] = 1
                return
            verb = "update" if name in self.cloud.state else "create"
            self.cloud.ledger.append((folder, verb, name))
            self.cloud.objects[name] = value
            if name == self.cloud.dies_after:
                self.cloud.dies_after = ""
                raise Crash
            ticks()
            self.cloud.state[name] = value
            ticks()
        for name in [n for n in self._mine(workspace, self.cloud.state) if n not in wanted]:
            self.cloud.ledger.append((folder, "delete", name))
            self.cloud.objects.pop(name, None)
            ticks()
            del self.cloud.state[name]
        self.cloud.attempts[folder] = 0

    def resume(self, workspace, plan, handle):
        self.world.break_at("resume")
        if handle.result is None:
            return Unknown(why="its tool is gone", started=tuple(self.cloud.begun.get(str(handle.folder), ())))
        return Finished(error=None if handle.result.exit_code == 0 else "the cloud says no")

    def drift(self, workspace):
        self.world.break_at("drift")
        if self.cloud.blind:
            raise ToolFailed(self.cloud.blind)
        state, reverts = self._mine(workspace, self.cloud.state), not self.cloud.lenient
        items = [
            DriftItem(change=_differs(name, value, self.cloud.objects.get(name)), will_be_reverted=reverts)
            for name, value in state.items()
            if self.cloud.objects.get(name) != value
        ]
        pending = [
            Change(address=n, kind=ChangeKind.CREATE)
            for n in self._wanted(workspace)
            if n not in state or self.cloud.restless
        ]
        return Drifts(items=tuple(items), pending=tuple(pending))

    def outputs(self, workspace):
        if self.cloud.mute:
            self.cloud.mute -= 1
            raise ToolFailed("the outputs cannot be read")
        return {
            name.partition(":")[2]: Output(value=value)
            for name, value in self._mine(workspace, self.cloud.state).items()
        }

    def validate(self, workspace):
        return ()

    def unlock(self, workspace, lock_id):
        raise AssertionError


def _differs(name, expected, actual):
    attribute = AttributeChange(path="value", before=expected, after=actual)
    return Change(address=name, kind=ChangeKind.UPDATE, attributes=(attribute,))

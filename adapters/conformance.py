"""The suite that every adapter passes against its real tool; ours do, and so should yours.

An adapter's own tests bring a :class:`Rig` (a small world with the tool in it) and run every case:

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
    def test_conformance(case: Case, rig: Rig) -> None:
        case(rig)

Each case is one sentence that must hold; it raises AssertionError with what it saw where it does not. Cases
that speak of something the tool cannot do look at the adapter's traits and say so by returning.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Protocol, TypeAlias

from adapters.contract import (
    Adapter,
    AdapterError,
    ChangeKind,
    Finished,
    Goal,
    Handle,
    InvalidSettings,
    Json,
    PlanStale,
    Running,
    Severity,
    Shell,
    ToolFailed,
    ToolMissing,
    Unknown,
    Workspace,
)
from adapters.scripted import ForbiddingShell
from adapters.testimony import Testifying


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """One attribute that was changed behind the tool's back, as the adapter should tell it."""

    address: str
    path: str
    before: Json
    after: Json


class Subject(Protocol):
    """A stack with the tool at work on it, alone in its world. It manages two objects or more."""

    @property
    def adapter(self) -> Adapter:
        """The adapter under test, with a shell that runs the tool and may change the world."""
        ...

    @property
    def workspace(self) -> Workspace:
        """The stack's files; one input is sensitive and holds :attr:`canary`."""
        ...

    @property
    def canary(self) -> str:
        """A text that is secret, that ends up in the world, and that nobody may ever read."""
        ...

    def world(self) -> Json:
        """Return all that is really there, in a form that compares; times and the like left out."""
        ...

    def said(self) -> str:
        """Return all that the adapter reported to its shell."""
        ...

    def edit(self) -> None:
        """Change the stack's files so that one object would be updated."""
        ...

    def spoil(self) -> str:
        """Break the stack's files; return the file from the repository's root, empty where the tool names none."""
        ...

    def tamper(self) -> Tampering:
        """Change one attribute of one object in the world, behind the tool's back."""
        ...

    def remove(self) -> str:
        """Remove one object from the world, behind the tool's back; return its address."""
        ...

    def handle(self) -> Handle:
        """Return what is left of the last apply."""
        ...


class Rig(Protocol):
    """Makes subjects, and adapters that nothing stands behind."""

    def fresh(self) -> Subject:
        """Return a subject whose stack was never applied."""
        ...

    def converged(self) -> Subject:
        """Return a subject whose stack was just applied, by this adapter."""
        ...

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        """Build the adapter as its entry point does, with ``settings`` laid over good ones."""
        ...

    def without_tool(self) -> Subject:
        """Return a fresh subject on a machine on which the tool is not installed."""
        ...


Case: TypeAlias = Callable[[Rig], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTree:
    """A tree that lives in memory, for the one method that takes one."""

    held: Mapping[PurePosixPath, bytes]

    @classmethod
    def of(cls, root: Path) -> MemoryTree:
        """Read a folder."""
        files = (path for path in root.rglob("*") if path.is_file())
        return cls(held={PurePosixPath(path.relative_to(root).as_posix()): path.read_bytes() for path in files})

    def files(self, under: PurePosixPath) -> Iterable[PurePosixPath]:
        """Yield each file below ``under``."""
        return (path for path in self.held if path.is_relative_to(under))

    def read(self, path: PurePosixPath) -> bytes:
        """Return a file's bytes. Raises FileNotFoundError."""
        if path not in self.held:
            raise FileNotFoundError(str(path))
        return self.held[path]


def building_starts_nothing(rig: Rig) -> None:
    """Building an adapter, and asking for its traits, runs no program."""
    _expect(bool(rig.build(ForbiddingShell(), {}).traits), "an adapter has traits")


def nonsense_settings_are_refused_at_once(rig: Rig) -> None:
    """A key that the adapter does not know is an error that names it, not silence."""
    error = _error(lambda: rig.build(ForbiddingShell(), {"no_such_key_at_all": 1}), InvalidSettings)
    _expect("no_such_key_at_all" in error.message, f"the message names the key: {error.message}")


def a_missing_tool_is_named(rig: Rig) -> None:
    """Without the tool, every verb says so, and how to mend it."""
    subject = rig.without_tool()
    error = _error(lambda: subject.adapter.plan(subject.workspace, Goal.CONVERGE), ToolMissing)
    _expect(bool(error.hint), "the error says what to do")


def the_version_is_told(rig: Rig) -> None:
    """Name, version and platform are known, and are the same when asked again."""
    adapter = rig.fresh().adapter
    told = adapter.version()
    _expect(bool(told.name and told.version and told.platform), f"nothing is left empty: {told}")
    _expect(adapter.version() == told, "the same is told again")


def inputs_are_read_from_the_tree_alone(rig: Rig) -> None:
    """The paths that a stack reads outside its folder are found without running anything."""
    workspace = rig.fresh().workspace
    adapter = rig.build(ForbiddingShell(), {"path": str(workspace.path)})
    found = adapter.inputs(MemoryTree.of(workspace.root))
    _expect(not any(path.is_relative_to(workspace.path) for path in found), f"only paths outside: {sorted(found)}")


def good_files_are_valid(rig: Rig) -> None:
    """Validating good files finds no error and changes nothing."""
    subject = rig.fresh()
    before = subject.world()
    found = subject.adapter.validate(subject.workspace)
    _expect(not any(problem.severity is Severity.ERROR for problem in found), f"no error: {found}")
    _expect(subject.world() == before, "the world is as it was")


def broken_files_are_told_with_their_place(rig: Rig) -> None:
    """Files that the tool cannot read are problems with file and line; planning on them fails in one line."""
    subject = rig.fresh()
    file = subject.spoil()
    found = [problem for problem in subject.adapter.validate(subject.workspace) if problem.severity is Severity.ERROR]
    _expect(bool(found), "an error is found")
    _expect(not file or any(error.file == file and error.line > 0 for error in found), f"it names {file}: {found}")
    error = _error(lambda: subject.adapter.plan(subject.workspace, Goal.CONVERGE), AdapterError)
    _expect("\n" not in error.message, f"one line: {error.message}")


def a_plan_changes_nothing_and_repeats(rig: Rig) -> None:
    """Planning leaves the world alone; two plans of the same have the same digest."""
    subject = rig.fresh()
    before = subject.world()
    first = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    second = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    _expect(subject.world() == before, "the world is as it was")
    _expect(not first.empty, "a stack never applied has something to do")
    _expect({change.kind for change in first.changes} <= {ChangeKind.CREATE, ChangeKind.UNKNOWN}, f"{first.changes}")
    _expect(first.digest == second.digest, "the same plan has the same digest")
    saves = subject.adapter.traits.saves_plans
    _expect((first.saved is not None) is saves, f"a plan is saved exactly where traits say so: {first.saved}")


def after_an_apply_the_plan_is_empty(rig: Rig) -> None:
    """An empty plan is the only proof that an apply did what it should."""
    subject = rig.converged()
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    _expect(plan.empty, f"nothing is left to do: {plan.changes} {plan.outputs_changing}")


def an_applied_stack_has_not_drifted(rig: Rig) -> None:
    """Right after an apply there is neither drift nor anything pending."""
    subject = rig.converged()
    found = subject.adapter.drift(subject.workspace)
    _expect(not found.items, f"no drift: {found.items}")
    _expect(not found.pending, f"nothing pending: {found.pending}")


def a_plan_that_the_world_overtook_is_stale(rig: Rig) -> None:
    """A plan is applied to the letter or not at all: one made before another apply does nothing."""
    subject = rig.converged()
    subject.edit()
    overtaken = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    kept = overtaken
    if overtaken.saved is not None:
        kept = replace(overtaken, saved=Path(shutil.copy(overtaken.saved, overtaken.saved.with_name("overtaken"))))
    subject.adapter.apply(subject.workspace, overtaken)
    before = subject.world()
    _error(lambda: subject.adapter.apply(subject.workspace, kept), PlanStale)
    _expect(subject.world() == before, "the world is as it was")


def a_saved_plan_that_was_swapped_is_stale(rig: Rig) -> None:
    """What people approved is sealed: a saved plan of other bytes is handed to the shell with the seal, and not run."""
    subject = rig.fresh()
    if not subject.adapter.traits.saves_plans:
        return
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    before = subject.world()
    approved = replace(plan, seal=hashlib.sha256(b"what people approved").hexdigest())
    _error(lambda: subject.adapter.apply(subject.workspace, approved), PlanStale)
    _expect(subject.world() == before, "the world is as it was")


def drift_is_told_with_attribute_and_values(rig: Rig) -> None:
    """What was changed by hand is drift, with the attribute, what it was and what it is; a repair puts it back."""
    subject = rig.converged()
    before = subject.world()
    tampering = subject.tamper()
    found = subject.adapter.drift(subject.workspace)
    attributes = [
        (item.change.address, attribute.path, attribute.before, attribute.after)
        for item in found.items
        for attribute in item.change.attributes
    ]
    wanted = (tampering.address, tampering.path, tampering.before, tampering.after)
    _expect(wanted in attributes, f"{wanted} is among {attributes}")
    _expect(not found.pending, f"the files ask for nothing new: {found.pending}")
    _expect(subject.canary not in repr(found), "not in the names of what drifted")
    if isinstance(subject.adapter, Testifying):
        tampered = subject.world()
        said = subject.adapter.testify(subject.workspace, found.items, 0.0)
        _expect(subject.canary not in repr(said), "not in what witnesses say")
        places = {"", *(item.change.address for item in found.items)}
        _expect({word.address for word in said} <= places, f"what drifted is spoken of, and nothing else: {said}")
        _expect(subject.world() == tampered, "asking changes nothing")
    if not subject.adapter.traits.heals_drift:
        return
    _expect(all(item.will_be_reverted for item in found.items), "an apply puts it back")
    subject.adapter.apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.REVERT_DRIFT))
    _expect(subject.world() == before, "the repair put everything back")


def a_removed_object_is_drift(rig: Rig) -> None:
    """What was removed by hand is drift, where the tool can see that."""
    subject = rig.converged()
    if not subject.adapter.traits.sees_deletes:
        return
    address = subject.remove()
    gone = {
        item.change.address for item in subject.adapter.drift(subject.workspace).items if _is_delete(item.change.kind)
    }
    _expect(gone == {address}, f"{address} is gone: {gone}")


def a_change_of_the_files_is_no_drift(rig: Rig) -> None:
    """What the files ask for is pending, not drift."""
    subject = rig.converged()
    subject.edit()
    found = subject.adapter.drift(subject.workspace)
    _expect(not found.items, f"no drift: {found.items}")
    _expect(bool(found.pending), "the change is pending")


def a_secret_is_never_told(rig: Rig) -> None:
    """The canary is in no plan, drift or report, and the shell was told to hide it."""
    subject = rig.converged()
    # The object may well be the one that has it, and so its loss and its return may tell it.
    if subject.adapter.traits.sees_deletes:
        subject.remove()
    _expect(subject.canary not in repr(subject.adapter.drift(subject.workspace)), "not in the drift")
    _expect(subject.canary not in repr(subject.adapter.plan(subject.workspace, Goal.CONVERGE)), "not in the plan")
    _expect(subject.canary not in subject.said(), "not in what was reported")


def a_sensitive_output_is_marked(rig: Rig) -> None:
    """Outputs that hold the canary are marked as sensitive."""
    subject = rig.converged()
    for name, output in subject.adapter.outputs(subject.workspace).items():
        _expect(output.sensitive or subject.canary not in repr(output.value), f"{name} is marked")


def a_planned_destroy_removes_everything(rig: Rig) -> None:
    """Destroying is a plan like any other: it lists every object, and applying it leaves none. Or it is refused."""
    subject = rig.fresh()
    if not subject.adapter.traits.destroys:
        _error(lambda: subject.adapter.plan(subject.workspace, Goal.DESTROY), InvalidSettings)
        return
    before = subject.world()
    subject.adapter.apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.CONVERGE))
    plan = subject.adapter.plan(subject.workspace, Goal.DESTROY)
    _expect(plan.goal is Goal.DESTROY, "the plan says what it is for")
    _expect(all(_is_delete(change.kind) for change in plan.changes), f"only deletions: {plan.changes}")
    subject.adapter.apply(subject.workspace, plan)
    _expect(subject.world() == before, "nothing is left")


def a_lock_that_is_not_there_is_not_freed(rig: Rig) -> None:
    """Where nobody holds such a lock, freeing it fails and changes nothing."""
    subject = rig.converged()
    before = subject.world()
    _error(lambda: subject.adapter.unlock(subject.workspace, "00000000-0000-0000-0000-000000000000"), ToolFailed)
    _expect(subject.world() == before, "the world is as it was")


def an_attempt_that_ended_is_found_finished(rig: Rig) -> None:
    """After a lost worker, an apply that ended well is adopted; one that is alive is left alone.

    What is looked at on the way: a first plan and its apply tell no secret either.
    """
    subject = rig.fresh()
    before = subject.world()
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    _expect(subject.canary not in repr(plan), "the secret is not in the plan")
    subject.adapter.apply(subject.workspace, plan)
    _expect(subject.world() != before, "something happened")
    _expect(subject.canary not in subject.said(), "the secret is not in what was reported")
    handle = subject.handle()
    found = subject.adapter.resume(subject.workspace, plan, handle)
    _expect(found == Finished(), f"it ended well: {found}")
    alive = replace(handle, result=None, alive=True)
    _expect(subject.adapter.resume(subject.workspace, plan, alive) == Running(), "it is still at work")


def an_attempt_that_left_nothing_is_unknown(rig: Rig) -> None:
    """Where nothing is left of an attempt nobody may call it a success or a failure."""
    subject = rig.fresh()
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    gone = Handle(folder=subject.workspace.private / "no-such-attempt", result=None, alive=False)
    found = subject.adapter.resume(subject.workspace, plan, gone)
    _expect(isinstance(found, Unknown) and found.started is None, f"unknown: {found}")


CASES: Final[tuple[Case, ...]] = (
    building_starts_nothing,
    nonsense_settings_are_refused_at_once,
    a_missing_tool_is_named,
    the_version_is_told,
    inputs_are_read_from_the_tree_alone,
    good_files_are_valid,
    broken_files_are_told_with_their_place,
    a_plan_changes_nothing_and_repeats,
    after_an_apply_the_plan_is_empty,
    an_applied_stack_has_not_drifted,
    a_plan_that_the_world_overtook_is_stale,
    a_saved_plan_that_was_swapped_is_stale,
    drift_is_told_with_attribute_and_values,
    a_removed_object_is_drift,
    a_change_of_the_files_is_no_drift,
    a_secret_is_never_told,
    a_sensitive_output_is_marked,
    a_planned_destroy_removes_everything,
    a_lock_that_is_not_there_is_not_freed,
    an_attempt_that_ended_is_found_finished,
    an_attempt_that_left_nothing_is_unknown,
)


def _expect(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise AssertionError(what)


def _error(act: Callable[[], object], kind: type[AdapterError]) -> AdapterError:
    """Return the error that ``act`` raises. Raises AssertionError where it raises none."""
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} is raised")


def _is_delete(kind: ChangeKind) -> bool:
    return kind is ChangeKind.DELETE

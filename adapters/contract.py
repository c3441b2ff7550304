"""What an adapter and the orchestrator share: values, protocols and errors. Nothing else.

This module imports the standard library only, so that an adapter in another distribution depends on
it and on nothing of Holdfast's inside. An adapter drives one tool for one stack; it is built by the
callable that its entry point (group ``orchestrator.adapters``) names, see :class:`AdapterFactory`.

    AdapterError                 could the same attempt succeed later?
    ├── InvalidSettings    HF-2001   no     the stack's settings make no sense to the tool
    ├── ToolMissing        HF-2002   no     the program is not installed
    ├── ToolVersionWrong   HF-2003   no     installed, but not the version that the stack asks for
    ├── ToolFailed         HF-2004   yes    the tool ran and said no
    │   └── ToolStopped    HF-2009   yes    a time limit or a person stopped it: what it did is unknown
    ├── ToolBusy           HF-2005   yes    the tool's own lock is held elsewhere
    ├── PlanStale          HF-2006   yes    the world or the files moved since the plan was made
    ├── OutputUnreadable   HF-2007   no     the tool answered in a form we do not know
    ├── ForbiddenFile      HF-2008   no     the tree holds a file that would take over the tool
    ├── StateElsewhere     HF-2010   no     the state that was applied last is not where the files say
    └── StateUnsaved       HF-2011   yes    what an apply left waits to be saved: before that nothing may be planned
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import ClassVar, Protocol, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

#: What stands in the place of every value that the tool or a person marked as secret.
MASK = "(sensitive)"


class ChangeKind(StrEnum):
    """What would happen to one resource. ``UNKNOWN`` counts as destructive everywhere."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    UNKNOWN = "unknown"

    @property
    def destructive(self) -> bool:
        """Whether people must see it first: something may be lost."""
        return self in {ChangeKind.REPLACE, ChangeKind.DELETE, ChangeKind.UNKNOWN}


class Goal(StrEnum):
    """What a plan is for."""

    CONVERGE = "converge"
    DESTROY = "destroy"
    REVERT_DRIFT = "revert_drift"


class Severity(StrEnum):
    """How much a :class:`Problem` matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something the tool has to say about the files, with the place where it says so."""

    severity: Severity
    summary: str
    detail: str = ""
    #: Path relative to the repository's root, or empty where the tool names none.
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Render as ``file:line  severity: summary``, the form that editors understand."""
        place = f"{self.file}:{self.line}  " if self.file else ""
        return f"{place}{self.severity}: {self.summary}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """One attribute before and after. Sensitive values are masked before this is built."""

    #: Dotted path inside the resource, list positions in brackets: ``tags.owner``, ``ingress[0].port``.
    path: str
    before: Json
    after: Json
    sensitive: bool = False
    #: True where the value is known only once the change is applied.
    computed: bool = False
    forces_replacement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource's difference between what is there and what is asked for."""

    address: str
    kind: ChangeKind
    attributes: tuple[AttributeChange, ...] = ()
    #: The tool's own word for why, empty where it gives none.
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolVersion:
    """The program that made a plan: an apply runs the very same."""

    name: str
    version: str
    platform: str
    #: Hex SHA-256 of the program's file; empty where the tool is not one file.
    program: str = ""

    def __str__(self) -> str:
        """Render as people say it: ``terraform 1.11.4 on linux_amd64``."""
        return f"{self.name} {self.version} on {self.platform}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All the differences between a stack's files and the world, and the saved plan, if the tool has one."""

    goal: Goal
    changes: tuple[Change, ...]
    tool: ToolVersion
    #: The saved plan file inside ``Workspace.private``; None where the tool cannot save one.
    saved: Path | None = None
    #: Hex SHA-256 of ``saved`` as people approved it, set by whoever hands the plan to ``apply``: for `Command.sealed`.
    seal: str = ""
    #: Digest of the code that the tool fetched and keeps in ``Workspace.scratch``, which no revision holds: ``apply``
    #: raises PlanStale where it is another by then. Empty where there is none.
    installed: str = ""
    #: Digest of the plan as the adapter made it, where what is handed to ``apply`` was masked for people since.
    unmasked: str = ""
    #: Output names whose value the apply would change, or that are known only after it.
    outputs_changing: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: Drift that the tool saw on the way to this plan.
    drift: tuple[Change, ...] = ()
    #: Addresses only renamed in state, and resources only taken over into it.
    moved: int = 0
    imported: int = 0

    @property
    def empty(self) -> bool:
        """Whether applying would change neither the world nor an output nor the state's addresses."""
        return not (self.changes or self.outputs_changing or self.moved or self.imported)

    @property
    def digest(self) -> str:
        """Digest of what would be done, canonical: two plans that would do the same have the same."""
        return digest_of_changes(self)

    def is_still(self, now: Plan) -> bool:
        """Whether ``now`` would do the same, for a tool that saves no plan and plans again before it applies."""
        return now.digest == (self.unmasked or self.digest)


def digest_of_changes(plan: Plan) -> str:
    """Return the hex SHA-256 over goal, changes and changed outputs, leaving out times, paths and durations."""
    body = {
        "goal": plan.goal.value,
        "changes": sorted(
            [
                change.address,
                change.kind.value,
                [[a.path, a.before, a.after, a.computed] for a in sorted(change.attributes, key=lambda a: a.path)],
            ]
            for change in plan.changes
        ),
        "outputs": sorted(plan.outputs_changing),
        "moved": plan.moved,
        "imported": plan.imported,
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftItem:
    """One difference between what was applied and what is there now."""

    change: Change
    #: True where the next apply puts it back, False where the files do not speak of it.
    will_be_reverted: bool
    #: Names under which others know the resource: its id, its ARN. None of them secret.
    identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts:
    """What the tool's own drift detection says at the applied revision."""

    items: tuple[DriftItem, ...]
    #: What the tool cannot see, in sentences, so that silence is never read as "fine".
    blind_spots: tuple[str, ...] = ()
    #: Differences that come from the files, not from the world: no drift, but not converged either.
    pending: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One value that a stack hands to others."""

    value: Json
    sensitive: bool = False


Outputs: TypeAlias = Mapping[str, Output]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the tool can do, so that nobody above has to ask for its name."""

    #: A plan and apply puts drift back.
    heals_drift: bool
    #: Drift detection sees resources that were deleted behind the tool's back.
    sees_deletes: bool
    #: A plan can be saved and applied to the letter.
    saves_plans: bool
    #: A plan can take down all that was made. Where False, ``plan`` for Goal.DESTROY raises InvalidSettings.
    destroys: bool = True
    #: What the tool never sees, in sentences.
    blind_spots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One resolved value handed to the tool."""

    value: Json
    sensitive: bool = False
    #: A secret or another stack's output is in it: it is data, and a tool that reads templates must not read one in it.
    filled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A revision's files laid out for one stack, and the folders the tool may write to."""

    #: Root of the private, writable copy of the repository (only what the stack reads is in it).
    root: Path
    #: The stack's folder, relative to :attr:`root`.
    path: PurePosixPath
    #: Lasts between runs and may vanish at any time: a cache.
    scratch: Path
    #: This run's own folder, mode 0700, removed when the run ends: variable files, saved plans.
    private: Path
    #: Lasts and is precious: state kept by Holdfast. Copied aside before and after each apply.
    kept: Path
    #: Full key of the stack, ``source/name@env``.
    stack: str
    environment: str
    inputs: Mapping[str, Input] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder in which the tool runs."""
        return self.root / self.path


class Tree(Protocol):
    """The files of one revision, read without a checkout."""

    def files(self, under: PurePosixPath) -> Iterable[PurePosixPath]:
        """Yield each regular file below ``under``, as a path from the repository's root."""
        ...

    def read(self, path: PurePosixPath) -> bytes:
        """Return a file's bytes. Raises ``FileNotFoundError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One run of a program, as a value: building one starts nothing."""

    argv: tuple[str, ...]
    cwd: Path
    #: What the tool needs on top of the orchestrator's allow-list and the granted credentials.
    env: Mapping[str, str] = field(default_factory=dict)
    #: May change the world: runs under a keeper that outlives us, and only inside a recorded attempt.
    mutates: bool = False
    #: Of one that mutates: belongs to an attempt and says nothing of how it ended (saving what it left, freeing its
    #: lock). It is not stopped along with the run: half done it would help nobody.
    aside: bool = False
    #: Files that a changing command must find to the byte: hex SHA-256 by path. One on the command line is handed to
    #: the tool as a copy that nobody can alter. With them goes what the adapter wrote among the stack's own files.
    sealed: Mapping[Path, str] = field(default_factory=dict)
    #: Commands with the same name never run side by side on this host (the provider cache, for one).
    exclusive: str = ""
    #: Wall-clock seconds; None takes the stack's own limit.
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended. Output is raw: it may hold secrets and is never stored by an adapter."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Shell(Protocol):
    """The only way an adapter runs a program."""

    def run(self, command: Command, on_line: Callable[[str], None] | None = None) -> Result:
        """Run to the end and return the result; ``on_line`` sees each line of standard output as it comes.

        Raises ToolMissing where the program is not found, ToolStopped on a timeout or cancellation, and PlanStale where
        a sealed file, or one of the stack's own before its first change, is not as it was: then nothing ran.
        """
        ...

    def conceal(self, values: Iterable[str]) -> None:
        """Have these values masked in everything that is stored or shown from now on."""
        ...

    def report(self, line: str) -> None:
        """Write one line of progress for people into the run's log (redacted)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What is left of an attempt whose worker is gone: the folder that its keeper wrote to."""

    folder: Path
    #: The last mutating command's result, those set aside left out; None while it runs or when it left none.
    result: Result | None
    #: Whether a process of it is still alive.
    alive: bool
    #: How many lines of its standard output ``on_line`` saw: the rest is yet to be told to people.
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The attempt ended and its outcome is known: ``error`` is None where it went well."""

    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The attempt is still at work; ask again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody can say how it ended. ``started`` names what it had begun to create, None where not even that is known."""

    why: str
    started: tuple[str, ...] | None = None


Resumed: TypeAlias = Finished | Running | Unknown


class Adapter(Protocol):
    """Drives one tool for one stack. Every method may raise an :class:`AdapterError`, and nothing else."""

    @property
    def traits(self) -> Traits:
        """What the tool can do."""
        ...

    def version(self) -> ToolVersion:
        """Return the installed tool's version; cached by the binary's inode, mtime and size."""
        ...

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        """Return the files and folders outside the stack's own folder that it reads. Pure; cached by tree id."""
        ...

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Have the tool check the files, changing nothing."""
        ...

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Work out what would be done, changing nothing."""
        ...

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Do exactly what ``plan`` says, or raise PlanStale and do nothing.

        StateUnsaved leaves the attempt without an end: `resume` is called until it says how it ended.
        """
        ...

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:
        """Say how an attempt ended whose worker died; rescue what it left behind, or raise StateUnsaved."""
        ...

    def drift(self, workspace: Workspace) -> Drifts:
        """Compare the world with what was applied. The workspace holds the applied revision."""
        ...

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return the values that the stack hands to others, as they are now."""
        ...

    def unlock(self, workspace: Workspace, lock_id: str) -> None:
        """Free the tool's own lock ``lock_id``; the caller has made sure that it is one of ours.

        Raises ToolFailed where there is no such lock, or the tool knows none: nobody may believe that it was freed.
        """
        ...


class AdapterFactory(Protocol):
    """What an entry point of the group ``orchestrator.adapters`` names."""

    def __call__(self, settings: Mapping[str, Json], shell: Shell) -> Adapter:
        """Build the adapter for one stack; starts nothing. Raises InvalidSettings.

        ``settings`` are the stack's own keys with references filled in, and always ``path`` (the
        stack's folder from the repository's root) and ``tool``.
        """
        ...


class AdapterError(Exception):
    """The root of everything an adapter may raise."""

    code: ClassVar[str] = "HF-2000"
    #: Could the same attempt succeed later, without anybody changing a file?
    transient: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        """Keep one line of cause, one of remedy, and what the tool itself had to say."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = problems


class InvalidSettings(AdapterError):
    """The stack's settings make no sense to the tool."""

    code = "HF-2001"


class ToolMissing(AdapterError):
    """The program is not installed."""

    code = "HF-2002"


class ToolVersionWrong(AdapterError):
    """The program is installed in a version that the stack does not accept."""

    code = "HF-2003"


class ToolFailed(AdapterError):
    """The tool ran and said no, ran into its time limit, or was cancelled."""

    code = "HF-2004"
    transient = True


class ToolStopped(ToolFailed):
    """The tool was stopped by its time limit or by a person. Of a mutating command the outcome is unknown."""

    code = "HF-2009"


class ToolBusy(AdapterError):
    """The tool's own lock is held elsewhere."""

    code = "HF-2005"
    transient = True

    def __init__(
        self, message: str, *, holder: str = "", lock_id: str = "", taken_at: float | None = None, hint: str = ""
    ) -> None:
        """Name who holds the lock, its id and when it was taken (seconds since the epoch), as far as the tool tells."""
        super().__init__(message, hint=hint)
        self.holder = holder
        self.lock_id = lock_id
        self.taken_at = taken_at


class PlanStale(AdapterError):
    """The world or the files moved since the plan was made."""

    code = "HF-2006"
    transient = True


class OutputUnreadable(AdapterError):
    """The tool answered in a form that this adapter does not know."""

    code = "HF-2007"


class ForbiddenFile(AdapterError):
    """The tree holds a file that would take over the tool (a committed ``.terraform``, for one)."""

    code = "HF-2008"


class StateElsewhere(AdapterError):
    """The state that was applied last is not where the files say it is: a plan would create everything twice."""

    code = "HF-2010"


class BackendMissing(AdapterError):
    """The files keep the state on this host, and other hosts are to find it."""

    code = "HF-2012"


class StateUnsaved(AdapterError):
    """What an apply left could not be saved yet. Only its attempt may save it, and before that nothing is planned."""

    code = "HF-2011"
    transient = True

    def __init__(
        self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = (), holder: str = "", lock_id: str = ""
    ) -> None:
        """Name the tool's own lock and its holder where it is that which keeps it from being saved."""
        super().__init__(message, hint=hint, problems=problems)
        self.holder = holder
        self.lock_id = lock_id

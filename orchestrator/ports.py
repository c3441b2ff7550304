"""What the engine needs of the outside, as protocols. `effects` implements them, tests give their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol

from adapters.contract import Adapter, Handle, Input, Json, Shell, Tree, Workspace
from adapters.testimony import Testimony
from orchestrator.errors import ConfigError
from orchestrator.model.event import Event
from orchestrator.model.gate import Gate
from orchestrator.model.inquiry import Inquiry
from orchestrator.model.observed import Applying, Looks, State
from orchestrator.model.source import Revision, Source
from orchestrator.model.stack import Stack, StackKey


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, no longer than ``seconds``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event as recorded."""

    seq: int
    stack: str
    #: Version of the stack after this event.
    version: int
    run: int
    at: float
    actor: str
    event: Event
    #: Hash that chains this entry to the one before it.
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The events between two rests. Its status is a fold of them."""

    number: int
    #: ``cli``, ``service``, ``webhook``.
    trigger: str
    #: What was asked: ``plan``, ``apply``, ``drift``, ``rollback``, ``destroy``.
    verb: str
    actor: str
    revision: str
    at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stack as one row holds it: reading never folds a whole history."""

    key: str
    state: State
    looks: Looks


class Record(Protocol):
    """What happened, append-only, and what it folds to."""

    def row(self, stack: str) -> Row:
        """Return the stack's row; a stack never seen has an empty state."""
        ...

    def rows(self, source: str | None = None) -> Sequence[Row]:
        """Return every row (of one source), sorted by key."""
        ...

    def versions(self, source: str) -> Mapping[str, int]:
        """Return the version of each row of a source by key, without reading what it holds."""
        ...

    def append(
        self, stack: str, events: Sequence[Event], *, expected: int, run: int, gates: int | None = None
    ) -> State:
        """Append in one transaction and return the new state.

        Raises Conflict (HF-4200) where the stack's version is not ``expected``, and Conflict (HF-4202) where ``gates``
        is given and the gates' version has moved.
        """
        ...

    def look(self, stack: str, looks: Looks) -> None:
        """Keep when somebody last looked; appends nothing."""
        ...

    def open_run(self, *, trigger: str, verb: str, actor: str, revision: str) -> Run:
        """Begin a run and return it with its number."""
        ...

    def close_run(self, number: int) -> None:
        """Mark a run as ended."""
        ...

    def runs(self, *, limit: int = 50) -> Sequence[Run]:
        """Return the newest runs, newest first."""
        ...

    def run(self, number: int) -> Run | None:
        """Return one run."""
        ...

    def events(
        self, *, stack: str | None = None, run: int | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[Entry]:
        """Return entries in order, those after sequence number ``after``."""
        ...

    def gates(self) -> tuple[int, tuple[Gate, ...]]:
        """Return the gates' version and each gate that is not lifted."""
        ...

    def set_gate(self, gate: Gate, *, run: int) -> Gate:
        """Close a gate, bump the gates' version, record it; returns it with its id."""
        ...

    def lift_gate(self, gate: int, *, by: str, reason: str, run: int) -> None:
        """Lift a gate. Lifting one that is lifted changes nothing."""
        ...

    def verify(self) -> int | None:
        """Return the first sequence number whose chain does not hold, None where all hold."""
        ...

    def key(self) -> bytes:
        """Return the record's own key for fingerprints (32 bytes, made with the record)."""
        ...

    def remembered(self, topic: str, key: str) -> Json:
        """Return a cached derivation, None where there is none. The cache may vanish at any time."""
        ...

    def recollect(self, topic: str) -> Mapping[str, Json]:
        """Return every cached derivation of a topic, by key."""
        ...

    def remember(self, topic: str, values: Mapping[str, Json]) -> None:
        """Cache derivations that can always be made again, by key, in one transaction."""
        ...


class Artifacts(Protocol):
    """Plans, state copies, inputs, finished logs: put and got by SHA-256, encrypted at rest."""

    def put(self, content: bytes) -> str:
        """Store and return the hex SHA-256 of ``content``."""
        ...

    def get(self, sha256: str) -> bytes:
        """Return the content. Raises RecordError where it is missing or was altered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One row of the agenda: when a stack on a track is due, why, how urgent."""

    stack: str
    track: str
    at: float
    why: str
    #: Apply 0, plan 10, drift 20: the smaller goes first.
    priority: int = 10


class Agenda(Protocol):
    """Who works on what, and when. Level-triggered: losing or repeating a nudge does no harm."""

    def nudge(self, *dues: Due) -> None:
        """Pull due dates forward, all in one transaction; never pushes one back."""
        ...

    def take(self, now: float) -> Due | None:
        """Return the most urgent row that is due and that nobody holds, and hold it."""
        ...

    def hold(self, stack: str, *, doubted: bool = False) -> AbstractContextManager[None]:
        """Hold a stack for as long as the block runs. Raises Conflict (HF-4203) naming the holder where it is held.

        ``doubted`` takes a holder of whom nothing can be proven for gone: a person says so.
        """
        ...

    def doubtful(self, stack: str) -> str:
        """Return who holds a stack of whom nothing can be proven from here, empty where there is no such holder."""
        ...

    def is_held(self, stack: str) -> bool:
        """Whether somebody holds a stack who is not known to be gone. Only looks."""
        ...

    def rest(self, due: Due) -> None:
        """Give back a taken row with its next due date."""
        ...

    def waiting(self) -> Sequence[Due]:
        """Return every row, soonest first."""
        ...


class FileMode(StrEnum):
    """What an entry of a tree is, in Git's own notation."""

    FILE = "100644"
    EXECUTABLE = "100755"
    LINK = "120000"
    SUBMODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file, link or submodule of a revision. ``id`` is the digest of its own bytes."""

    path: PurePosixPath
    mode: FileMode
    id: str


class RevisionTree(Tree, Protocol):
    """The files of one revision, with the ids that say when two are equal.

    Links that stay inside the revision are looked through: what they lead to counts as lying where the link lies, in
    ``files`` and ``read`` as in ``id_of`` and ``changed``.
    """

    def id_of(self, path: PurePosixPath) -> str:
        """Return an id of what is at ``path``: equal ids, equal files. Empty where nothing is there."""
        ...

    def changed(self, other: RevisionTree) -> frozenset[PurePosixPath]:
        """Return each file that differs between the two."""
        ...

    def entries(self, under: PurePosixPath) -> Iterable[TreeEntry]:
        """Yield what is stored at or below ``under``, links not followed, sorted by path."""
        ...

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Return the stored bytes (of a link: its target) by entry id."""
        ...

    def reached(self, under: PurePosixPath) -> frozenset[PurePosixPath]:
        """Return each place outside ``under`` that links below it lead to.

        Raises RevisionRejected (HF-3014) where one of them leaves the revision.
        """
        ...


class Sources(Protocol):
    """Desired state as it is versioned."""

    def read(self, source: Source, *, last: str = "") -> Revision:
        """Fetch and return the newest revision. Raises SourceUnreachable, RevisionRejected.

        ``last`` is the newest revision accepted so far: one that does not descend from it is rejected unless
        the source allows rewriting.
        """
        ...

    def revision(self, source: Source, revision: str) -> Revision:
        """Return one revision by its full or abbreviated id, tag or branch. Raises SourceError."""
        ...

    def tree(self, source: Source, revision: str) -> RevisionTree:
        """Return the files of a revision that was read before."""
        ...

    def lacking(self, source: Source, revision: str, other: str) -> int | None:
        """Return how many commits that led to ``other`` are not in ``revision``: 0 where it descends from it.

        None where nobody can tell: ``other`` is not at hand, or the history ends early.
        """
        ...

    def pin(self, source: Source, revision: str, name: str) -> None:
        """Keep a revision even when its ref moves away (``refs/holdfast/keep/<name>``)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The configuration of one revision, laid over and validated: every stack in every environment."""

    project: str
    stacks: Mapping[StackKey, Stack]
    #: Environments in promotion order.
    environments: tuple[str, ...] = ("default",)
    #: Things that are no error and must still be said: keys not supported yet, discovery's guesses.
    notices: tuple[ConfigError, ...] = ()


class Layouts(Protocol):
    """Reads the configuration of a revision."""

    def at(self, source: Source, revision: Revision, tree: RevisionTree) -> Layout:
        """Return the layout; cached by the ids of the files it was read from. Raises ConfigError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """State that is kept for a stack under another repository id, though it is the same repository."""

    source: str
    #: The home that it lies in.
    place: Path


class Workspaces(Protocol):
    """Lays a revision's files out for one stack."""

    def lay(
        self,
        stack: Stack,
        tree: RevisionTree,
        *,
        outside: frozenset[PurePosixPath],
        inputs: Mapping[str, Input],
        run: int,
        track: str,
    ) -> AbstractContextManager[Workspace]:
        """Lay out and yield; the private folder is removed at the end. Raises ForbiddenFile, RevisionRejected.

        What the tool keeps on the main track is out of reach of what it runs on any other.
        """
        ...

    def verify(self, workspace: Workspace, stack: Stack, tree: RevisionTree, *, beside: Collection[Path]) -> None:
        """Digest the tracked files again, just before an apply; ``beside`` them others answer for these files.

        Raises PlanStale where one was altered.
        """
        ...

    def move(self, old: StackKey, new: StackKey) -> None:
        """Take over the kept state of ``old`` under the name ``new``. Doing it again changes nothing.

        Raises RecordError where both have kept state.
        """
        ...

    def strays(self, source: str) -> Mapping[str, Stray]:
        """Return, by ``name@environment``, what this host keeps for the repository under other ids than ``source``."""
        ...

    def free_bytes(self) -> int:
        """Return the free space where workspaces and state live."""
        ...


class Running(Protocol):
    """Which runs are at work on this host, and which of them somebody wants to stop."""

    def working(self, run: int) -> AbstractContextManager[None]:
        """Say that this process works a run, for as long as the block runs."""
        ...

    def ask_to_stop(self, run: int) -> None:
        """Ask whoever works a run to stop."""
        ...

    def asked_to_stop(self, run: int) -> bool:
        """Whether somebody asked for that."""
        ...

    def over(self, run: int) -> None:
        """Forget what was asked of a run that has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an attempt will run: recorded before anything starts."""

    host: str
    boot_id: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverStarted:
    """The attempt's folder was claimed before its keeper could: nothing ran, and nothing will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The attempt ran on another host or before a reboot: this host can prove nothing alive."""

    why: str
    #: Same host, other boot: every process of it is dead for certain.
    dead: bool


class Attempts(Protocol):
    """The folders in which keepers leave what came of an attempt."""

    def prepare(self) -> Place:
        """Make a new attempt folder on this host."""
        ...

    def look(self, attempt: Applying) -> Handle | NeverStarted | Elsewhere:
        """Say what is left of an attempt. A folder that no keeper claimed is claimed here, for ever."""
        ...

    def wait(self, attempt: Applying, timeout: float) -> bool:
        """Wait for the attempt's keeper to end; False where it still runs after ``timeout`` seconds."""
        ...

    def cancel(self, attempt: Applying) -> None:
        """Have an attempt's tool stopped by its keeper: one interrupt, and its end where it does not heed that."""
        ...

    def kill(self, attempt: Applying) -> bool:
        """End the whole process tree of an attempt; True where it is proven dead."""
        ...

    def alive(self, attempt: Applying) -> bool:
        """Whether a process is alive on this host that is the attempt's beyond doubt."""
        ...

    def doubt(self, attempt: Applying) -> str:
        """Say why nobody here can prove that the attempt is dead; empty where a look will tell. Claims nothing."""
        ...

    def taken_for_dead(self, attempt: Applying) -> Attempts:
        """Return attempts among which this one is dead, whatever its processes seem to be: a person says so."""
        ...

    def close(self, attempt: Applying) -> None:
        """Remove the raw output of an attempt whose end is recorded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellNeeds:
    """What a shell must know to run one stack's tool."""

    stack: str
    run: int
    #: Variables that the granted credential set brings.
    credentials: Mapping[str, str]
    #: Values to mask in everything that leaves the shell.
    secrets: tuple[str, ...]
    timeout_s: float
    #: Folder of the recorded attempt; None for reading commands, which may not mutate.
    attempt: Path | None = None
    #: Called right before the attempt's first change, with what the adapter wrote among the stack's files itself.
    #: Raises PlanStale where these are not as they were laid out.
    verify: Callable[[Collection[Path]], None] = lambda _: None
    #: Set when the run is to stop: the tool gets one SIGINT, then its tree is killed.
    cancelled: Callable[[], bool] | None = None
    #: Folders that a sandboxed tool may write to: the stack's workspace root, scratch, private and kept.
    writable: tuple[Path, ...] = ()


class MaskingShell(Shell, Protocol):
    """A shell that also masks the texts that its owner is about to store or show."""

    @property
    def concealed(self) -> frozenset[str]:
        """What `conceal` was told so far."""
        ...

    def mask(self, text: str) -> str:
        """Return ``text`` with every known secret masked and control characters made visible."""
        ...


class Shells(Protocol):
    """Opens the shell that an adapter runs its tool through."""

    def open(self, needs: ShellNeeds) -> MaskingShell:
        """Return a shell bound to one stack's credentials, limits and log."""
        ...


class Witness(Protocol):
    """Somebody who may know who changed what drifted, beside the stack's own adapter."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    def testify(self, inquiry: Inquiry, shell: Shell) -> tuple[Testimony, ...]:
        """Return what it knows. That it knows nothing is an answer, where people gain by hearing why."""
        ...


class Adapters(Protocol):
    """The adapters that are installed."""

    def build(self, stack: Stack, settings: Mapping[str, Json], shell: Shell) -> Adapter:
        """Build the stack's adapter. Raises AdapterNotFound, InvalidSettings."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of the installed adapters, sorted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret's value and the version its store gives it."""

    value: str
    version: str


class Secrets(Protocol):
    """The secret stores, in order; the first that knows a name wins."""

    def get(self, name: str) -> Secret:
        """Return the secret. Raises SecretMissing."""
        ...

    def versions(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the version of each name, without keeping a value. Raises SecretMissing."""
        ...

    def readable_by(self, stack: StackKey, *, foreign: bool) -> Secrets:
        """Return what a stack may read in its inputs and settings; of anything else `get` raises Denied.

        ``foreign`` is for code that somebody proposes from outside: it reads what is granted to such code alone.
        """
        ...


class Credentials(Protocol):
    """The operator's credential sets and whom they are granted to."""

    def environment(self, name: str, stack: StackKey) -> Mapping[str, str]:
        """Return the variables that the set brings. Raises Denied (HF-4110) where it is not granted."""
        ...

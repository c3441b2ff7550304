"""A small world for the engine: the real record, agenda and artifacts; a cloud, a keeper and a source that are values.

`World.crash_at(n)` makes the n-th effect from now on kill the worker: nothing of it runs on, what the keeper and
the cloud had done stays done. `World.restart()` is a new worker in the same world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cloud import Cloud, CloudTool
from ticking import Effects

from adapters.contract import (
    Handle,
    Plan,
    Result,
    Workspace,
)
from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.artifacts import FolderArtifacts
from orchestrator.effects.encryption import Cipher, keys_at
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.running import Running
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.work import Limits, Settled, Worker
from orchestrator.errors import NoSuchRevision, RevisionRejected
from orchestrator.model.commit import Commit, Covered
from orchestrator.model.event import Approved, Held
from orchestrator.model.observed import Consent, Hold, HoldKind, Proposal
from orchestrator.model.policy import Approvals, DriftPolicy, Mode, Policy
from orchestrator.model.source import Revision, Source, SourceKind
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import Elsewhere, Layout, NeverStarted, Place, Stray

SOURCE = Source(id="infra", kind=SourceKind.DIRECTORY, location="/nowhere")
AUTO = Policy(mode=Mode.AUTO, approvals=Approvals(required=0), drift=DriftPolicy(every_s=0))


@dataclass
class MemoryTree:
    files_: dict[str, bytes]

    def files(self, under):
        return [PurePosixPath(p) for p in sorted(self.files_) if p.startswith(f"{under}/")]

    def read(self, path):
        return self.files_[str(path)]

    def id_of(self, path):
        inside = {p: c for p, c in self.files_.items() if p == str(path) or p.startswith(f"{path}/")}
        return hashlib.sha256(repr(sorted(inside.items())).encode()).hexdigest() if inside else ""

    def changed(self, other):
        paths = self.files_.keys() | other.files_.keys()
        return frozenset(PurePosixPath(p) for p in paths if self.files_.get(p) != other.files_.get(p))


class World:
    """Everything that outlives a worker, and the worker of the moment."""

    def __init__(self, home: Path, policy: Policy = AUTO) -> None:
        self.home, self.policy = home, policy
        self.effects, self.cloud = Effects(), Cloud()
        self.now_, self.plan_fails = 1_000_000.0, False
        self.stacks: dict[str, dict] = {}
        self.history: dict[str, tuple[dict[str, bytes], Layout]] = {}
        self.revision = ""
        #: Called while an apply is being prepared, and when the tool is about to change something.
        self.meanwhile: Callable[[], None] = lambda: None
        self.executing: Callable[[Workspace, Plan], None] = lambda workspace, plan: None
        #: Team -> who is in it now.
        self.teams: dict[str, set[str]] = {}
        #: Revision -> who wrote it, in the order of their making.
        self.written: dict[str, str] = {}
        #: What every commit says, None where there are none: a folder.
        self.said: Commit | None = None
        #: Who writes what is committed next.
        self.author = ""
        #: Proposed revision -> what it was made on.
        self.parents: dict[str, str] = {}
        #: State that is kept under another repository id.
        self.strays_: dict[str, Stray] = {}
        #: What is broken: name of a method -> what it raises, which nobody foresaw.
        self.broken: dict[str, BaseException] = {}
        #: Whether processes of attempts cannot be killed.
        self.undying = False
        #: Why nothing can be proven of attempts from here, empty where it can.
        self.doubt_ = ""
        #: Whether processes of attempts are seen alive for certain.
        self.alive_ = False
        #: Folders of attempts that a person takes for dead.
        self.taken: set[str] = set()
        #: What shells were told to write into the run's log.
        self.log: list[str] = []
        self._database = open_database(f"sqlite:///{home}/record.db")
        self.restart()

    def break_at(self, name: str) -> None:
        if name in self.broken:
            raise self.broken[name]

    # --- clock
    def now(self):
        self.now_ += 0.001
        return self.now_

    def sleep(self, seconds): self.now_ += seconds  # fmt: skip

    # --- sources and layouts
    def commit(self, files: dict[str, str], stacks: dict[str, dict] | None = None) -> None:
        """Make a revision of these files; ``stacks`` maps a name to extra fields of its Stack."""
        self.stacks = stacks if stacks is not None else (self.stacks or {"web": {}})
        body = {path: content.encode() for path, content in files.items()}
        self.revision = hashlib.sha256(
            repr((sorted(body.items()), sorted(map(str, self.stacks.items())))).encode()
        ).hexdigest()
        keys = {name: StackKey(source="infra", name=name) for name in self.stacks}
        made = {
            keys[name]: Stack(
                key=keys[name], tool="cloudtool", path=PurePosixPath(name), **{"policy": self.policy, **more}
            )
            for name, more in self.stacks.items()
        }
        self.written[self.revision] = self.author
        self.history[self.revision] = (body, Layout(project="infra", stacks=made))

    def propose(self, files: dict[str, str], stacks: dict[str, dict] | None = None) -> str:
        """Make a revision on top of today's that the source itself does not come to; returns its id."""
        now, kept = self.revision, self.stacks
        self.commit(files, stacks)
        proposed, self.revision, self.stacks = self.revision, now, kept
        self.parents[proposed] = now
        return proposed

    def merged(self, source, base, head):
        """Put what a proposal changes on top of ``base``."""
        parent = self.parents.get(head, "")
        if base in {parent, head}:
            return self.known_as(head)
        before, (ours, _), (mine, layout) = self.history[parent][0], self.history[base], self.history[head]
        both = {path for path in mine if mine[path] != before.get(path) and ours.get(path) != before.get(path)}
        if both:
            raise RevisionRejected(f"conflicts in {', '.join(sorted(both))}", code="HF-3020")
        files = ours | {path: body for path, body in mine.items() if body != before.get(path)}
        made = hashlib.sha256(f"{base} {head}".encode()).hexdigest()
        self.written[made] = self.written[head]
        self.history[made] = (files, layout)
        return self.known_as(made)

    def read(self, source, *, last=""):
        return self.known_as(self.revision)

    def known_as(self, revision: str) -> Revision:
        return Revision(source="infra", id=revision, tree=revision, email=self.written[revision])

    def authors(self, source, revision, since, paths):
        """Of every revision after ``since`` that changed one of the paths; each has the one before as its parent."""
        order = [*self.written]
        first = order.index(since) + 1 if since in order else 0
        found = set()
        for at in range(first, order.index(revision) + 1):
            before = self.history[order[at - 1]][0] if at else {}
            changed = MemoryTree(self.history[order[at]][0]).changed(MemoryTree(before))
            if any(path == one or path in one.parents for path in paths for one in changed):
                found.add(self.written[order[at]])
        return frozenset(filter(None, found))

    def commits(self, source, revision, since, paths):
        """A revision here is its own commit, which says what it was written with."""
        return Covered(commits=(replace(self.said, id=revision),), count=1) if self.said else Covered()

    def tree(self, source, revision):
        return MemoryTree(self.history[revision][0])

    def pin(self, source, revision, name):
        """Nothing is ever lost here."""

    def at(self, source, revision, tree):
        return self.history[revision.id][1]

    # --- workspaces
    @contextmanager
    def lay(self, stack, tree, *, outside, inputs, run, track) -> Iterator[Workspace]:
        root = self.home / "work" / stack.key.name
        private = root / "private"
        private.mkdir(parents=True, exist_ok=True)
        for path in tree.files(stack.path):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(tree.read(path))
        (root / "kept").mkdir(exist_ok=True)
        yield Workspace(
            root=root, path=stack.path, scratch=root, private=private, kept=root / "kept",
            stack=str(stack.key), environment="default", inputs=inputs,
        )  # fmt: skip

    def verify(self, workspace, stack, tree, *, beside):
        """Nobody alters files here."""

    def move(self, old, new):
        before, after = (self.home / "work" / key.name / "kept" for key in (old, new))
        if before.exists() and any(before.iterdir()):
            after.parent.mkdir(parents=True, exist_ok=True)
            before.replace(after)

    def strays(self, source):
        return self.strays_

    def free_bytes(self):
        self.break_at("free_bytes")
        self.meanwhile()
        return 1 << 40

    # --- attempts: the keeper's folders
    def prepare(self):
        return Place(
            host="here", boot_id="b", folder=self.home / "attempts" / str(len(self.cloud.attempts) + self.effects.count)
        )

    def look(self, attempt):
        if self.doubt_ and attempt.folder not in self.taken:
            return Elsewhere(why=self.doubt_, dead=False)
        if attempt.folder not in self.cloud.attempts:
            self.cloud.abandoned.add(attempt.folder)
            return NeverStarted()
        code = self.cloud.attempts[attempt.folder]
        result = None if code is None else Result(exit_code=code, stdout=b"", stderr=b"")
        return Handle(folder=Path(attempt.folder), result=result, alive=False)

    def wait(self, attempt, timeout):
        return True

    def kill(self, attempt):
        return not self.undying or attempt.folder in self.taken

    def alive(self, attempt):
        return self.alive_

    def doubt(self, attempt):
        return self.doubt_

    def taken_for_dead(self, attempt):
        self.taken.add(attempt.folder)
        return self

    def close(self, attempt):
        """Raw output is nothing here."""

    # --- shells, adapters, secrets, credentials
    def open(self, needs):
        self._attempt = needs.attempt
        return Plain(self.log)

    def build(self, stack, settings, shell):
        return CloudTool(self, settings, self._attempt if isinstance(shell, Plain) else None)

    def forget(self):
        """Nothing is remembered here."""

    def readable_by(self, stack, *, foreign):
        return self

    def versions(self, names):
        return {}

    def get(self, name):
        raise AssertionError(name)

    def environment(self, name, stack, *, foreign=False):
        return {}

    # --- the worker of the moment
    def restart(self) -> None:
        touch = self.effects.around
        record = SqlRecord(database=self._database, clock=self, actor="user:ana")
        agenda = LocalAgenda(database=self._database, clock=self)
        artifacts = FolderArtifacts(
            folder=self.home / "artifacts", cipher=Cipher(read_keys=lambda: keys_at(self.home / "key"))
        )
        sources = _Sources(self)
        self.outside = Outside(
            record=touch(record), artifacts=touch(artifacts), agenda=agenda, sources=touch(sources), layouts=self,
            workspaces=touch(self), attempts=touch(self), shells=self, adapters=self, secrets=self, credentials=self,
            clock=self, running=Running(home=self.home), people=self,
        )  # fmt: skip
        self.record = record

    def reading(self) -> Reading:
        revision = self.read(SOURCE)
        return Reading(
            source=SOURCE,
            revision=revision,
            tree=self.tree(SOURCE, revision.id),
            layout=self.at(SOURCE, revision, None),
        )

    def worker(self, **limits) -> Worker:
        run = self.record.open_run(trigger="test", verb="apply", actor="user:ana", revision=self.revision)
        return Worker(self.outside, self.reading(), run, limits=Limits(**limits))

    def settle(self, name: str = "web", **limits) -> Settled:
        return self.worker(**limits).settle(StackKey(source="infra", name=name))

    def state(self, name: str = "web"):
        return self.record.row(f"infra/{name}@default").state

    def hold(self, name: str, revision: str, kind: HoldKind = HoldKind.REVISION) -> None:
        held = Held(hold=Hold(kind=kind, revision=revision, by="ana", reason="night", at=self.now()))
        self.record.append(f"infra/{name}@default", [held], expected=self.state(name).version, run=0)

    def teams_of(self, person: str) -> tuple[str, ...]:
        return tuple(sorted(team for team, members in self.teams.items() if person in members))

    def approve(self, name: str = "web", *, by: str = "bob", accepts_duplicates: bool = False) -> None:
        state = self.state(name)
        proposal = state.tracks["main"].proposal
        assert isinstance(proposal, Proposal)
        consent = Consent(by=by, at=self.now(), binding=proposal.binding(f"infra/{name}@default"))
        consent = replace(consent, accepts_duplicates=accepts_duplicates, teams=self.teams_of(by))
        event = Approved(track="main", proposal=proposal.number, consent=consent)
        self.record.append(f"infra/{name}@default", [event], expected=state.version, run=0)


class Plain:
    """A shell that nobody here needs."""

    concealed = frozenset()

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def report(self, line):
        self.log.append(line)

    def conceal(self, values):
        """Nothing is said here."""

    def mask(self, text):
        return text


class _Sources:
    """`World`'s source, whose `revision` is a method there and a field here."""

    def __init__(self, world: World) -> None:
        self.read, self.tree, self.pin, self.authors = world.read, world.tree, world.pin, world.authors
        self.merged, self.commits, self._world = world.merged, world.commits, world

    def bring(self, source, refs):
        """All revisions are at hand."""

    def lacking(self, source, revision, other):
        order = [*self._world.written]
        return 0 if order.index(other) <= order.index(revision) else 1

    def revision(self, source, revision):
        if revision not in self._world.written:
            raise NoSuchRevision(f"no revision {revision}")
        return self._world.known_as(revision)

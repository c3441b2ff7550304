"""What the record says about a stack now: the values that `fold` builds and `decide` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.contract import DriftItem, Goal, ToolVersion
from orchestrator.model.drift import Ignored, Occurrence, Repair, Sighting
from orchestrator.model.fingerprint import Parts, canonical
from orchestrator.model.policy import Ignore

#: Raised whenever `fold` or a value below changes its meaning: older snapshots are rebuilt.
FOLD_VERSION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many resources a plan touches, by kind."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    unknown: int = 0
    moved: int = 0
    imported: int = 0

    @property
    def destructive(self) -> int:
        """How many may lose something."""
        return self.replace + self.delete + self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan for a revision: what people are asked about and say yes to."""

    #: Counts up per stack.
    number: int
    run: int
    track: str
    goal: Goal
    revision: str
    fingerprint: str
    parts: Parts
    #: Canonical digest of the changes (``Plan.digest``).
    changes_digest: str
    #: SHA-256 of the saved plan in Artifacts; empty where the tool saves none.
    artifact: str
    #: SHA-256 in Artifacts of the masked plan, for people and policies.
    detail: str
    #: SHA-256 in Artifacts of the resolved inputs (encrypted): drift is looked for with these.
    inputs: str
    policy_digest: str
    tool: ToolVersion
    counts: Counts
    #: Addresses that it creates.
    creates: tuple[str, ...] = ()
    outputs_changing: tuple[str, ...] = ()
    empty: bool = False
    made_at: float = 0.0
    #: The unknown attempt after which this plan looked, 0 where there was none.
    looked_after: int = 0
    #: SHA-256 in Artifacts of the texts that the tool called sensitive (encrypted): an apply masks them from its start.
    secrets: str = ""
    #: Whether code of a fork made it. Its own plan it may have forged: it shows people what would be done, and is never
    #: applied.
    strange: bool = False

    def binding(self, stack: str) -> str:
        """Return the digest that an approval binds: the revision is recorded, not bound."""
        body = [stack, self.goal.value, self.fingerprint, self.changes_digest, self.artifact, self.policy_digest]
        return hashlib.sha256(canonical(body)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """One execution of a tool that may change the world. Recorded before it starts."""

    #: Counts up per stack.
    number: int
    run: int
    proposal: Proposal
    host: str
    boot_id: str
    #: The attempt's folder on that host, where its keeper writes.
    folder: str
    by: str
    started_at: float
    #: Why what it left could not be saved yet; empty where that is not so.
    unsaved: str = ""

    @property
    def doing(self) -> str:
        """Say what it does, or waits for, to people."""
        return f"has yet to save its state: {self.unsaved}" if self.unsaved else "is at work"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMark:
    """An output as the record knows it: enough to see that it changed, never its value."""

    hmac: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What the world was last brought to."""

    #: The attempt that did it, 0 where an empty plan proved that nothing was to do.
    attempt: int
    run: int
    goal: Goal
    revision: str
    fingerprint: str
    parts: Parts
    inputs: str
    tool: ToolVersion
    counts: Counts
    outputs: Mapping[str, OutputMark] = field(default_factory=dict)
    #: SHA-256 in Artifacts of the outputs' values (encrypted).
    outputs_artifact: str = ""
    at: float = 0.0
    #: When a drift check first found it as applied; None until then.
    verified_at: float | None = None
    #: What a later look says that the same files would still change: applied, and yet not as asked for.
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttempt:
    """An attempt of which nobody can say how it ended."""

    attempt: Applying
    why: str
    at: float
    #: Addresses whose creation had begun; None where not even that is known: then all count.
    started: tuple[str, ...] | None
    #: Whether its whole process tree is proven dead; until then nobody touches the stack.
    dead: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What an attempt of unknown end may have made without the tool's knowing. It outlives every other plan and apply.

    Only the same files prove it groundless: what a plan for them does not create is in the tool's state.
    """

    fingerprint: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One person's yes to one binding."""

    by: str
    at: float
    binding: str
    reason: str = ""
    #: Teams that vouch for them, ``platform``, as the door knew them at that moment.
    teams: tuple[str, ...] = ()
    #: They saw that an attempt of unknown end may have created something already.
    accepts_duplicates: bool = False


class Phase(StrEnum):
    """In what a failure happened."""

    PLAN = "plan"
    APPLY = "apply"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The last failures in a row for one fingerprint."""

    phase: Phase
    fingerprint: str
    at: float
    code: str
    message: str
    #: Could the same succeed later, without anybody changing a file?
    transient: bool
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Differences found at a revision that had converged."""

    items: tuple[DriftItem, ...]
    first_seen: float
    revision: str
    #: When the newest of them was first seen: a plan from before does not know of it. 0 where nobody weighed it.
    changed_at: float = 0.0


class HoldKind(StrEnum):
    """Why a stack does not follow its source."""

    REVISION = "revision"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A stack kept at an earlier revision, or destroyed, until somebody resumes it."""

    kind: HoldKind
    #: The revision it is held at; of a destroyed stack the one whose files were used.
    revision: str
    by: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackView:
    """What is going on for a stack on one track."""

    proposal: Proposal | None = None
    consents: tuple[Consent, ...] = ()
    #: The binding that somebody rejected, and their word.
    rejected: str = ""
    rejected_because: str = ""
    asked: bool = False
    failure: Failure | None = None
    #: Who had said yes to a plan that another one took the place of, until somebody says yes to that.
    voided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A stack's whole fold: what is shared by its tracks, and each track."""

    #: Number of events folded: the fencing version.
    version: int = 0
    tracks: Mapping[str, TrackView] = field(default_factory=dict)
    applied: Applied | None = None
    #: The revision applied before the present one, for ``rollback --to previous``.
    previous_revision: str = ""
    applying: Applying | None = None
    unknown: UnknownAttempt | None = None
    doubts: tuple[Doubt, ...] = ()
    #: All that differs; what counts of it, `rules.drifted` says by policy and time.
    drift: Drift | None = None
    #: Each difference that lasts, and the last ones that are over.
    occurrences: tuple[Occurrence, ...] = ()
    #: Since somebody last had repairs resumed.
    repairs: tuple[Repair, ...] = ()
    #: What people have ignored by word, beside what the files say.
    ignores: tuple[Ignore, ...] = ()
    hold: Hold | None = None
    #: Why the last look for drift failed: what is there now is unknown, not fine. Empty where it did not.
    drift_check_error: str = ""
    #: When it disappeared from its source; None while it is there.
    vanished_at: float | None = None
    proposals: int = 0
    attempts: int = 0
    #: The run in which it was said why the last attempt was made, 0 where that never was.
    intended_in: int = 0
    #: Latest copy of the state that Holdfast keeps for it (SHA-256 in Artifacts).
    kept: str = ""
    #: The tool's lock that one of our attempts is known to have taken.
    tool_lock: str = ""
    #: The new name this stack goes by since it was renamed.
    moved_to: str = ""
    last_event_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """When somebody last looked, kept on the stack's row: a look that finds nothing new appends no event."""

    planned_at: float = 0.0
    drift_at: float = 0.0
    #: When drift was last found, and how many looks in a row have found some.
    drift_seen_at: float = 0.0
    drift_seen: int = 0
    sightings: tuple[Sighting, ...] = ()
    #: What the last look says that it could not see.
    blind_spots: tuple[str, ...] = ()
    revision: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What `decide` reads: one track's view of one stack."""

    stack: str
    track: str
    applied: Applied | None = None
    progress: Proposal | Applying | None = None
    unknown: UnknownAttempt | None = None
    doubts: tuple[Doubt, ...] = ()
    consents: tuple[Consent, ...] = ()
    #: Who said yes -> the teams that vouched for them then and do so no more.
    left: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rejected: str = ""
    #: Who rejected it and why: ``ana@acme.example: too big``.
    rejected_because: str = ""
    asked: bool = False
    failure: Failure | None = None
    #: What counts as drift: enough looks have seen it, and nobody has it ignored.
    drift: Drift | None = None
    #: What fewer looks in a row have seen than policy asks for.
    unconfirmed: tuple[DriftItem, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    #: When drift was put back, since somebody last had repairs resumed.
    repaired_at: tuple[float, ...] = ()
    #: When drift was last looked for, seconds since the epoch; 0 for never.
    drift_at: float = 0.0

    def hazards(self, proposal: Proposal) -> tuple[str, ...]:
        """Return the creations of ``proposal`` that may already exist outside the tool's state."""
        if self.unknown and self.unknown.started is None:
            return proposal.creates
        doubted = {address for doubt in self.doubts for address in doubt.addresses}
        return tuple(sorted(doubted & set(proposal.creates)))


def observe(stack: str, track: str, state: State, looks: Looks) -> Observed:
    """Return one track's view of ``state``. A running attempt is everybody's progress."""
    view = state.tracks.get(track, TrackView())
    return Observed(
        stack=stack,
        track=track,
        applied=state.applied,
        progress=state.applying or view.proposal,
        unknown=state.unknown,
        doubts=state.doubts,
        consents=view.consents,
        rejected=view.rejected,
        rejected_because=view.rejected_because.removesuffix(": "),
        asked=view.asked,
        failure=view.failure,
        drift=state.drift,
        repaired_at=tuple(one.at for one in state.repairs),
        drift_at=looks.drift_at,
    )

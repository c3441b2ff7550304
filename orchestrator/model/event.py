"""What can happen to a stack. `fold` makes what is true out of what happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from adapters.contract import DriftItem
from adapters.testimony import Testimony
from orchestrator.model.door_events import ActDenied, TokenMade, TokenRevoked
from orchestrator.model.gate import Gate
from orchestrator.model.intent import Intended
from orchestrator.model.observed import Applied, Applying, Consent, Hold, Proposal, State
from orchestrator.model.policy import Ignore
from orchestrator.model.pull_events import ButtonPressed, PullEnded, PullHeard, PullSeen, PullTrusted, TrackEnded


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    #: The tool was never started.
    NOT_STARTED = "not_started"
    #: The tool refused the plan: the world had moved.
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan was made for a track."""

    proposal: Proposal
    kind: Literal["planned"] = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFailed:
    """No plan could be made."""

    track: str
    fingerprint: str
    code: str
    message: str
    transient: bool
    kind: Literal["plan_failed"] = "plan_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A proposal waits for people; reporters tell them."""

    track: str
    proposal: int
    kind: Literal["asked"] = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A person said yes to a binding."""

    track: str
    proposal: int
    consent: Consent
    kind: Literal["approved"] = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A person said no to a binding."""

    track: str
    proposal: int
    binding: str
    by: str
    reason: str
    kind: Literal["rejected"] = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyStarted:
    """The attempt is recorded; only now may the tool start."""

    attempt: Applying
    kind: Literal["apply_started"] = "apply_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRefused:
    """Something was found wrong before the attempt began: nothing was started."""

    track: str
    fingerprint: str
    code: str
    message: str
    transient: bool
    #: The proposal no longer fits what is there and must be made anew.
    stale: bool = False
    kind: Literal["apply_refused"] = "apply_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyEnded:
    """How the attempt ended. ``applied`` is set exactly where it succeeded."""

    attempt: int
    outcome: Outcome
    applied: Applied | None = None
    code: str = ""
    message: str = ""
    #: Of an unknown end: what it had begun to create, None where not even that is known.
    started: tuple[str, ...] | None = None
    #: Of an unknown end: whether its whole process tree is proven dead.
    dead: bool = True
    #: The result was found by a worker that did not start it.
    adopted: bool = False
    kind: Literal["apply_ended"] = "apply_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDead:
    """Nothing is alive any more of an attempt that could not be proven dead: a look proves it, or a person says so."""

    attempt: int
    #: Who says so; empty where a look proved it.
    by: str = ""
    reason: str = ""
    kind: Literal["attempt_dead"] = "attempt_dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingFailed:
    """What an attempt left could not be saved yet: it has no end before that, and nothing is planned."""

    attempt: int
    code: str
    message: str
    kind: Literal["saving_failed"] = "saving_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converged:
    """An empty plan proved that the world is as asked for; no tool had to change anything."""

    track: str
    applied: Applied
    kind: Literal["converged"] = "converged"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStanding:
    """A stack that this record had never heard of was made already, as its tool or another record knows.

    What it hands to others is known; that it is as asked for nobody has said.
    """

    applied: Applied
    kind: Literal["found_standing"] = "found_standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotConverged:
    """A look at what was applied says that the same files would still change something.

    Straight after the apply that is a failure: it did not converge. Later the files' own sources have moved on.
    """

    track: str
    fingerprint: str
    message: str
    #: What would be changed.
    pending: tuple[str, ...]
    kind: Literal["not_converged"] = "not_converged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The first drift check after an apply found nothing, or nothing but what is ignored as drift."""

    attempt: int
    #: Whether something differs that a rule ignores: that goes on to be known.
    ignored: bool = False
    kind: Literal["verified"] = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSeen:
    """The tool's drift detection found differences that it had not found before."""

    revision: str
    items: tuple[DriftItem, ...]
    kind: Literal["drift_seen"] = "drift_seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftWitnessed:
    """Witnesses were asked who changed what drifted, and this is what they said: nothing, too, is an answer."""

    #: `drift.Occurrence.mark` of each difference that they were asked about.
    about: tuple[str, ...]
    #: It was changed after this: then it was still as applied.
    since: float
    testimonies: tuple[Testimony, ...] = ()
    kind: Literal["drift_witnessed"] = "drift_witnessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftGone:
    """A check found nothing any more, though nobody applied anything."""

    kind: Literal["drift_gone"] = "drift_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCheckFailed:
    """Drift could not be looked for: what is there now is unknown, not fine."""

    code: str
    message: str
    kind: Literal["drift_check_failed"] = "drift_check_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecurs:
    """What was put back again and again drifts once more, and is no longer put back: said once, for whoever is told."""

    #: How often within the window of the policy.
    repairs: int
    addresses: tuple[str, ...]
    kind: Literal["drift_recurs"] = "drift_recurs"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftIgnored:
    """Somebody has a difference left alone until a time; a rule for the very same takes its place."""

    rule: Ignore
    kind: Literal["drift_ignored"] = "drift_ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftHeeded:
    """Somebody takes such a word back."""

    address: str
    path: str
    by: str
    reason: str = ""
    kind: Literal["drift_heeded"] = "drift_heeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairsResumed:
    """Somebody has seen that drift keeps coming back, and lets it be repaired again: counting begins anew."""

    by: str
    reason: str
    kind: Literal["repairs_resumed"] = "repairs_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The stack stops following its source."""

    hold: Hold
    kind: Literal["held"] = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The stack follows its source again."""

    by: str
    reason: str
    kind: Literal["released"] = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """The stack is no longer in its source. Nothing is destroyed."""

    revision: str
    kind: Literal["vanished"] = "vanished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The stack is in its source again."""

    revision: str
    kind: Literal["returned"] = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKept:
    """A copy of the state that Holdfast keeps was put aside."""

    sha256: str
    note: str
    kind: Literal["state_kept"] = "state_kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSeen:
    """The tool's lock that one of our attempts left behind."""

    lock_id: str
    holder: str = ""
    kind: Literal["lock_seen"] = "lock_seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockStarted:
    """A person has the tool's lock freed that an attempt left behind; recorded before the tool starts."""

    attempt: int
    lock_id: str
    by: str
    kind: Literal["unlock_started"] = "unlock_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockEnded:
    """The tool's lock is free, or it could not be freed: then there is a code."""

    lock_id: str
    by: str
    code: str = ""
    message: str = ""
    kind: Literal["unlock_ended"] = "unlock_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The stack was renamed: this stream ends here or begins with what the old name left."""

    old: str
    new: str
    #: On the new name's stream, the state taken over; None on the old one's.
    state: State | None = None
    kind: Literal["moved"] = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """People gave up what a stack left that is gone from its source. Its kept state stays."""

    by: str
    reason: str
    #: SHA-256 in Artifacts of the state that was kept for it, empty where there was none.
    kept: str = ""
    kind: Literal["forgotten"] = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSet:
    """Somebody closed a gate. On the stream ``*``."""

    gate: Gate
    kind: Literal["gate_set"] = "gate_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLifted:
    """Somebody lifted a gate. On the stream ``*``."""

    gate: int
    by: str
    reason: str
    kind: Literal["gate_lifted"] = "gate_lifted"


Event: TypeAlias = (
    Planned
    | PlanFailed
    | Asked
    | Approved
    | Rejected
    | ApplyStarted
    | ApplyRefused
    | ApplyEnded
    | AttemptDead
    | SavingFailed
    | Converged
    | FoundStanding
    | NotConverged
    | Verified
    | DriftSeen
    | DriftWitnessed
    | DriftGone
    | DriftCheckFailed
    | DriftRecurs
    | DriftIgnored
    | DriftHeeded
    | RepairsResumed
    | Held
    | Released
    | Vanished
    | Returned
    | StateKept
    | LockSeen
    | UnlockStarted
    | UnlockEnded
    | Moved
    | Forgotten
    | GateSet
    | GateLifted
    | PullSeen
    | PullTrusted
    | PullHeard
    | ButtonPressed
    | PullEnded
    | TrackEnded
    | Intended
    | TokenMade
    | TokenRevoked
    | ActDenied
)

"""What `decide` returns: one of five actions, each with its reason and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Reason(StrEnum):
    """Why this action. Every one but VANISHED is reached by the enumeration of `decide`."""

    # at rest, held back
    #: Said by the loop: a stack without files is nothing to decide about, and nothing is destroyed implicitly.
    VANISHED = "vanished"
    GATED = "gated"
    APPLYING = "applying"
    UNKNOWN_ATTEMPT = "unknown_attempt"
    UPSTREAM_MISSING = "upstream_missing"
    DEFERRED = "deferred"
    BACKING_OFF = "backing_off"
    STALLED = "stalled"
    # at rest, settled
    CONVERGED = "converged"
    DESTROYED = "destroyed"
    DRIFTED = "drifted"
    #: Seen, and not yet as often as policy asks for.
    UNCONFIRMED = "unconfirmed"
    #: Put back so often that somebody must see who keeps changing it.
    RECURRING = "recurring"
    # at rest, waiting for people or forbidden
    NOTHING_TO_DO = "nothing_to_do"
    OBSERVED_ONLY = "observed_only"
    NOT_COMMITTED = "not_committed"
    REJECTED = "rejected"
    OVER_LIMIT = "over_limit"
    AWAITING_APPROVAL = "awaiting_approval"
    MAY_DUPLICATE = "may_duplicate"
    # to do
    DRIFT_DUE = "drift_due"
    NO_PLAN = "no_plan"
    OUTDATED = "outdated"
    NOT_CONVERGED = "not_converged"
    TOO_OLD = "too_old"
    LOOK_AFTER_UNKNOWN = "look_after_unknown"
    DRIFT_REPAIR = "drift_repair"
    APPROVED = "approved"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePlan:
    """Plan, changing nothing."""

    reason: Reason
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Tell people that a proposal waits for them."""

    reason: Reason
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Do exactly what the proposal says."""

    reason: Reason
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDrift:
    """Have the tool compare the world with what was applied."""

    reason: Reason
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Do nothing until ``until`` (seconds since the epoch), or until something moves where that is None."""

    reason: Reason
    why: str
    until: float | None = None


Action: TypeAlias = MakePlan | Ask | Apply | CheckDrift | Rest

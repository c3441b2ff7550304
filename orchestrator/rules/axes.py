"""The two axes of a stack: is it as asked for, and is it well. Pure.

Kept apart on purpose: a stack may be in sync and broken, or drifted and in perfect health.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.contract import Goal
from orchestrator.model.action import Action
from orchestrator.model.observed import HoldKind, Looks, State, TrackView
from orchestrator.model.stack import MAIN


class Sync(StrEnum):
    """The files against the world."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class Health(StrEnum):
    """Whether what was made works, as far as the record knows."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    MISSING = "Missing"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one stack stands on both axes."""

    sync: Sync
    health: Health

    @property
    def ready(self) -> bool:
        """Whether nothing is left to do or to worry about; what was taken down as asked is gone as asked."""
        return self.sync is Sync.SYNCED and self.health in {Health.HEALTHY, Health.MISSING}


def standing(state: State, fingerprint: str) -> Standing:
    """Return where a stack stands whose files ask for ``fingerprint``; empty where that is not known."""
    return Standing(sync=_sync(state, fingerprint), health=_health(state))


def _sync(state: State, fingerprint: str) -> Sync:
    if state.unknown or not fingerprint:
        return Sync.UNKNOWN
    if state.drift_check_error and not state.drift:
        # A look that failed says nothing: an old green would be a lie.
        return Sync.UNKNOWN
    if state.drift or state.applied is None or state.applied.pending:
        return Sync.OUT_OF_SYNC
    return Sync.SYNCED if state.applied.fingerprint == fingerprint else Sync.OUT_OF_SYNC


def _health(state: State) -> Health:
    if state.applying:
        return Health.DEGRADED if state.applying.unsaved else Health.PROGRESSING
    if state.unknown:
        return Health.UNKNOWN
    if state.tracks.get(MAIN, TrackView()).failure:
        return Health.DEGRADED
    if state.applied is None or state.applied.goal is Goal.DESTROY:
        return Health.MISSING
    return Health.HEALTHY


def verified_at(state: State, looks: Looks) -> float | None:
    """Return when the world was last seen to be as applied (seconds since the epoch), None where it never was."""
    applied = state.applied
    if applied is None:
        return None
    # A look that finds what the last one found appends no event: it stands on the row.
    clean = looks.drift_seen == 0 and looks.drift_at > applied.at and not (state.drift or state.drift_check_error)
    return max(applied.verified_at or 0.0, looks.drift_at if clean else 0.0) or None


def conditions(state: State, here: Standing, action: Action | None, *, still: bool) -> dict[str, bool]:
    """Return the conditions that programs ask for, under the names that Kubernetes tools use.

    ``still``: somebody suspended the stack or holds it.
    """
    view = state.tracks.get(MAIN, TrackView())
    return {
        "Ready": here.ready,
        "Reconciling": state.applying is not None,
        "Stalled": bool(view.failure or state.unknown),
        "Drifted": state.drift is not None,
        "Recurring": action is not None and action.reason == "recurring",
        "AwaitingApproval": view.asked or (action is not None and action.reason == "awaiting_approval"),
        "Suspended": still,
        "Destroyed": state.hold is not None and state.hold.kind is HoldKind.DESTROYED,
    }

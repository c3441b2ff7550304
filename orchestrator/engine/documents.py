"""What programs read of the engine's values, as docs/json.md lists it: the same through every door. Pure."""

from __future__ import annotations

from adapters.contract import Json
from orchestrator.engine.acts.consent import Waiting, Word
from orchestrator.engine.standings import Situation
from orchestrator.model.action import Action
from orchestrator.model.moment import stamp
from orchestrator.model.observed import TrackView
from orchestrator.model.stack import MAIN
from orchestrator.rules.axes import verified_at


def standing_of(row: Situation) -> dict[str, Json]:
    """Return where a stack stands; see `status` there."""
    state, action = row.state, row.action
    applied, drift, hold = state.applied, state.drift, state.hold
    proposal = state.tracks.get(MAIN, TrackView()).proposal
    return {
        "stack": row.key.short,
        "key": str(row.key),
        "tool": row.tool,
        "sync": row.standing.sync.value,
        "health": row.standing.health.value,
        "conditions": dict(row.conditions),
        "revision": row.revision or None,
        "asked_revision": row.asked_revision or None,
        "applied_at": stamp(applied.at) if applied else None,
        "verified_at": stamp(verified_at(state, row.looks) or 0.0) or None,
        "run": applied.run if applied else None,
        "proposal": proposal.number if proposal else None,
        "drifted": len(drift.items) if drift else 0,
        "unconfirmed": row.unconfirmed,
        "ignored": row.ignored,
        "hold": {"kind": hold.kind.value, "revision": hold.revision, "by": hold.by, "reason": hold.reason}
        if hold
        else None,
        "suspensions": [
            {"why": gate.why, "by": gate.who, "until": stamp(gate.until or 0.0) or None}
            for gate in row.still.suspensions
        ],
        "lost": row.lost,
        "next": _next(action),
        "why": row.why,
    }


def word_on(one: Waiting, word: Word) -> dict[str, Json]:
    """Return what somebody said of a proposal; see `approve` and `reject` there."""
    return {
        "stack": one.key.short,
        "key": str(one.key),
        "proposal": one.proposal.number,
        "digest": one.proposal.changes_digest,
        "by": word.caller.actor,
        "reason": word.reason,
    }


def _next(action: Action | None) -> Json:
    if action is None:
        return None
    until = getattr(action, "until", None)
    return {
        "action": type(action).__name__,
        "reason": action.reason.value,
        "until": stamp(until) if until else None,
    }

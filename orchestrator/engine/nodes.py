"""Where a stack stands, in one word and one mood: what a node of the graph shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.engine.standings import Situation
from orchestrator.model.action import Reason
from orchestrator.model.stack import StackKey
from orchestrator.rules.axes import Health, Sync


class Mood(StrEnum):
    """How urgent a state is."""

    GOOD = "good"
    PENDING = "pending"
    BUSY = "busy"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One stack of the graph."""

    key: StackKey
    tool: str
    #: One word or two: never the colour alone says it.
    state: str
    mood: Mood
    #: The sentence of the decision.
    why: str = ""


def node_of(row: Situation) -> Node:
    """Return the node of a stack that stands as ``row`` says."""
    state, mood = _said(row)
    return Node(key=row.key, tool=row.tool, state=state, mood=mood, why=row.why)


def _said(row: Situation) -> tuple[str, Mood]:
    health, sync = row.standing.health, row.standing.sync
    action = row.action.reason if row.action else None
    words = (
        (health is Health.PROGRESSING, "applying", Mood.BUSY),
        (health is Health.UNKNOWN, "unknown", Mood.UNKNOWN),
        (health is Health.DEGRADED, "failed", Mood.BAD),
        (row.state.drift is not None, "drifted", Mood.BAD),
        (sync is Sync.UNKNOWN, "unknown", Mood.UNKNOWN),
        (action in {Reason.DEFERRED, Reason.UPSTREAM_MISSING}, "waits", Mood.PENDING),
        (sync is Sync.SYNCED and health is Health.MISSING, "taken down", Mood.PENDING),
        (sync is Sync.SYNCED, "synced", Mood.GOOD),
        (health is Health.MISSING, "not applied", Mood.PENDING),
    )
    return next(((word, mood) for holds, word, mood in words if holds), ("out of sync", Mood.PENDING))

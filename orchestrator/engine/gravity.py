"""What makes a plan too grave for a mere yes."""

from __future__ import annotations

from adapters.contract import Goal
from orchestrator.engine.crew import readers_of
from orchestrator.engine.side_by_side import Ground
from orchestrator.telling.counts import lost
from orchestrator.telling.rows import Row

_PRODUCTION = "production"


def gravity(ground: Ground, row: Row) -> str:
    """Say what makes a plan too grave for a mere yes, empty where nothing does."""
    stack = ground.reading.layout.stacks.get(row.key)
    reasons = []
    if row.backwards:
        reasons.append("goes back behind what is applied")
    if row.proposal is not None and row.proposal.goal is Goal.DESTROY:
        readers = readers_of(ground, row.key)
        reasons.append(f"takes everything down{f' that {readers} reads outputs of' if readers else ''}")
    elif row.counts.destructive:
        reasons.append(f"may lose something ({lost(row.counts)})")
    if stack is not None and stack.tier == _PRODUCTION:
        reasons.append("is production")
    return " and ".join(reasons)

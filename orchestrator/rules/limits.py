"""Whether one more stack may be worked beside those that are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from orchestrator.model.workers import Limit, Workers
from orchestrator.ports import Due
from orchestrator.rules.pace import DRIFT


def admits(workers: Workers, due: Due, working: Sequence[Due]) -> bool:
    """Whether ``due`` may be worked now, while ``working`` are."""
    if len(working) >= workers.count:
        return False
    # The last free place is for what somebody waits for: looks for drift can wait, and are many.
    if due.priority >= DRIFT and workers.count > 1 and len(working) >= workers.count - 1:
        return False
    return all(_within(limit, due, working) for limit in workers.limits if fnmatchcase(due.stack, limit.stacks))


def _within(limit: Limit, due: Due, working: Sequence[Due]) -> bool:
    same = [one for one in working if fnmatchcase(one.stack, limit.stacks)]
    if limit.at_once is not None and len(same) >= limit.at_once:
        return False
    if limit.drift_at_once is None or due.priority < DRIFT:
        return True
    return sum(one.priority >= DRIFT for one in same) < limit.drift_at_once

"""Makes due what waits for stacks that moved: each sees for itself whether it concerns it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.engine.outside import Outside
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.ports import Due
from orchestrator.rules.pace import PLAN


def wake_readers(
    outside: Outside,
    readers: Mapping[StackKey, frozenset[StackKey]],
    moved: Iterable[StackKey],
    *,
    but: Iterable[StackKey],
) -> None:
    """Nudge those that wait directly for a stack that ``moved``, save those that ``but`` names.

    ``readers`` is what `rules.order.readers` says of the stacks. Raises OrchestratorError.
    """
    now, left_out = outside.clock.now(), frozenset(but)
    why = {reader: f"{key.short} moved" for key in moved for reader in readers.get(key, frozenset())}
    outside.agenda.nudge(
        *(
            Due(stack=str(key), track=MAIN, at=now, why=why[key], priority=PLAN)
            for key in sorted(why)
            if key not in left_out
        )
    )

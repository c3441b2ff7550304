"""Puts what a person said into a stack's record, and has whoever works the stack look at it."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.engine.outside import Outside
from orchestrator.errors import Conflict
from orchestrator.model.event import Event
from orchestrator.model.observed import State
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.ports import Due

#: The run of a word that is said before a run begins, or in none.
NO_RUN = 0
#: How often a word is offered to a record that moves meanwhile.
_OFFERS = 10


def append(outside: Outside, key: StackKey, event: Callable[[State], Event], *, run: int) -> None:
    """Append what a person said; where the stack moved meanwhile it is looked at again. Raises Conflict."""
    record = outside.record
    for offer in range(_OFFERS):
        state = record.row(str(key)).state
        try:
            record.append(str(key), [event(state)], expected=state.version, run=run)
        except Conflict:
            if offer == _OFFERS - 1:
                raise
        else:
            return


def nudge(outside: Outside, key: StackKey, why: str) -> None:
    """Make whoever works this source look at the stack now."""
    outside.agenda.nudge(Due(stack=str(key), track=MAIN, at=outside.clock.now(), why=why, priority=0))

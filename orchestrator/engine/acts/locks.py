"""Frees the tool's own lock that one of our runs left behind; others' locks are not ours to free."""

from __future__ import annotations

from orchestrator.engine.acts.caller import Caller, begun
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.recovery import at_work
from orchestrator.engine.resolving import in_doubt
from orchestrator.engine.station import Case
from orchestrator.engine.survey import Survey
from orchestrator.engine.unlocking import left_by, unlock
from orchestrator.errors import Conflict, UsageError
from orchestrator.model.stack import StackKey


def lock_of_ours(outside: Outside, key: StackKey) -> str:
    """Return the id of the lock that a run of ours left on a stack.

    Raises UsageError (HF-1913) where the record knows of none, Conflict (HF-4203) where it may be in use.
    """
    state = outside.record.row(str(key)).state
    if (attempt := in_doubt(state)) and not attempt.unsaved:
        # Its lock is in use.
        raise at_work(outside, key, attempt)
    if not state.tool_lock or left_by(state) is None:
        raise UsageError(
            f"the record knows of no lock that a run of ours left on {key.short}",
            code="HF-1913",
            hint="ask its holder, or use the tool's own command",
        )
    return state.tool_lock


def free(outside: Outside, reading: Reading, caller: Caller, key: StackKey, lock: str) -> None:
    """Free ``lock``, which `lock_of_ours` returned. Raises Conflict where the stack moved meanwhile, AdapterError."""
    with begun(outside, caller, reading, "unlock") as run, outside.agenda.hold(str(key)):
        asked = Survey(outside, reading).look(key)
        # Asked again under the hold: somebody may have begun, or freed it, meanwhile.
        attempt = left_by(asked.state) if asked else None
        if asked is None or attempt is None or lock_of_ours(outside, key) != lock:
            raise Conflict(f"{key.short} moved meanwhile", hint="run the command again")
        unlock(Case(outside=outside, today=reading, asked=asked, run=run), attempt, lock)

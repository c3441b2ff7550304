"""How much room a host needs on its disk, and whose failure it is where there is none."""

from __future__ import annotations

from typing import Final

from orchestrator.engine.station import Case
from orchestrator.errors import ExecutionError

#: An apply does not start with less free space than this: a full disk costs the state (bytes).
FREE_SPACE_FLOOR: Final = 64 * 1024 * 1024
_MIB: Final = 1024 * 1024


def check_room(case: Case) -> None:
    """Raises ExecutionError (HF-5010) where there is less room than an apply needs."""
    free = case.outside.workspaces.free_bytes()
    if free < FREE_SPACE_FLOOR:
        hint = "free some space, then run it again: a full disk in the middle of an apply costs the tool its state"
        raise ExecutionError(f"only {free // _MIB} MiB free", code="HF-5010", hint=hint)


def is_short(case: Case) -> bool:
    """Whether what failed just now may have failed for want of room: then it is this host's failure, not the stack's.

    Another host, or this one later, does better; recorded, it would keep the stack from both.
    """
    try:
        return case.outside.workspaces.free_bytes() < FREE_SPACE_FLOOR
    except OSError:
        return False

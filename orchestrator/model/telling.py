"""What people and programs elsewhere are told of, by name."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What happened, as ``on:`` of the operator's file names it."""

    PLAN_WAITING = "plan.waiting"
    PLAN_FAILED = "plan.failed"
    APPLY_SUCCEEDED = "apply.succeeded"
    APPLY_FAILED = "apply.failed"
    APPLY_UNKNOWN = "apply.unknown"
    DRIFT_FOUND = "drift.found"
    DRIFT_RECURRING = "drift.recurring"
    DRIFT_REPAIRED = "drift.repaired"
    DRIFT_GONE = "drift.gone"
    RUN_STALLED = "run.stalled"
    STACK_GONE = "stack.gone"
    GATE_CLOSED = "gate.closed"
    GATE_LIFTED = "gate.lifted"
    SOURCE_SILENT = "source.silent"
    SOURCE_BACK = "source.back"


KINDS: Final = tuple(kind.value for kind in Kind)

"""What an event says of an operation and how it ended, in the words of OpenTelemetry's ``cicd.pipeline.result``.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/cicd/: ``failure`` is the tool's no, ``error`` is ours.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from orchestrator.model.event import (
    ApplyEnded,
    ApplyRefused,
    Converged,
    DriftCheckFailed,
    DriftGone,
    DriftSeen,
    Event,
    Outcome,
    PlanFailed,
    Planned,
    Verified,
)


class Result(StrEnum):
    """How an operation ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    CANCELLATION = "cancellation"
    SKIP = "skip"


_OUTCOMES: Final = {
    Outcome.SUCCEEDED: Result.SUCCESS,
    Outcome.FAILED: Result.FAILURE,
    Outcome.UNKNOWN: Result.ERROR,
    Outcome.NOT_STARTED: Result.ERROR,
    Outcome.STALE: Result.SKIP,
}
#: Codes of the adapters' own errors begin so.
_TOOLS: Final = "HF-2"
_STOPPED: Final = "HF-2009"


def result_of(event: Event) -> tuple[str, Result] | None:
    """Return the operation that an event is the end of, and how it ended; None where it is none's end."""
    match event:
        case Planned() | Converged():
            return "plan", Result.SUCCESS
        case PlanFailed(code=code):
            return "plan", _failed(code)
        case ApplyEnded(outcome=Outcome.FAILED, code=code):
            return "apply", Result.CANCELLATION if code == _STOPPED else Result.FAILURE
        case ApplyEnded(outcome=outcome):
            return "apply", _OUTCOMES[outcome]
        case ApplyRefused():
            return "apply", Result.SKIP
        case DriftSeen() | DriftGone() | Verified():
            return "drift", Result.SUCCESS
        case DriftCheckFailed(code=code):
            return "drift", _failed(code)
        case _:
            return None


def _failed(code: str) -> Result:
    if code == _STOPPED:
        return Result.CANCELLATION
    return Result.FAILURE if code.startswith(_TOOLS) else Result.ERROR

"""What the service's words on a stack mean, and why an operation failed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Event: TypeAlias = Mapping[str, Any]

#: Exists in name only: a change set was made for it and never executed.
SHELL: Final = "REVIEW_IN_PROGRESS"
GONE: Final = "DELETE_COMPLETE"
GOOD: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", GONE})

#: What a person has to do where nothing can be planned, by status.
STUCK: Final[Mapping[str, str]] = {
    "ROLLBACK_COMPLETE": "its creation failed, nothing of it is left: holdfast apply --destroy, then holdfast resume",
    "ROLLBACK_FAILED": "its creation failed, and so did the way back: look at its events, then remove it",
    "CREATE_FAILED": "its creation failed: look at its events, then remove it",
    "UPDATE_FAILED": "an update failed: roll it back with aws cloudformation rollback-stack",
    "UPDATE_ROLLBACK_FAILED": "bring it back with aws cloudformation continue-update-rollback",
    "IMPORT_ROLLBACK_FAILED": "bring it back with aws cloudformation continue-update-rollback",
    "DELETE_FAILED": "its removal failed: look at its events, then remove it with what it holds on to retained",
}
#: What a person can do about an operation that ended so.
AFTER: Final[Mapping[str, str]] = {
    **STUCK,
    "UPDATE_ROLLBACK_COMPLETE": "everything is as it was before; mend the cause and plan again",
}
_FOLLOWS: Final = ("cancelled", "canceled")


def in_progress(status: str) -> bool:
    """Whether the service is at work on the stack."""
    return status.endswith("_IN_PROGRESS") and status != SHELL


def ended(events: Iterable[Event], stack_id: str) -> str:
    """Return the status with which an operation ended, empty while it goes on; ``events`` are its own, oldest first."""
    last = ""
    for event in events:
        if event.get("PhysicalResourceId") == stack_id:
            last = str(event.get("ResourceStatus"))
    return "" if not last or last.endswith("_IN_PROGRESS") else last


def first_failure(events: Sequence[Event]) -> Event | None:
    """Return the event that began it: what failed only because something else did is left out."""
    failed = [event for event in events if str(event.get("ResourceStatus", "")).endswith("_FAILED")]
    for event in failed:
        reason = str(event.get("ResourceStatusReason", "")).lower()
        if reason and not any(word in reason for word in _FOLLOWS):
            return event
    return failed[0] if failed else None


def cause(event: Event | None) -> str:
    """Return a failure in one line: which resource, and the reason the service gives."""
    if event is None:
        return "the service names no resource that failed"
    reason = " ".join(str(event.get("ResourceStatusReason") or "no reason given").split())
    return f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}) {event.get('ResourceStatus')}: {reason}"


def progress(event: Event) -> str:
    """Return what people are told of an event."""
    reason = str(event.get("ResourceStatusReason") or "")
    said = f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}): {event.get('ResourceStatus')}"
    return f"{said}: {reason}" if reason else said

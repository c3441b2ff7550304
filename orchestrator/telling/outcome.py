"""From where a stack came to rest to a row, an exit code and the next command. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import ToolBusy
from orchestrator.errors import (
    EXIT_CHANGES,
    EXIT_DENIED,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_LOCKED,
    EXIT_UNKNOWN,
    EXIT_WAITS,
)
from orchestrator.model.action import Action, Apply, Reason, Rest
from orchestrator.model.observed import Failure
from orchestrator.telling.rows import Mark

_MARKS: dict[Reason, Mark] = {
    Reason.CONVERGED: Mark.NONE,
    Reason.NOTHING_TO_DO: Mark.NONE,
    Reason.DESTROYED: Mark.NONE,
    Reason.DEFERRED: Mark.DEFERRED,
    Reason.UPSTREAM_MISSING: Mark.FAILED,
    Reason.BACKING_OFF: Mark.FAILED,
    Reason.STALLED: Mark.FAILED,
    Reason.VANISHED: Mark.HELD,
    Reason.GATED: Mark.HELD,
    Reason.APPLYING: Mark.HELD,
    Reason.UNKNOWN_ATTEMPT: Mark.UNKNOWN,
    Reason.MAY_DUPLICATE: Mark.UNKNOWN,
    Reason.REJECTED: Mark.DENIED,
    Reason.OVER_LIMIT: Mark.DENIED,
    Reason.AWAITING_APPROVAL: Mark.CHANGES,
    Reason.OBSERVED_ONLY: Mark.CHANGES,
    Reason.NOT_COMMITTED: Mark.CHANGES,
    Reason.DRIFTED: Mark.HELD,
    Reason.RECURRING: Mark.HELD,
    Reason.UNCONFIRMED: Mark.NONE,
}
#: Rests that are no failure of an attempt, and that a code tells more about all the same.
_CODES: dict[Reason, str] = {
    Reason.UPSTREAM_MISSING: "HF-4010",
    Reason.UNKNOWN_ATTEMPT: "HF-5020",
    Reason.MAY_DUPLICATE: "HF-5020",
    Reason.VANISHED: "HF-4011",
}
#: Exit codes of an apply, the worst first: what failed counts more than what waits.
_AFTER_APPLY: tuple[tuple[Mark, int], ...] = (
    (Mark.FAILED, EXIT_FAILED),
    (Mark.UNKNOWN, EXIT_UNKNOWN),
    (Mark.DENIED, EXIT_DENIED),
    (Mark.LOCKED, EXIT_LOCKED),
    (Mark.CHANGES, EXIT_WAITS),
    (Mark.HELD, EXIT_UNKNOWN),
    (Mark.DEFERRED, EXIT_UNKNOWN),
)


def mark_of(rest: Rest, did: Sequence[Action], failure: Failure | None = None) -> Mark:
    """Return what became of a stack that came to ``rest`` after it ``did`` what it did; ``failure`` is its last."""
    mark = _MARKS[rest.reason]
    if mark is Mark.FAILED and failure and failure.code == ToolBusy.code:
        return Mark.LOCKED
    if mark is Mark.NONE and any(isinstance(action, Apply) for action in did):
        return Mark.APPLIED
    return mark


def barred_mark(rest: Rest) -> Mark:
    """Return the mark of a stack whose plan nobody's yes would let through."""
    return Mark.DENIED if rest.reason is Reason.OBSERVED_ONLY else _MARKS[rest.reason]


def code_of(rest: Rest, mark: Mark, failure: Failure | None) -> str:
    """Return the code that tells more about where a stack came to rest, empty where there is none."""
    if rest.reason in _CODES:
        return _CODES[rest.reason]
    return failure.code if failure and mark in {Mark.FAILED, Mark.LOCKED} else ""


def exit_after_plan(marks: Sequence[Mark], *, detailed: bool) -> int:
    """Return the exit code of a plan.

    That a stack waits for one which is about to change is how a graph is planned. Where nothing in the plan brings
    what it waits for, nothing could be said of it.
    """
    if Mark.FAILED in marks:
        return EXIT_FAILED
    if Mark.DENIED in marks:
        return EXIT_DENIED
    if Mark.LOCKED in marks:
        return EXIT_LOCKED
    if {Mark.UNKNOWN, Mark.HELD} & set(marks) or (Mark.DEFERRED in marks and Mark.CHANGES not in marks):
        return EXIT_UNKNOWN
    if detailed and Mark.CHANGES in marks:
        return EXIT_CHANGES
    return EXIT_DONE


def exit_after_apply(marks: Sequence[Mark]) -> int:
    """Return the exit code of an apply."""
    return next((code for mark, code in _AFTER_APPLY if mark in marks), EXIT_DONE)

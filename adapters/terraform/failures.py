"""What went wrong, told from what the tool said: one error of the contract. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from adapters.contract import AdapterError, PlanStale, Problem, Severity, ToolBusy, ToolFailed, ToolVersionWrong

#: A line each in what commands with a stream say, one after the other in what others do.
_LOCK_ID: Final = re.compile(r"(?:^|\s)ID:\s+(\S+)")
_LOCK_WHO: Final = re.compile(r"(?:^|\s)Who:\s+(\S+)")
_LOCK_OPERATION: Final = re.compile(r"(?:^|\s)Operation:\s+(\S+)")
_LOCK_CREATED: Final = re.compile(r"(?:^|\s)Created:\s+(\S+ \S+?)(?:\.\d+)? ")

#: The http backend prints its own lock below ``Lock Info``; the holder's is only in the sentence above.
_LOCK_OF_ANOTHER: Final = re.compile(r"already locked: ID=(\S+)")

_LOCKED: Final = ("Error acquiring the state lock", "Error locking state")
_WAIT: Final = "wait for them; holdfast unlock frees only a lock that one of our own runs left"
_VERSION: Final = ("Unsupported Terraform Core version", "Unsupported OpenTofu Core version")
_STALE: Final = (
    "Saved plan is stale",
    "Invalid plan file",
    'Failed to load "',
    "Can't change provider configuration",
    "Inconsistent dependency lock file",
)
_NOT_INITIALISED: Final = (
    "Backend initialization required",
    "Backend configuration changed",
    "Required plugins are not installed",
    "Inconsistent dependency lock file",
    "Module not installed",
    "Module source has changed",
    "Module version requirements have changed",
    "Missing required provider",
)


def wants_init(problems: Sequence[Problem]) -> bool:
    """Say whether the tool refused only because it was not initialised: what it kept between runs is gone or old."""
    return any(found.summary.startswith(_NOT_INITIALISED) for found in problems)


def failed(tool: str, verb: str, problems: Sequence[Problem], *, exit_code: int, tail: str = "") -> AdapterError:
    """Return the error for a run that ended with ``exit_code``; ``tail`` is the last it said, where it said no more."""
    errors = [found for found in problems if found.severity is Severity.ERROR]
    for found in errors:
        if found.summary.startswith(_LOCKED):
            return _busy(tool, found)
        if found.summary.startswith(_VERSION):
            return ToolVersionWrong(
                f"{_place(found)}the files do not accept this version of {tool}",
                hint="install a version that required_version allows, or change it",
                problems=tuple(errors),
            )
        if verb == "apply" and found.summary.startswith(_STALE):
            return PlanStale(
                f"the saved plan can no longer be applied: {_first_lower(found.summary)}",
                hint="plan again and look at the new plan",
                problems=tuple(errors),
            )
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        said = f"{_place(errors[0])}{_first_lower(errors[0].summary)}{more}"
    else:
        said = tail or f"it ended with exit code {exit_code}"
    return ToolFailed(
        f"{tool} {verb} failed: {said}",
        hint=_first_line(errors[0].detail) if errors else "read the run's log",
        problems=tuple(problems),
    )


def _busy(tool: str, problem: Problem) -> ToolBusy:
    # Commands without a stream say all of it in one sentence.
    other = _LOCK_OF_ANOTHER.search(f"{problem.summary}\n{problem.detail}")
    if other:
        return ToolBusy(f"{tool}'s state is locked by somebody else", lock_id=other[1], hint=_WAIT)
    lock_id = _LOCK_ID.search(problem.detail)
    who, operation = _LOCK_WHO.search(problem.detail), _LOCK_OPERATION.search(problem.detail)
    created = _LOCK_CREATED.search(problem.detail)
    holder = who[1] if who else ""
    doing = f" for {operation[1].removeprefix('OperationType').lower()}" if operation else ""
    since = f" since {created[1]}" if created else ""
    return ToolBusy(
        f"{tool}'s state is locked by {holder or 'somebody else'}{doing}{since}",
        holder=holder,
        lock_id=lock_id[1] if lock_id else "",
        taken_at=_moment(created[1]) if created else None,
        hint=_WAIT,
    )


def _moment(text: str) -> float | None:
    """Read when a lock was taken: the tool writes it in UTC, to the second here."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}: " if problem.file else ""


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

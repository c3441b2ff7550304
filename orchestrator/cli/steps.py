"""From where stacks stand to what to type: the command that is missing for each, those of many in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from orchestrator.model.action import Reason

#: So many stacks are suggested by name; more do not fit a glance.
NAMED = 3
#: Why a stack waits -> the commands that get it further.
_STEPS: dict[Reason, tuple[str, ...]] = {
    **dict.fromkeys(
        (Reason.NO_PLAN, Reason.OUTDATED, Reason.TOO_OLD, Reason.LOOK_AFTER_UNKNOWN, Reason.DRIFT_REPAIR),
        ("plan", "apply"),
    ),
    **dict.fromkeys((Reason.APPROVED, Reason.AUTOMATIC, Reason.DRIFTED), ("apply",)),
    Reason.AWAITING_APPROVAL: ("approve", "apply"),
    Reason.REJECTED: ("plan",),
    Reason.DRIFT_DUE: ("drift",),
    Reason.UNCONFIRMED: ("drift",),
    Reason.RECURRING: ("resume",),
}
#: What waits for nothing that anybody could type: it follows by itself once another stack is done.
_FOLLOWS = frozenset({Reason.DEFERRED, Reason.CONVERGED, Reason.DESTROYED, Reason.APPLYING})


def after_status(command: Callable[..., str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what to type next: first what people must answer, then what can be done, then what to look into.

    ``rows`` are documents such as `standing_of` makes; ``command`` writes out what reaches the same place.
    """
    wanted: dict[str, list[str]] = {verb: [] for verb in ("approve", "plan", "apply", "resume", "drift", "explain")}
    for row in rows:
        for verb in _verbs(row):
            wanted[verb].append(row["stack"])
    numbers = {row["stack"]: row["proposal"] or 0 for row in rows}
    found = [command("approve", name, "--proposal", str(numbers[name])) for name in wanted.pop("approve")[:NAMED]]
    for verb, names in wanted.items():
        if names and verb == "explain":
            found.append(command("explain", names[0]))
        elif names:
            found.append(command(verb, *few(names)))
    return found


def few(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names where they are few, else none: no name means all."""
    found = tuple(names)
    return found if len(found) <= NAMED else ()


def _verbs(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the commands that get one stack further."""
    if row["lost"]:
        return ("apply",)
    if row["next"] is None:
        return ()
    # A service may be newer than we are, and know of reasons that we never heard of.
    reason = row["next"]["reason"]
    if reason in _STEPS:
        return _STEPS[reason]
    if row["conditions"]["Ready"] or reason in _FOLLOWS:
        return ()
    return ("resume",) if row["hold"] or row["suspensions"] else ("explain",)

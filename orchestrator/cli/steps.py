"""From where stacks stand to what to type: the command that is missing for each, those of many in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.cli.place import Place
from orchestrator.engine.standings import Situation
from orchestrator.model.action import Reason
from orchestrator.model.observed import TrackView
from orchestrator.model.stack import MAIN

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


def after_status(place: Place, rows: Sequence[Situation]) -> list[str]:
    """Return what to type next: first what people must answer, then what can be done, then what to look into."""
    wanted: dict[str, list[str]] = {verb: [] for verb in ("approve", "plan", "apply", "resume", "drift", "explain")}
    for row in rows:
        for verb in _verbs(row):
            wanted[verb].append(row.key.short)
    numbers = {row.key.short: _proposal(row) for row in rows}
    found = [place.command("approve", name, "--proposal", str(numbers[name])) for name in wanted.pop("approve")[:NAMED]]
    for verb, names in wanted.items():
        if names and verb == "explain":
            found.append(place.command("explain", names[0]))
        elif names:
            found.append(place.command(verb, *few(names)))
    return found


def few(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names where they are few, else none: no name means all."""
    found = tuple(names)
    return found if len(found) <= NAMED else ()


def _verbs(row: Situation) -> tuple[str, ...]:
    """Return the commands that get one stack further."""
    if row.lost:
        return ("apply",)
    if row.action is None:
        return ()
    if row.action.reason in _STEPS:
        return _STEPS[row.action.reason]
    if row.standing.ready or row.action.reason in _FOLLOWS:
        return ()
    return ("resume",) if row.still else ("explain",)


def _proposal(row: Situation) -> int:
    proposal = row.state.tracks.get(MAIN, TrackView()).proposal
    return proposal.number if proposal else 0

"""What the record alone says of a stack, under the names that Kubernetes tools use. Asks for no file and no tool."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from adapters.contract import Goal
from orchestrator.model.gate import Gate
from orchestrator.model.observed import State, TrackView
from orchestrator.model.stack import MAIN, StackKey


def conditions(state: State) -> dict[str, bool]:
    """Return each condition of a stack but its suspension: that is a gate's, see `suspended`."""
    view = state.tracks.get(MAIN, TrackView())
    stalled = bool(view.failure or state.unknown)
    there = state.applied is not None and state.applied.goal is not Goal.DESTROY
    return {
        "Ready": there and not (stalled or state.applying or state.drift or view.asked or state.drift_check_error),
        "Reconciling": state.applying is not None,
        "Stalled": stalled,
        "Drifted": state.drift is not None,
        "AwaitingApproval": view.asked,
    }


def suspended(key: StackKey, state: State, gates: Iterable[Gate], now: float) -> bool:
    """Whether somebody holds the stack, or suspended it; ``now`` in seconds since the epoch."""
    names = (str(key), key.short, key.name)
    return state.hold is not None or any(
        gate.stops and (gate.until is None or now < gate.until)
        for gate in gates
        if any(fnmatchcase(name, gate.selector) for name in names)
    )

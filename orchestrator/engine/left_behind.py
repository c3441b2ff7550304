"""What keeps a new stack from being made where it may be an old one under another name. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from adapters.contract import Goal
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.observed import State, TrackView
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.ports import Stray

#: Codes whose pages say more than a gate's one line.
_MAYBE_RENAMED: Final = "HF-4014"
_OTHER_REPOSITORY: Final = "HF-4013"


def is_new(key: StackKey, state: State) -> bool:
    """Whether nothing says that this stack was ever made, and nobody said that it may be made all the same."""
    if state.applied or state.kept or state.unknown or state.applying:
        return False
    view = state.tracks.get(MAIN, TrackView())
    if view.proposal is None:
        return True
    binding = view.proposal.binding(str(key))
    return not any(consent.accepts_duplicates and consent.binding == binding for consent in view.consents)


def gone(recorded: Iterable[str], present: Collection[StackKey]) -> tuple[StackKey, ...]:
    """Return the stacks among the recorded streams that are in the source no more."""
    found = []
    for name in recorded:
        try:
            key = StackKey.parse(name)
        except ValueError:
            # Streams of sources and gates are no stacks.
            continue
        if key not in present:
            found.append(key)
    return tuple(found)


def holds_state(state: State) -> bool:
    """Whether something that the stack made may still be there, with the state that knows of it."""
    destroyed = state.applied is not None and state.applied.goal is Goal.DESTROY and state.unknown is None
    return bool(state.kept) and not state.moved_to and not destroyed


def maybe_renamed(new: StackKey, left: Iterable[StackKey]) -> Gate | None:
    """Return a gate where a new stack may be one of those that are ``left``: beside it, or in another environment."""
    kin = [old for old in left if old.name == new.name or old.environment == new.environment]
    if not kin:
        return None
    old = min(kin, key=lambda one: (one.name != new.name, one))
    said = f"say moved_from: {old.name}, or " if old.environment == new.environment else ""
    why = (
        f"new beside {old.short}, which is gone from its source and still holds state ({_MAYBE_RENAMED}); renamed? "
        f"{said}holdfast mv {old.short} {new.short}; if not: holdfast forget {old.short}, or apply --accept-duplicates"
    )
    return _gate(new, why)


def elsewhere(new: StackKey, stray: Stray) -> Gate:
    """Return a gate for a new stack whose state is kept under another repository id."""
    why = (
        f"the state of {new.short} is kept under another repository id, {stray.source}, in {stray.place} "
        f"({_OTHER_REPOSITORY}); to go on with it say project: {stray.source} in stacks.yaml; "
        f"to make it anew: holdfast apply {new.short} --accept-duplicates"
    )
    return _gate(new, why)


def _gate(key: StackKey, why: str) -> Gate:
    return Gate(kind=GateKind.CONSENT, why=why, selector=str(key))

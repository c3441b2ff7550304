"""Holds: a stack kept at an earlier revision, or kept down. Set before the plan, undone where nothing comes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.contract import Goal
from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.acts.words import NO_RUN, append, nudge
from orchestrator.engine.former import as_of
from orchestrator.engine.outside import Outside, Reading
from orchestrator.errors import UsageError
from orchestrator.model.event import Event, Held, Released
from orchestrator.model.observed import Hold, HoldKind, State
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.telling.rows import Mark, Row

#: The revision to go back to where nobody names one: the one that was applied before.
PREVIOUS = "previous"
#: Where a hold stays though nothing was begun: there was nothing to do, or others have to say yes, too.
_STAYS: Final = frozenset({Mark.NONE, Mark.APPLIED, Mark.CHANGES})
#: Why a hold is put back where no plan was made of it.
UNPLANNED: Final = "it could not be planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a hold is to be: a kind and the revision whose files are used."""

    kind: HoldKind
    revision: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Holding:
    """Stacks that are to be held, and how each was before."""

    outside: Outside
    source: Source
    caller: Caller
    targets: Mapping[StackKey, Target]
    before: Mapping[StackKey, State] = field(init=False)

    def __post_init__(self) -> None:
        """Keep how each stack is now: it is put back to that where nothing comes of the hold."""
        self.before = {key: _state(self.outside, key) for key in self.targets}

    def hold(self) -> None:
        """Hold each stack at its target. Raises Conflict, SourceError."""
        for key, target in self.targets.items():
            # A ref of its own keeps the commit: a force-push must not take the files away that are to be held.
            name = f"held-{hashlib.sha256(str(key).encode()).hexdigest()[:16]}"
            self.outside.sources.pin(self.source, target.revision, name)
            hold = Hold(
                kind=target.kind,
                revision=target.revision,
                by=self.caller.actor,
                reason=target.reason,
                at=self.outside.clock.now(),
            )
            append(self.outside, key, _said(Held(hold=hold)), run=NO_RUN)

    def begun(self, key: StackKey) -> bool:
        """Whether anything was done about a stack since it was to be held."""
        before, now = self.before[key], _state(self.outside, key)
        return (before.attempts, before.applied) != (now.attempts, now.applied)

    def put_back_unplanned(self, rows: Iterable[Row]) -> list[StackKey]:
        """Put back the hold of each stack that no plan was made of and nothing was begun of; return them."""
        found = [row.key for row in rows if not self._stays(row)]
        for key in found:
            self.put_back(key, because=UNPLANNED)
        return found

    def _stays(self, row: Row) -> bool:
        # What was planned, and that somebody said yes to, may wait for a gate.
        target = self.targets[row.key]
        goal = Goal.DESTROY if target.kind is HoldKind.DESTROYED else Goal.CONVERGE
        planned = row.proposal is not None and (row.proposal.revision, row.proposal.goal) == (target.revision, goal)
        return planned or row.mark in _STAYS or self.begun(row.key)

    def undo(self) -> None:
        """Put back the hold of each stack that nothing was begun of."""
        for key in self.targets:
            if not self.begun(key):
                self.put_back(key)

    def put_back(self, key: StackKey, *, because: str = "nobody said yes to it") -> None:
        """Have a stack held as it was before, or not at all."""
        earlier = self.before[key].hold
        event = Held(hold=earlier) if earlier else Released(by=self.caller.actor, reason=because)
        append(self.outside, key, _said(event), run=NO_RUN)


def down(outside: Outside, keys: Iterable[StackKey], reason: str) -> dict[StackKey, Target]:
    """Return the holds that keep stacks down. Raises UsageError (HF-1914) where nothing is there to destroy."""
    targets = {}
    for key in keys:
        applied = _state(outside, key).applied
        if applied is None:
            raise UsageError(f"{key.short} was never applied: there is nothing to destroy", code="HF-1914")
        targets[key] = Target(kind=HoldKind.DESTROYED, revision=applied.revision, reason=reason)
    return targets


def back(outside: Outside, reading: Reading, key: StackKey, revision: str, read: Callable[[str], Reading]) -> str:
    """Return the full id of the revision to go back to, once it is sure that the stack can be laid out at it.

    ``read`` reads the source at a revision in whatever words the caller's door takes; `PREVIOUS` means the one applied
    before. Raises UsageError, SourceError, ConfigError: before anything is recorded.
    """
    state = _state(outside, key)
    if state.moved_to and key not in reading.layout.stacks:
        name = StackKey.parse(state.moved_to).short
        # Under the old name nothing is known of what it made: all of it would be made a second time.
        raise UsageError(f"{key.short} is {name} now", code="HF-1901", hint=f"holdfast rollback {name}")
    if revision == PREVIOUS and not state.previous_revision:
        raise UsageError(
            f"the record knows no revision of {key.short} before the present one",
            code="HF-1909",
            hint="name it: --to REV",
        )
    then = read(state.previous_revision if revision == PREVIOUS else revision)
    if as_of(outside, key, reading.layout.stacks.get(key), then.layout) is None:
        raise UsageError(
            f"{key.short} is not in revision {then.revision.short}, under this name or an earlier one",
            code="HF-1920",
            hint=f"name a later one; to take down what it made: holdfast apply --destroy {key.short}",
        )
    return then.revision.id


def release(outside: Outside, caller: Caller, key: StackKey, reason: str) -> bool:
    """End a stack's hold; False where there is none."""
    if _state(outside, key).hold is None:
        return False
    append(outside, key, _said(Released(by=caller.actor, reason=reason)), run=NO_RUN)
    nudge(outside, key, "released")
    return True


def _said(event: Event) -> Callable[[State], Event]:
    """Return a word that is the same whatever has become of the stack meanwhile."""
    return lambda _: event


def _state(outside: Outside, key: StackKey) -> State:
    return outside.record.row(str(key)).state

"""Suspensions: stacks that rest until somebody has them follow their source again."""

from __future__ import annotations

import glob
from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.engine.acts.caller import Caller, begun
from orchestrator.engine.acts.drift_words import repair_again
from orchestrator.engine.acts.holds import release
from orchestrator.engine.acts.until import Until
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.recorded import recorded
from orchestrator.errors import UsageError
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.stack import StackKey

#: What a suspension of all stacks selects, those that are still to come among them.
_EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A suspension that is over."""

    #: The stack in short, ``everything``, or the selector where it fits nothing that is known.
    of: str
    #: What was said when it was set.
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What follows its source again."""

    lifted: tuple[Lifted, ...]
    released: tuple[StackKey, ...]
    #: Stacks whose drift is repaired again though it kept coming back.
    repaired: tuple[StackKey, ...]


def suspend(
    outside: Outside, reading: Reading, caller: Caller, keys: Collection[StackKey], *, reason: str, until: Until | None
) -> tuple[Gate, ...]:
    """Have stacks rest, all of them where ``keys`` is empty; without ``until`` until they are resumed.

    Raises UsageError (HF-1908) where the end is over already.
    """
    now = outside.clock.now()
    end = until.still_to_come(now, "12h") if until else None
    with begun(outside, caller, reading, "suspend") as run:
        gates = [
            Gate(
                kind=GateKind.SUSPENSION,
                why=reason,
                selector=selector,
                since=now,
                until=end,
                who=caller.actor,
            )
            for selector in [glob.escape(str(key)) for key in keys] or [_EVERYTHING]
        ]
        return tuple(outside.record.set_gate(gate, run=run.number) for gate in gates)


def resume(outside: Outside, reading: Reading, caller: Caller, keys: Collection[StackKey], reason: str) -> Resumed:
    """End suspensions, rollbacks, destroys, and a stop of recurring repairs.

    Without ``keys`` every suspension ends, and nothing else. Raises UsageError (HF-1914) where there is nothing to end.
    """
    done = Resumed(
        lifted=_lift(outside, reading, caller, keys, reason),
        released=tuple(key for key in keys if release(outside, caller, key, reason)),
        repaired=tuple(key for key in keys if repair_again(outside, reading, caller, key, reason)),
    )
    if not (done.lifted or done.released or done.repaired):
        raise UsageError(
            "nothing is suspended or held here" if keys else "nothing is suspended",
            code="HF-1914",
            hint="see: holdfast status; a rolled back or destroyed stack is resumed by its name",
        )
    return done


def _lift(
    outside: Outside, reading: Reading, caller: Caller, keys: Collection[StackKey], reason: str
) -> tuple[Lifted, ...]:
    """Lift the suspensions that stand for exactly these stacks, all where none is named."""
    known = {*reading.layout.stacks, *recorded(outside, reading.source)}
    names = {glob.escape(str(key)): key.short for key in known} | {_EVERYTHING: "everything"}
    mine = {glob.escape(str(key)) for key in keys}
    _, gates = outside.record.gates()
    found = [one for one in gates if one.kind is GateKind.SUSPENSION and (not keys or one.selector in mine)]
    if found:
        with begun(outside, caller, reading, "resume") as run:
            for gate in found:
                outside.record.lift_gate(gate.id, by=caller.actor, reason=reason, run=run.number)
    return tuple(Lifted(of=names.get(gate.selector, gate.selector), why=gate.why) for gate in found)

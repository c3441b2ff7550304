"""What people say about stacks whose name has left the source: that they go on under another, or are given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orchestrator.engine.acts.caller import Caller, begun
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.renaming import Pair, forget, move
from orchestrator.errors import UsageError
from orchestrator.model.event import Forgotten
from orchestrator.model.observed import State
from orchestrator.model.stack import StackKey
from orchestrator.nearest import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """What came of a rename in several environments: all before the one that was refused is renamed."""

    #: Each old and new name, and whether it was so already.
    done: tuple[tuple[Pair, bool], ...]
    #: Why it stopped; None where it did not.
    refused: UsageError | None


def gone(reading: Reading, found: Collection[StackKey]) -> list[StackKey]:
    """Return those of the stacks that left their source. Raises UsageError (HF-1917) where none did."""
    left = [key for key in sorted(found) if key not in reading.layout.stacks]
    if not left:
        raise UsageError(
            f"{min(found).short} is still in its source under this name",
            code="HF-1917",
            hint="rename it in stacks.yaml, commit, then run this again",
        )
    return left


def renamed(reading: Reading, old: StackKey, word: str) -> StackKey:
    """Return the new key: in the environment that ``NAME[@ENV]`` says, else in the old one.

    Raises UsageError (HF-1901) where no such stack is in the source.
    """
    name, _, environment = word.partition("@")
    key = StackKey(source=old.source, name=name, environment=environment or old.environment)
    stacks = reading.layout.stacks
    if key not in stacks:
        known = sorted({spelling for one in stacks for spelling in (one.name, one.short)})
        hint = did_you_mean(word, known) or "commit the new name first"
        raise UsageError(f"no stack {key.short} at {reading.revision.short}", code="HF-1901", hint=hint)
    return key


def rename(outside: Outside, reading: Reading, caller: Caller, pairs: Sequence[Pair]) -> Renamed:
    """Have each new name take over what its old one left; stops at the first (HF-1918) that cannot. Raises Conflict."""
    done: list[tuple[Pair, bool]] = []
    with begun(outside, caller, reading, "mv") as run:
        for before, after in pairs:
            if outside.record.row(str(before)).state.moved_to == str(after):
                done.append(((before, after), True))
            elif move(outside, reading.source, (before, after), run.number):
                done.append(((before, after), False))
            else:
                refused = UsageError(
                    f"{after.short} cannot take over what {before.short} left: it has a life of its own",
                    code="HF-1918",
                    hint=f"see: holdfast show {after.short}, holdfast forget {before.short}",
                )
                return Renamed(done=tuple(done), refused=refused)
    return Renamed(done=tuple(done), refused=None)


def forgettable(reading: Reading, key: StackKey) -> None:
    """Raise UsageError (HF-1917) where a stack is still in its source."""
    if key in reading.layout.stacks:
        raise UsageError(
            f"{key.short} is still in its source",
            code="HF-1917",
            hint="only what is gone from its source can be forgotten",
        )


def give_up(outside: Outside, reading: Reading, caller: Caller, key: StackKey, reason: str) -> State:
    """Give up what a stack made that is gone from its source; returns what it was.

    Nothing is destroyed. Raises UsageError (HF-1917), Conflict where an attempt of it is, or may be, at work.
    """
    forgettable(reading, key)
    event = Forgotten(by=caller.actor, reason=reason)
    with begun(outside, caller, reading, "forget") as run:
        return forget(outside, reading.source, key, event, run.number)

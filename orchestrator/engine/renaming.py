"""Follows a stack through a rename, so that nothing is ever created twice because a name changed."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.recovery import at_work, recover_gone
from orchestrator.errors import Conflict
from orchestrator.model.event import Forgotten, Moved
from orchestrator.model.observed import State
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Row

Pair = tuple[StackKey, StackKey]


def follow_renames(outside: Outside, reading: Reading, run: int) -> tuple[Pair, ...]:
    """Take over, for each stack of the reading that says ``moved_from``, what its old name left; returns the pairs.

    One that somebody works on is left for the next time: until then a gate holds the new name back.
    """
    moved = []
    for key, stack in sorted(reading.layout.stacks.items()):
        old = replace(key, name=stack.moved_from)
        if not stack.moved_from or old in reading.layout.stacks:
            continue
        try:
            if move(outside, reading.source, (old, key), run):
                moved.append((old, key))
        except Conflict:
            continue
    return tuple(moved)


def move(outside: Outside, source: Source, pair: Pair, run: int) -> bool:
    """Carry state, history's fold and kept files from one name to another; False where there is nothing to carry.

    The new stream begins with what the old one left, then the old one ends with the new name; files go before both.
    A crash at any point is made good by doing it again. Raises Conflict where either is at work, RecordError where
    both hold kept state.
    """
    old, new = pair
    if not _carries(outside.record.row(str(old))):
        return False
    with outside.agenda.hold(str(old)), outside.agenda.hold(str(new)):
        left = _at_rest(outside, source, old)
        found = outside.record.row(str(new))
        if not _carries(left):
            return False
        if not _taken_over(outside, left, new):
            if found.state.version > 0 and not _begun(found):
                return False
            outside.workspaces.move(old, new)
            carried = Moved(old=str(old), new=str(new), state=replace(left.state, tracks={}, vanished_at=None))
            outside.record.append(str(new), [carried], expected=found.state.version, run=run)
        outside.record.append(str(old), [Moved(old=str(old), new=str(new))], expected=left.state.version, run=run)
    return True


def forget(outside: Outside, source: Source, key: StackKey, event: Forgotten, run: int) -> State:
    """Record that people give up what a stack left; returns what it was. Its kept state stays where it is.

    Raises Conflict where an attempt of it is, or may be, at work.
    """
    with outside.agenda.hold(str(key)):
        left = _at_rest(outside, source, key)
        if left.state.unknown and not left.state.unknown.dead:
            hint = f"once nothing of it is alive: holdfast resolve {key.short}"
            raise Conflict(f"an attempt of {key.short} may still be at work", code="HF-4203", hint=hint)
        outside.record.append(str(key), [replace(event, kept=left.state.kept)], expected=left.state.version, run=run)
    return left.state


def _at_rest(outside: Outside, source: Source, key: StackKey) -> Row:
    """Return the row of a stack that nobody can work any more by its name, its last attempt settled."""
    if not recover_gone(outside, source, key):
        attempt = outside.record.row(str(key)).state.applying
        if attempt:
            raise at_work(outside, key, attempt)
    return outside.record.row(str(key))


def _carries(row: Row) -> bool:
    return row.state.version > 0 and not row.state.moved_to


def _begun(row: Row) -> bool:
    """Whether a stack has planned and nothing more: a plan under the new name, made before the rename was said."""
    state = row.state
    return state.applied is None and state.applying is None and state.unknown is None and not state.kept


def _taken_over(outside: Outside, left: Row, new: StackKey) -> bool:
    """Whether the new name has this very state already: somebody died before the old stream could be ended."""
    after, taken = 0, False
    while entries := outside.record.events(stack=str(new), after=after):
        for event in (entry.event for entry in entries):
            if isinstance(event, Moved | Forgotten):
                state = event.state if isinstance(event, Moved) and event.old == left.key else None
                # What it took over it may have handed on since: only the last word counts.
                taken = state is not None and _same(state, left.state)
        after = entries[-1].seq
    return taken


def _same(one: State, other: State) -> bool:
    return (one.applied, one.attempts, one.kept, one.unknown) == (
        other.applied,
        other.attempts,
        other.kept,
        other.unknown,
    )

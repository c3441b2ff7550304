"""The names that a stack went by before: an earlier revision has it under one of those. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from orchestrator.engine.outside import Outside
from orchestrator.model.event import Moved
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import Layout


def as_of(outside: Outside, key: StackKey, today: Stack | None, layout: Layout) -> Stack | None:
    """Return a stack as an earlier layout has it, None where it was not there under any of its names.

    It keeps the key that it goes by today: its state, its history and its place of work are under that one.
    """
    name = _name_in(outside, key, today, layout.stacks)
    return replace(layout.stacks[name], key=key) if name else None


def now_called(outside: Outside, key: StackKey, stacks: Container[StackKey]) -> StackKey:
    """Return the name of today for the stack that an earlier revision calls ``key``; ``key`` where none took over."""
    passed = {key}
    found = key
    while found not in stacks:
        moved_to = outside.record.row(str(found)).state.moved_to
        if not moved_to or StackKey.parse(moved_to) in passed:
            return key
        found = StackKey.parse(moved_to)
        passed.add(found)
    return found


def _name_in(outside: Outside, key: StackKey, today: Stack | None, stacks: Container[StackKey]) -> StackKey | None:
    said = replace(key, name=today.moved_from) if today and today.moved_from else None
    # Both are there only before the rename: the one that had today's name then was another stack.
    if said in stacks:
        return said
    if key in stacks:
        return key
    return next((name for name in _former(outside, key, {key}) if name in stacks), None)


def _former(outside: Outside, key: StackKey, passed: set[StackKey]) -> Iterator[StackKey]:
    """Yield every name that the record says was taken over, the latest first."""
    for old in reversed(_taken_over(outside, key)):
        if old not in passed:
            passed.add(old)
            yield old
            yield from _former(outside, old, passed)


def _taken_over(outside: Outside, key: StackKey) -> list[StackKey]:
    found: list[StackKey] = []
    after = 0
    while entries := outside.record.events(stack=str(key), after=after):
        moves = (entry.event for entry in entries if isinstance(entry.event, Moved))
        found += [StackKey.parse(move.old) for move in moves if move.new == str(key)]
        after = entries[-1].seq
    return found

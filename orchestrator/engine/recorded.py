"""The stacks of a source that the record knows, whether they are still in it or not."""

from __future__ import annotations

from contextlib import suppress

from orchestrator.engine.outside import Outside
from orchestrator.model.observed import Applying, State
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Entry, Record


def recorded(outside: Outside, source: Source) -> dict[StackKey, State]:
    """Return each stack of a source that the record knows, and what it knows."""
    return {StackKey.parse(row.key): row.state for row in outside.record.rows(source.id)}


def unended(outside: Outside, source: Source, run: int) -> dict[StackKey, Applying]:
    """Return the attempts of a run that the record knows no end of."""
    begun = {key: state.applying for key, state in recorded(outside, source).items() if state.applying}
    return {key: attempt for key, attempt in begun.items() if attempt.run == run}


def stacks_of(record: Record, run: int) -> frozenset[StackKey]:
    """Return the stacks that something happened to in a run."""
    found = set()
    for name in {entry.stack for entry in entries_of(record, run)}:
        with suppress(ValueError):
            # The gates have a stream of their own, which is no stack.
            found.add(StackKey.parse(name))
    return frozenset(found)


def entries_of(record: Record, run: int) -> list[Entry]:
    """Return everything that happened in one run, in order."""
    found: list[Entry] = []
    while some := record.events(run=run, after=found[-1].seq if found else 0):
        found += some
    return found

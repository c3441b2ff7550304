"""The stacks of a source that the record knows, whether they are still in it or not."""

from __future__ import annotations

from orchestrator.engine.outside import Outside
from orchestrator.model.observed import Applying, State
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey


def recorded(outside: Outside, source: Source) -> dict[StackKey, State]:
    """Return each stack of a source that the record knows, and what it knows."""
    return {StackKey.parse(row.key): row.state for row in outside.record.rows(source.id)}


def unended(outside: Outside, source: Source, run: int) -> dict[StackKey, Applying]:
    """Return the attempts of a run that the record knows no end of."""
    begun = {key: state.applying for key, state in recorded(outside, source).items() if state.applying}
    return {key: attempt for key, attempt in begun.items() if attempt.run == run}

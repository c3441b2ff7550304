"""Stops a run: whoever works it starts nothing new, and its tools get one interrupt, then their end."""

from __future__ import annotations

from adapters.contract import Handle
from orchestrator.engine.outside import Outside
from orchestrator.engine.recorded import unended
from orchestrator.engine.recovery import at_work
from orchestrator.errors import UsageError
from orchestrator.model.observed import Applying
from orchestrator.model.source import Source
from orchestrator.ports import Run


def cancel(outside: Outside, source: Source, run: Run) -> None:
    """Have a run of this source stopped; what comes of its attempts is for whoever follows them to find out.

    Raises UsageError (HF-1914) where it is over, Conflict (HF-4203) where an attempt of it is left that nobody here
    can stop, or prove dead.
    """
    attempts = _at_work(outside, source, run)
    if run.ended_at is not None and not attempts:
        _refuse_doubtful(outside, source, run)
        raise UsageError(f"run {run.number} is over", code="HF-1914", hint=f"holdfast show {run.number}")
    if run.ended_at is None:
        outside.running.ask_to_stop(run.number)
    for attempt in attempts:
        # Nobody follows an attempt that was detached from: its keeper is told itself.
        outside.attempts.cancel(attempt)


def _at_work(outside: Outside, source: Source, run: Run) -> list[Applying]:
    """Return the attempts of a run whose tools are at work on this host."""
    looks = [(one, outside.attempts.look(one)) for one in unended(outside, source, run.number).values()]
    return [attempt for attempt, look in looks if isinstance(look, Handle) and look.alive]


def _refuse_doubtful(outside: Outside, source: Source, run: Run) -> None:
    for key, attempt in unended(outside, source, run.number).items():
        if outside.attempts.doubt(attempt):
            raise at_work(outside, key, attempt)

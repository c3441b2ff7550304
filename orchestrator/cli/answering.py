"""Which proposals the words ``RUN|STACK`` mean, for approve and reject."""

from __future__ import annotations

from orchestrator.cli.place import Place
from orchestrator.cli.standings import proposed
from orchestrator.engine.survey import Survey
from orchestrator.errors import UsageError
from orchestrator.model.observed import Proposal
from orchestrator.model.stack import StackKey


def proposals(place: Place, what: str) -> list[tuple[StackKey, Proposal]]:
    """Return each stack with the proposal that waits for it. Raises UsageError (HF-1906) where none does."""
    survey = Survey(place.outside, place.reading)
    number = place.run(int(what)).number if what.isdigit() else None
    keys = tuple(place.recorded()) if number else (place.one(what),)
    looks = [(key, asked) for key in keys if (asked := survey.look(key))]
    found = [(key, one) for key, asked in looks if (one := proposed(asked)) and number in {None, one.run}]
    if not found:
        raise UsageError(f"nothing waits for a word in {what}", code="HF-1906", hint="see: holdfast status")
    return found

"""Which proposals the words ``RUN|STACK`` mean, for approve and reject."""

from __future__ import annotations

from orchestrator.cli.place import Place
from orchestrator.engine.acts import consent
from orchestrator.engine.acts.consent import Waiting
from orchestrator.errors import UsageError


def waiting(place: Place, what: str, number: int | None) -> list[Waiting]:
    """Return each proposal that is meant; ``number`` names the one of a stack that was seen.

    Raises UsageError (HF-1906) where none waits, or another one than was seen.
    """
    run = place.run(int(what)).number if what.isdigit() else None
    keys = tuple(place.recorded()) if run else (place.one(what),)
    found = consent.waiting(place.outside, place.reading, keys, run=run)
    if not found:
        raise UsageError(f"nothing waits for a word in {what}", code="HF-1906", hint="see: holdfast status")
    if number is not None:
        consent.seen(found, number)
    return found

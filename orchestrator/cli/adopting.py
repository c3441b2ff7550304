"""Finds out how attempts ended that their command was detached from, and records it."""

from __future__ import annotations

import threading
from contextlib import suppress

from adapters.contract import StateUnsaved
from orchestrator.cli.place import Place
from orchestrator.engine.recovery import recover, recover_gone
from orchestrator.engine.station import Case
from orchestrator.engine.survey import Survey
from orchestrator.errors import Conflict
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run


def adopt(place: Place, run: Run) -> threading.Thread:
    """Wait, in a thread, for each attempt of ``run`` that nobody follows, and record how it ended."""
    keys = [key for key in place.recorded() if _mine(place, key, run)]

    def one_by_one() -> None:
        for key in keys:
            # Held: somebody else works the stack, and will find the end. Unsaved: the record says so.
            with suppress(Conflict, StateUnsaved):
                _adopt(place, key, run)

    thread = threading.Thread(target=one_by_one, name="adopt", daemon=True)
    thread.start()
    return thread


def _mine(place: Place, key: StackKey, run: Run) -> bool:
    attempt = place.outside.record.row(str(key)).state.applying
    return attempt is not None and attempt.run == run.number


def _adopt(place: Place, key: StackKey, run: Run) -> None:
    with place.outside.agenda.hold(str(key)):
        asked = Survey(place.outside, place.reading).look(key)
        if asked is None:
            recover_gone(place.outside, place.reading.source, key)
        elif asked.state.applying:
            recover(Case(outside=place.outside, today=place.reading, asked=asked, run=run))
        place.outside.record.close_run(run.number)

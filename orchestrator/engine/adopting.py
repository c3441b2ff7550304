"""Finds out how attempts ended that their command was detached from, and records it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from adapters.contract import StateUnsaved
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.recorded import unended
from orchestrator.engine.recovery import recover, recover_gone
from orchestrator.engine.station import Case
from orchestrator.engine.survey import Survey
from orchestrator.errors import Conflict
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run


def adopt(outside: Outside, source: Source, run: Run, read: Callable[[], Reading]) -> threading.Thread:
    """Wait, in a thread, for each attempt of ``run`` that nobody follows, and record how it ended.

    ``read`` reads the source, in that thread and only where there is such an attempt.
    """
    keys = list(unended(outside, source, run.number))

    def one_by_one() -> None:
        for key in keys:
            # Held: somebody else works the stack, and will find the end. Unsaved: the record says so.
            with suppress(Conflict, StateUnsaved):
                _adopt(outside, key, run, read)

    thread = threading.Thread(target=one_by_one, name="adopt", daemon=True)
    thread.start()
    return thread


def _adopt(outside: Outside, key: StackKey, run: Run, read: Callable[[], Reading]) -> None:
    with outside.agenda.hold(str(key)):
        reading = read()
        asked = Survey(outside, reading).look(key)
        if asked is None:
            recover_gone(outside, reading.source, key)
        elif asked.state.applying:
            recover(Case(outside=outside, today=reading, asked=asked, run=run))
        outside.record.close_run(run.number)

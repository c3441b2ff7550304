"""Looks for drift that somebody asks for: beside the loop, so that nobody waits for an answer while a tool runs."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Final

from adapters.contract import AdapterError
from orchestrator.engine.acts.caller import Caller, begun
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.work import Worker
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import StackKey
from orchestrator.ports import Level
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem

#: Seconds in which a run must have begun.
_BEGINS_S: Final = 30.0


def look_now(house: Inside, outside: Outside, reading: Reading, caller: Caller, key: StackKey) -> int:
    """Begin a look at a stack, and return the run that tells what comes of it. Raises Problem (429)."""
    if not house.looks.acquire(blocking=False):
        raise Problem(429, detail="so many looks are under way already; try again later", headers={"retry-after": "10"})
    begins: Future[int] = Future()

    def look() -> None:
        try:
            _look(house, outside, reading, (caller, key), begins)
        finally:
            house.looks.release()

    threading.Thread(target=look, name=f"look {key}", daemon=True).start()
    return begins.result(_BEGINS_S)


def _look(
    house: Inside, outside: Outside, reading: Reading, asked: tuple[Caller, StackKey], begins: Future[int]
) -> None:
    caller, key = asked
    try:
        with begun(outside, caller, reading, "drift") as run:
            begins.set_result(run.number)

            def cancelled() -> bool:
                return house.stopping() or outside.running.asked_to_stop(run.number)

            Worker(outside, reading, run, cancelled=cancelled).check_drift(key)
    except (OrchestratorError, AdapterError) as error:
        if not begins.done():
            begins.set_exception(error)
        house.journal.say(Level.WARNING, "a look came to nothing", stack=key, code=error.code, why=error.message)
    except Exception as error:
        if not begins.done():
            begins.set_exception(error)
        raise

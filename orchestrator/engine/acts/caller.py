"""Who acts, and the run that keeps what they did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from orchestrator.engine.outside import Outside, Reading
from orchestrator.ports import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who asks for something, and the door that they came through."""

    actor: str
    #: What a run says that it was started by: ``cli``, ``service``, ``webhook``.
    door: str
    #: The teams that vouch for them, as the operator of this host says.
    teams: tuple[str, ...] = ()


@contextmanager
def begun(outside: Outside, caller: Caller, reading: Reading, verb: str) -> Iterator[Run]:
    """Open a run, and close it whatever happens."""
    record = outside.record
    run = record.open_run(trigger=caller.door, verb=verb, actor=caller.actor, revision=reading.revision.id)
    try:
        with outside.running.working(run.number):
            yield run
    finally:
        record.close_run(run.number)
        outside.running.over(run.number)

"""Which agenda a record has: one file is for one host, a PostgreSQL server is for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.database import Database
from orchestrator.errors import RecordError
from orchestrator.ports import Clock

if TYPE_CHECKING:
    from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda


def open_agenda(database: Database, clock: Clock) -> LocalAgenda | ProcrastinateAgenda:
    """Return the agenda that lies beside a record; `close` it.

    Raises RecordError: HF-4304 where PostgreSQL's queue is not installed, HF-4302 where a newer release made it.
    """
    if database.engine.dialect.name == "sqlite":
        return LocalAgenda(database=database, clock=clock)
    try:
        from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        raise RecordError(
            f"the queue that many hosts share is not installed ({error.name})",
            code="HF-4304",
            hint="pip install 'holdfast[postgresql]'",
        ) from error
    return ProcrastinateAgenda(database=database, clock=clock)

"""Which agenda a record has: one file is for one host, a PostgreSQL server is for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.database import Database
from orchestrator.errors import RecordError
from orchestrator.ports import Clock

if TYPE_CHECKING:
    from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda


#: The testing door of the lease: seconds after which a silent holder of another host counts as gone.
LEASE: Final = "HOLDFAST_LEASE_S"


def open_agenda(database: Database, clock: Clock, *, lease_s: str = "") -> LocalAgenda | ProcrastinateAgenda:
    """Return the agenda that lies beside a record; `close` it.

    ``lease_s`` is what the testing door says; empty, as ever outside of tests, leaves the lease as it is.

    Raises RecordError: HF-4304 where PostgreSQL's queue is not installed, HF-4302 where a newer release made it.
    """
    if database.engine.dialect.name == "sqlite":
        return LocalAgenda(database=database, clock=clock)
    try:
        from orchestrator.effects.agenda_procrastinate import LEASE_S, ProcrastinateAgenda  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        raise RecordError(
            f"the queue that many hosts share is not installed ({error.name})",
            code="HF-4304",
            hint="pip install 'holdfast[postgresql]'",
        ) from error
    return ProcrastinateAgenda(database=database, clock=clock, lease_s=float(lease_s or LEASE_S))

"""What `holdfast token` works with: the record of the service, and nothing else of it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orchestrator.assembly.host import database_url
from orchestrator.config.operator import Operator
from orchestrator.effects.clock import clock_of
from orchestrator.effects.home import make_home
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.tokens import Tokens


def serving_home(operator: Operator, chosen: Path | None, environment: Mapping[str, str]) -> Path:
    """Return where the service lives: chosen, as the operator says, where systemd says, or with the person's own."""
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return (chosen or operator.home or (Path(given) if given else Path(state) / "holdfast" / "service")).absolute()


@contextmanager
def open_tokens(operator: Operator, home: Path, outer: Mapping[str, str]) -> Iterator[Tokens]:
    """Open the tokens of the service that lives in ``home``, whether it is at work or not. Raises OrchestratorError."""
    before = os.umask(0o077)
    try:
        make_home(home)
        database = open_database(database_url(operator, home, outer))
        try:
            yield Tokens(record=SqlRecord(database=database, clock=clock_of(database), actor=getpass.getuser()))
        finally:
            database.close()
    finally:
        os.umask(before)

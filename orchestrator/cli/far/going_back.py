"""``rollback`` at a service: it holds and plans, people are asked here, and exactly what they saw is applied."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import click

from orchestrator.cli.asking import Asker as Asks
from orchestrator.cli.asking import Leave, allowed
from orchestrator.cli.far import errands
from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.far.planning import Asker, barred, seen
from orchestrator.cli.flow import Result
from orchestrator.cli.holding import tell_held, tell_refused, tell_unplanned
from orchestrator.cli.progress import progress
from orchestrator.cli.show_plan import page, view
from orchestrator.engine.sorting_out import kept_back
from orchestrator.errors import EXIT_INTERRUPTED, OrchestratorError
from orchestrator.model.stack import StackKey
from orchestrator.telling.errands import Needs, Told
from orchestrator.telling.outcome import exit_after_apply
from orchestrator.telling.rows import Row


@dataclass(slots=True, kw_only=True)
class _Said:
    """What people said to the plans."""

    going: list[dict[str, object]] = field(default_factory=list)
    #: What becomes of each that stays as it was.
    refused: dict[StackKey, Row] = field(default_factory=dict)


def rollback(ctx: click.Context, word: str, revision: str, leave: Leave, reason: str) -> int:
    """Bring a stack back to an earlier revision and hold it there; return the exit code. Raises OrchestratorError."""
    with asked(ctx) as far:
        far.look()
        key = far.one(word)
        run = errands.begin(far, "rollback", {"stack": str(key), "to": revision, "reason": reason})
        said, asker = _Said(), Asker(screen=far.screen)
        found = _planned(far, run)
        if found["asks"]:
            planned = errands.rows_of(far, found)
            asker = replace(asker, grave={told.row.key: told.grave for told in planned})
            said = _asked(far, run, asker, planned, leave)
            found = _answered(far, run, said, reason)
        return _told(far, run, asker, said, found)


def _planned(far: Far, run: int) -> dict[str, Any]:
    """Return the plan that asks for an answer, or what else came of it."""
    try:
        with progress(far.screen) as tell:
            return errands.follow(far, run, tell, asking=True)
    except BaseException:
        _stays(far, run)
        raise


def _asked(far: Far, run: int, asker: Asks, planned: list[Told], leave: Leave) -> _Said:
    """Show the plans, and ask."""
    changing = [told for told in planned if told.needs is not Needs.NOTHING]
    try:
        if far.screen.for_people:
            # What a person is asked about goes where the question goes.
            shown = view([told.row for told in changing], whole=far.screen.form == "wide")
            far.screen.console(sys.stderr).print(shown)
        opens = [told.row for told in changing if told.needs is Needs.YES]
        granted = allowed(asker, opens, leave)
    except BaseException:
        # Somebody pressed Ctrl-C or typed a wrong name: nothing may stay half decided.
        _stays(far, run)
        raise
    agreed = [told.row for told in changing if told.needs is Needs.AGREED]
    barring = [barred(told) for told in changing if told.needs is Needs.BARRED]
    refused = [kept_back(row) for row in opens if row not in granted]
    return _Said(
        going=[seen(row, yes=False) for row in agreed] + [seen(row, yes=True) for row in granted],
        refused={row.key: row for row in (*refused, *barring)},
    )


def _answered(far: Far, run: int, said: _Said, reason: str) -> dict[str, Any]:
    """Answer, and return what came of it."""
    try:
        far.server.post(f"runs/{run}/answer", {"plans": said.going, "reason": reason})
    except OrchestratorError:
        # The answer does not count: then it is none, and what waits for it is let go.
        _stays(far, run)
        raise
    try:
        with progress(far.screen) as tell:
            return errands.follow(far, run, tell)
    except KeyboardInterrupt:
        errands.goes_on(far, run)
        raise


def _stays(far: Far, run: int) -> None:
    """Have the stack stay as it was; a service that does not hear it has it stay so by itself, a little later."""
    with suppress(OrchestratorError):
        far.server.post(f"runs/{run}/answer", {"plans": []})


def _told(far: Far, run: int, asker: Asks, said: _Said, found: Mapping[str, Any]) -> int:
    """Print what came of it, and return the exit code. Raises Denied, Unanswered where the stack stays as it was."""
    came = [told.row for told in errands.rows_of(far, found)]
    rows = [said.refused.get(row.key, row) for row in came]
    code = EXIT_INTERRUPTED if found["interrupted"] else exit_after_apply([row.mark for row in rows])
    result = Result(rows=tuple(rows), run=run, exit_code=code, refused=tuple(said.refused))
    far.screen.emit(page([replace(row, plan=None, warnings=()) for row in rows] if far.screen.for_people else rows))
    tell_unplanned(far.screen, [row.key for row in rows if row.key.short in found["unplanned"]])
    names = {key.short for key in said.refused}
    tell_held(far, result, {name: str(words) for name, words in found["held"].items() if name not in names})
    tell_refused(asker, [row for row in rows if row.key in result.refused])
    return result.exit_code

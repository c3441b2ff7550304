"""Has each tool compare the world with what was applied, and returns what it found."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.cli.place import Place
from orchestrator.cli.progress import progress
from orchestrator.cli.show_drift import Row, page
from orchestrator.cli.working import begun, listening
from orchestrator.engine.judging import judged_of
from orchestrator.engine.looking import look as look_now
from orchestrator.engine.side_by_side import at_once
from orchestrator.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from orchestrator.model.stack import StackKey


def look(place: Place, keys: Sequence[StackKey], *, parallel: int) -> tuple[list[Row], bool]:
    """Look for drift in each stack now; returns a row for each and whether somebody interrupted."""
    with begun(place, "drift") as run, progress(place.screen) as tell, listening(place, run) as stop:
        found = look_now(place, run, keys, parallel=at_once(parallel), stop=stop, tell=tell)
        interrupted = stop.wanted
    return [
        Row(
            key=one.key,
            judged=one.judged,
            looks=one.looks,
            blind_spots=one.said.blind_spots,
            problem=one.said.problem,
            code=one.said.code,
        )
        for one in found
    ], interrupted


def remembered(place: Place, keys: Sequence[StackKey]) -> list[Row]:
    """Return what the last look at each stack found, starting no tool."""
    rows = []
    for key in keys:
        row = place.outside.record.row(str(key))
        never = "" if row.looks.drift_at else "nobody has looked yet"
        rows.append(
            Row(
                key=key,
                judged=judged_of(place.outside, place.reading, key, row),
                looks=row.looks,
                blind_spots=row.looks.blind_spots,
                problem=row.state.drift_check_error or never,
            )
        )
    return rows


def verify_applied(place: Place, keys: Sequence[StackKey], *, parallel: int) -> int:
    """Look at what was just applied, print what was found, and return the exit code."""
    rows, interrupted = look(place, keys, parallel=parallel)
    if place.screen.for_people:
        place.screen.emit(page(rows, place.now))
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if any(row.problem or row.items or row.judged.unconfirmed for row in rows) else EXIT_DONE

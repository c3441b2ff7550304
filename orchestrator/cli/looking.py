"""Has each tool compare the world with what was applied, and returns what it found."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import Drifts
from orchestrator.cli.place import Place
from orchestrator.cli.progress import progress
from orchestrator.cli.show_drift import Row, page
from orchestrator.cli.working import begun, listening
from orchestrator.engine.judging import judged_of
from orchestrator.engine.side_by_side import Ended, at_once, side_by_side
from orchestrator.engine.work import Worker
from orchestrator.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from orchestrator.model.stack import StackKey


def look(place: Place, keys: Sequence[StackKey], *, parallel: int) -> tuple[list[Row], bool]:
    """Look for drift in each stack now; returns a row for each and whether somebody interrupted."""
    with begun(place, "drift") as run, progress(place.screen) as tell, listening(place, run) as stop:
        worker = Worker(place.outside, place.reading, run, cancelled=stop.cancelled)

        def one(key: StackKey) -> Drifts | None:
            tell(key, "looking for drift")
            return worker.check_drift(key)

        ended = side_by_side(keys, one, parallel=at_once(parallel), stop=stop, tell=tell)
        interrupted = stop.wanted
    return [_row(place, one_ended) for one_ended in ended], interrupted


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


def _row(place: Place, ended: Ended[Drifts | None]) -> Row:
    row = place.outside.record.row(str(ended.key))
    found, error = ended.result, ended.error
    problem, code = (error.message, error.code) if error else ("", "")
    if found is None and not problem:
        problem = row.state.drift_check_error or "the tool could not look"
    if found is not None and found.pending:
        names = ", ".join(change.address for change in found.pending[:3])
        problem, code = f"still to be changed after the apply: {names}", "HF-4020"
    return Row(
        key=ended.key,
        judged=judged_of(place.outside, place.reading, ended.key, row),
        looks=row.looks,
        blind_spots=found.blind_spots if found else (),
        problem=problem,
        code=code,
    )


def verify_applied(place: Place, keys: Sequence[StackKey], *, parallel: int) -> int:
    """Look at what was just applied, print what was found, and return the exit code."""
    rows, interrupted = look(place, keys, parallel=parallel)
    if place.screen.for_people:
        place.screen.emit(page(rows, place.now))
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if any(row.problem or row.items or row.judged.unconfirmed for row in rows) else EXIT_DONE

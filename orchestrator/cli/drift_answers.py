"""Does about drift what policy says: reports it, proposes to put it back, or puts it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.cli.place import Place
from orchestrator.cli.progress import progress
from orchestrator.cli.show_drift import Row
from orchestrator.cli.suggesting import after_apply
from orchestrator.cli.working import begun, leave, listening
from orchestrator.engine.crew import row_of, words
from orchestrator.engine.judging import is_answered
from orchestrator.engine.side_by_side import Ended, at_once, ordered, side_by_side
from orchestrator.engine.work import Limits, Settled, Worker
from orchestrator.errors import EXIT_DONE, EXIT_INTERRUPTED
from orchestrator.model.policy import DriftAnswer
from orchestrator.model.stack import StackKey
from orchestrator.telling.outcome import exit_after_apply
from orchestrator.telling.rows import Mark
from orchestrator.telling.rows import Row as PlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The rows with what was done about each, the exit code, and what to type next."""

    rows: tuple[Row, ...]
    exit_code: int
    steps: tuple[str, ...]


def answer(place: Place, rows: Sequence[Row], *, parallel: int) -> Answers:
    """Answer the drift that ``rows`` tell of, each stack by its own policy and as the loop would: nobody is asked."""
    keys = [row.key for row in rows if row.items and is_answered(place.outside, place.reading, row.key)]
    if not keys:
        return Answers(rows=tuple(map(_unanswered, rows)), exit_code=EXIT_DONE, steps=())
    done: list[Ended[Settled]] = []
    with (
        begun(place, "drift") as run,
        progress(place.screen) as tell,
        listening(place, run, detaches=True) as stop,
    ):
        # A look was a moment ago: none is due again.
        worker = Worker(place.outside, place.reading, run, limits=Limits(drift=False), cancelled=stop.cancelled)

        def one(key: StackKey) -> Settled:
            return worker.settle(key, on_action=lambda of, action: tell(of, words(action)))

        for wave in ordered(place, keys):
            done += side_by_side(wave, one, parallel=at_once(parallel), stop=stop, tell=tell)
        if stop.wanted and stop.detaches:
            leave(place, run)
        interrupted = stop.wanted
    found = {ended.key: row_of(place, ended) for ended in done}
    told = tuple(
        replace(row, answered=_words(place, found[row.key])) if row.key in found else _unanswered(row) for row in rows
    )
    code = EXIT_INTERRUPTED if interrupted else exit_after_apply([row.mark for row in found.values()])
    return Answers(rows=told, exit_code=code, steps=tuple(after_apply(place, list(found.values()), run.number, ())))


def _unanswered(row: Row) -> Row:
    if not row.items:
        return row
    if row.judged.policy.answer is DriftAnswer.REPORT:
        return replace(row, answered="reported: policy answers it in no other way")
    return replace(row, answered="left to the next apply: other files are asked for than those applied")


def _words(place: Place, row: PlanRow) -> str:
    if row.mark is Mark.APPLIED:
        attempt = place.outside.record.row(str(row.key)).state.applied
        return f"repaired in run {attempt.run}" if attempt else "repaired"
    if row.mark is Mark.CHANGES and row.proposal:
        return f"proposed: proposal {row.proposal.number} waits for a yes"
    return row.why or row.mark.value

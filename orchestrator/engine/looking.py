"""Has each tool compare the world with what was applied, and says what is to be told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.contract import Drifts
from orchestrator.engine.judging import judged_of
from orchestrator.engine.side_by_side import Ended, Ground, Stopping, Tell, side_by_side
from orchestrator.engine.work import Worker
from orchestrator.model.observed import Looks
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.rules.judged import Judged
from orchestrator.telling.drift import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look at one stack found."""

    key: StackKey
    judged: Judged
    looks: Looks
    said: Said


def look(
    ground: Ground, run: Run, keys: Sequence[StackKey], *, parallel: int, stop: Stopping, tell: Tell
) -> list[Found]:
    """Look for drift in each stack now, side by side, and return what each look found."""
    worker = Worker(ground.outside, ground.reading, run, cancelled=stop.cancelled)

    def one(key: StackKey) -> Drifts | None:
        tell(key, "looking for drift")
        return worker.check_drift(key)

    return [_found(ground, ended) for ended in side_by_side(keys, one, parallel=parallel, stop=stop, tell=tell)]


def _found(ground: Ground, ended: Ended[Drifts | None]) -> Found:
    row = ground.outside.record.row(str(ended.key))
    found, error = ended.result, ended.error
    problem, code = (error.message, error.code) if error else ("", "")
    if found is None and not problem:
        problem = row.state.drift_check_error or "the tool could not look"
    if found is not None and found.pending:
        names = ", ".join(change.address for change in found.pending[:3])
        problem, code = f"still to be changed after the apply: {names}", "HF-4020"
    return Found(
        key=ended.key,
        judged=judged_of(ground.outside, ground.reading, ended.key, row),
        looks=row.looks,
        said=Said(blind_spots=found.blind_spots if found else (), problem=problem, code=code),
    )

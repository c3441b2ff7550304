"""Looks for drift where nobody remembers what was applied: what a commit asks for stands in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem, Plan
from orchestrator.cli.place import Place
from orchestrator.cli.progress import progress
from orchestrator.cli.show_drift import Row
from orchestrator.cli.working import begun, listening
from orchestrator.engine.crew import Crew
from orchestrator.engine.side_by_side import at_once, ordered
from orchestrator.model.observed import Drift, Looks
from orchestrator.model.policy import Mode
from orchestrator.model.stack import StackKey
from orchestrator.rules.judged import Judged
from orchestrator.telling.rows import Mark
from orchestrator.telling.rows import Row as PlanRow

#: What a plan would do to bring a resource back -> what happened to it.
_HAPPENED = {ChangeKind.CREATE: ChangeKind.DELETE, ChangeKind.DELETE: ChangeKind.CREATE}


def compare(place: Place, keys: Sequence[StackKey], *, parallel: int) -> tuple[list[Row], bool]:
    """Plan each stack at the commit that is checked out; returns a row for each and whether somebody interrupted.

    An empty plan is the proof that nothing differs. Whether what does differ was ever applied, nobody can say here.
    """
    with begun(place, "drift") as run, progress(place.screen) as tell, listening(place, run) as stop:
        crew = Crew(ground=place, run=run, stop=stop, tell=tell, parallel=at_once(parallel))
        crew.look_up(keys)
        rows = [row for wave in ordered(place, keys) for row in crew.rows(crew.settle(wave, Mode.OBSERVE))]
        interrupted = stop.wanted
    return [_row(place, row) for row in rows], interrupted


def _row(place: Place, row: PlanRow) -> Row:
    if row.mark is Mark.NONE:
        return Row(key=row.key, looks=Looks())
    if row.mark is not Mark.CHANGES or row.plan is None:
        return Row(key=row.key, looks=Looks(), problem=row.why or row.mark.value, code=row.code)
    drift = Drift(items=_items(row.plan), first_seen=place.now, revision=place.reading.revision.id)
    return Row(key=row.key, judged=Judged(drift=drift), looks=Looks())


def _items(plan: Plan) -> tuple[DriftItem, ...]:
    outputs = tuple(
        Change(address=f"output.{name}", kind=ChangeKind.UPDATE) for name in plan.outputs_changing if not plan.changes
    )
    return tuple(DriftItem(change=_happened(one), will_be_reverted=True) for one in (*plan.changes, *outputs))


def _happened(change: Change) -> Change:
    attributes = tuple(_turned(one) for one in change.attributes) if change.kind is ChangeKind.UPDATE else ()
    return replace(change, kind=_HAPPENED.get(change.kind, change.kind), attributes=attributes)


def _turned(one: AttributeChange) -> AttributeChange:
    return replace(one, before=one.after, after=one.before)

"""The agenda's rows: how wishes are merged, and which rows are due. Every agenda keeps these same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, exists, insert, or_, select, update

from orchestrator.effects.holds import Holds
from orchestrator.effects.record_tables import agenda, holds
from orchestrator.ports import Due

#: Somebody works on it. Written so that an index finds the few among ten thousand.
TAKEN: Final = agenda.c.taken_by > ""
#: So many rows are read where one is wanted.
_FEW: Final = 8
#: The most urgent first, and of those what has been due the longest.
_URGENT: Final = (agenda.c.priority, agenda.c.at, agenda.c.stack, agenda.c.track)


class Wish(NamedTuple):
    """What a wish made of its row."""

    before: RowMapping | None
    after: Due
    #: Whether somebody works on it: what is wished for is another look.
    taken: bool


def due(now: float) -> ColumnElement[bool]:
    """Return what rows fulfil that are due; one whose taker died is due whatever its date."""
    return or_(agenda.c.at <= now, TAKEN)


def urgent(*conditions: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """Select the rows that fulfil every condition, the most urgent first."""
    return select(agenda).where(*conditions).order_by(*_URGENT)


def may_be_due(
    connection: Connection, held: Holds, now: float, admits: Callable[[Due], bool] | None = None, *, most: int = 10_000
) -> bool:
    """Whether there is a row that is due, that nobody holds, and that is admitted. Only looks: no writer waits.

    Of the ``most`` urgent ones: to whom none of those is admitted nothing is, until something comes to rest.
    """
    free = urgent(due(now), ~exists().where(holds.c.stack == agenda.c.stack))
    if any(admits is None or admits(due_of(row)) for row in by_and_by(connection, free, most)):
        return True
    wanted = select(holds).where(holds.c.stack.in_(select(agenda.c.stack).where(due(now))))
    gone = [one["stack"] for one in connection.execute(wanted).mappings() if held.gone(one)]
    if admits is None or not gone:
        return bool(gone)
    left = connection.execute(urgent(due(now), agenda.c.stack.in_(gone))).mappings()
    return any(admits(due_of(row)) for row in left)


def by_and_by(connection: Connection, wanted: Select[tuple[object, ...]], most: int) -> Iterator[RowMapping]:
    """Yield what is selected, ``most`` rows of it: a few at first, for mostly the first one will do."""
    rows = connection.execute(wanted.limit(_FEW)).mappings().all()
    yield from rows
    if len(rows) == _FEW < most:
        yield from connection.execute(wanted.limit(most - _FEW).offset(_FEW)).mappings()


def waiting(connection: Connection) -> Sequence[Due]:
    """Return every row, soonest first; among them those that somebody works on."""
    wanted = select(agenda).order_by(agenda.c.at, agenda.c.priority, agenda.c.stack, agenda.c.track)
    return tuple(due_of(row) for row in connection.execute(wanted).mappings())


def pull_forward(connection: Connection, asked: Due, now: float) -> Wish:
    """Merge a wish into its row, which is made where there is none; under the write lock. Dates only move forward."""
    row = find(connection, asked)
    if row is None:
        connection.execute(insert(agenda).values(**_columns(asked), taken_by="", nudged=False))
        return Wish(None, asked, taken=False)
    if row["taken_by"] and not row["nudged"]:
        # Its present date is being worked off; what is asked for now is another look.
        put(connection, asked, taken_by=row["taken_by"], nudged=True)
        return Wish(row, asked, taken=True)
    merged = earlier(due_of(row), asked, now)
    put(connection, merged, taken_by=row["taken_by"], nudged=row["nudged"])
    return Wish(row, merged, taken=bool(row["taken_by"]))


def take(connection: Connection, row: RowMapping, taker: str) -> Due:
    """Give a row to ``taker``. Whoever had it before and did not give it back has died of it, for all that is known."""
    found = due_of(row)
    found = replace(found, deaths=row["deaths"] + bool(row["taken_by"]))
    connection.execute(
        update(agenda)
        .where(agenda.c.stack == found.stack, agenda.c.track == found.track)
        .values(taken_by=taker, nudged=False, deaths=found.deaths)
    )
    return found


def come_to_rest(connection: Connection, row: RowMapping, asked: Due, now: float) -> None:
    """Give a row back with its next date; a nudge that came meanwhile keeps its earlier one."""
    kept = earlier(due_of(row), asked, now) if row["nudged"] else asked
    put(connection, kept, taken_by="", nudged=False)
    same = agenda.c.stack == kept.stack, agenda.c.track == kept.track
    connection.execute(update(agenda).where(*same).values(deaths=0))


def earlier(kept: Due, asked: Due, now: float) -> Due:
    """Merge two wishes: the earlier date, and of two that are due the greater urgency with its reason."""
    at = min(kept.at, asked.at)
    sooner = asked.at < kept.at
    more_urgent = asked.priority < kept.priority and asked.at <= max(kept.at, now)
    return Due(
        stack=kept.stack,
        track=kept.track,
        at=at,
        why=asked.why if sooner or more_urgent else kept.why,
        priority=asked.priority if more_urgent or (sooner and kept.at > now) else kept.priority,
    )


def find(connection: Connection, asked: Due) -> RowMapping | None:
    """Return the row of a (stack, track), None where there is none."""
    wanted = select(agenda).where(agenda.c.stack == asked.stack, agenda.c.track == asked.track)
    return connection.execute(wanted).mappings().one_or_none()


def put(connection: Connection, at: Due, *, taken_by: str, nudged: bool) -> None:
    """Overwrite the row of a (stack, track)."""
    connection.execute(
        update(agenda)
        .where(agenda.c.stack == at.stack, agenda.c.track == at.track)
        .values(at=at.at, why=at.why, priority=at.priority, taken_by=taken_by, nudged=nudged)
    )


def due_of(row: RowMapping) -> Due:
    """Read a row."""
    return Due(stack=row["stack"], track=row["track"], at=row["at"], why=row["why"], priority=row["priority"])


def _columns(of: Due) -> dict[str, str | float | int]:
    return {"stack": of.stack, "track": of.track, "at": of.at, "why": of.why, "priority": of.priority}

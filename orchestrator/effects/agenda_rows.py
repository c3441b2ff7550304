"""The agenda's rows: how wishes are merged, and which rows are due. Every agenda keeps these same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from orchestrator.effects.holds import Holds
from orchestrator.effects.record_tables import agenda, holds
from orchestrator.ports import Due

#: Somebody works on it. Written so that an index finds the few among ten thousand.
TAKEN: Final = agenda.c.taken_by > ""
#: So many rows are read where one is wanted.
_FEW: Final = 8
#: The most urgent first, and of those what has been due the longest.
_URGENT: Final = (agenda.c.priority, agenda.c.at, agenda.c.stack, agenda.c.track)
#: From this many wishes on, all rows are read at once.
_MANY: Final = 20

# Whoever waits asks every second, and every stack that is worked comes by here: each statement is built once, because
# building one costs more than running it.
_DUE: Final = or_(agenda.c.at <= bindparam("now"), TAKEN)
_WITHIN: Final = agenda.c.stack.like(bindparam("within"))
_FREE: Final = select(agenda.c.stack).where(_DUE, _WITHIN, ~exists().where(holds.c.stack == agenda.c.stack)).limit(1)
_BEFORE: Final = (
    select(agenda.c.stack)
    .where(agenda.c.at <= bindparam("since"), agenda.c.priority <= bindparam("urgency"), agenda.c.taken_by == "")
    .where(~exists().where(holds.c.stack == agenda.c.stack))
    .limit(1)
)
_DUE_AND_HELD: Final = select(holds).where(holds.c.stack.in_(select(agenda.c.stack).where(_DUE, _WITHIN)))
_SAME: Final = and_(agenda.c.stack == bindparam("of_stack"), agenda.c.track == bindparam("of_track"))
_FIND: Final = select(agenda).where(_SAME)
_SET: Final = update(agenda).where(_SAME)
_MAKE: Final = insert(agenda)
#: What a wish may alter in its row.
_ALTERED: Final = ("at", "why", "priority", "taken_by", "nudged")
_PUT: Final = _SET.values({name: bindparam(name) for name in _ALTERED})
_DROP: Final = delete(agenda).where(_SAME)
_REST: Final = _SET.values({name: bindparam(name) for name in (*_ALTERED, "deaths")})
_TAKE: Final = _SET.values({name: bindparam(name) for name in ("taken_by", "nudged", "deaths")})


class Wish(NamedTuple):
    """What a wish made of its row."""

    before: Mapping[str, Any] | None
    after: Due
    #: Whether somebody works on it: what is wished for is another look.
    taken: bool


def due(now: float) -> ColumnElement[bool]:
    """Return what rows fulfil that are due; one whose taker died is due whatever its date."""
    return or_(agenda.c.at <= now, TAKEN)


def urgent(*conditions: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """Select the rows that fulfil every condition, the most urgent first."""
    return select(agenda).where(*conditions).order_by(*_URGENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which rows are looked for."""

    now: float
    #: Asked of each row, the most urgent first; None admits all of them.
    admits: Callable[[Due], bool] | None = None
    #: What the names of their stacks begin with.
    within: str = ""
    #: So many of the most urgent ones: to whom none of those is admitted nothing is, until something comes to rest.
    most: int = 10_000


def may_be_due(connection: Connection, held: Holds, sought: Sought) -> bool:
    """Whether there is a row that is due, that nobody holds, and that is sought. Only looks: no writer waits."""
    admits, at = sought.admits, {"now": sought.now, "within": f"{sought.within}%"}
    # Where nothing is, as almost always, nothing is put in order: that would read every row there is, each second.
    if connection.execute(_FREE, at).first() is not None:
        here = agenda.c.stack.startswith(sought.within)
        free = urgent(due(sought.now), here, ~exists().where(holds.c.stack == agenda.c.stack))
        if admits is None or any(admits(due_of(row)) for row in by_and_by(connection, free, sought.most)):
            return True
    gone = [one["stack"] for one in connection.execute(_DUE_AND_HELD, at).mappings() if held.gone(one)]
    if admits is None or not gone:
        return bool(gone)
    left = connection.execute(urgent(due(sought.now), agenda.c.stack.in_(gone))).mappings()
    return any(admits(due_of(row)) for row in left)


def others_wait(connection: Connection, due: Due) -> bool:
    """Whether another row, as urgent and due as long as this one or more, is one that nobody works on."""
    return connection.execute(_BEFORE, {"since": due.at, "urgency": due.priority}).first() is not None


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


def pull_forward(connection: Connection, wishes: Sequence[Due], now: float) -> Sequence[Wish]:
    """Merge wishes into their rows, which are made where there are none; under the write lock.

    Dates only move forward, and a row that a wish alters nothing in is not written.
    """
    known = _known(connection, wishes)
    made: dict[tuple[str, str], dict[str, Any]] = {}
    altered: dict[tuple[str, str], dict[str, Any]] = {}
    found = []
    for asked in wishes:
        name = (asked.stack, asked.track)
        before = known.get(name)
        wish, after = _merged(before, asked, now)
        found.append(wish)
        if before is None or name in made:
            made[name] = after
        elif any(before[one] != after[one] for one in _ALTERED):
            altered[name] = after
        known[name] = after
    if made:
        connection.execute(_MAKE, list(made.values()))
    if altered:
        connection.execute(_PUT, [_bound(after, _ALTERED) for after in altered.values()])
    return found


def _known(connection: Connection, wishes: Sequence[Due]) -> dict[tuple[str, str], Mapping[str, Any]]:
    if len(wishes) > _MANY:
        rows: Iterable[RowMapping | None] = connection.execute(select(agenda)).mappings()
    else:
        rows = (find(connection, asked) for asked in wishes)
    return {(row["stack"], row["track"]): {**row} for row in rows if row is not None}


def _merged(before: Mapping[str, Any] | None, asked: Due, now: float) -> tuple[Wish, dict[str, Any]]:
    """Return what a wish makes of its row, and the row as it is then."""
    if before is None:
        return Wish(None, asked, taken=False), {**_columns(asked), "taken_by": "", "nudged": False}
    if before["taken_by"] and not before["nudged"]:
        # Its present date is being worked off; what is asked for now is another look.
        return Wish(before, asked, taken=True), {**before, **_columns(asked), "nudged": True}
    merged = earlier(due_of(before), asked, now)
    return Wish(before, merged, taken=bool(before["taken_by"])), {**before, **_columns(merged)}


def take(connection: Connection, row: RowMapping, taker: str) -> Due:
    """Give a row to ``taker``. Whoever had it before and did not give it back has died of it, for all that is known."""
    found = due_of(row)
    found = replace(found, deaths=row["deaths"] + bool(row["taken_by"]))
    given = {"taken_by": taker, "nudged": False, "deaths": found.deaths}
    connection.execute(_TAKE, {"of_stack": found.stack, "of_track": found.track, **given})
    return found


def come_to_rest(connection: Connection, row: RowMapping, asked: Due, now: float) -> None:
    """Give a row back with its next date; a nudge that came meanwhile keeps its earlier one.

    One that is due never again goes: a nudge makes it anew, and pull requests would leave one for each of their stacks.
    """
    kept = earlier(due_of(row), asked, now) if row["nudged"] else asked
    if kept.at == float("inf"):
        connection.execute(_DROP, {"of_stack": kept.stack, "of_track": kept.track})
        return
    after = {**_columns(kept), "taken_by": "", "nudged": False, "deaths": 0}
    connection.execute(_REST, _bound(after, (*_ALTERED, "deaths")))


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
    same = {"of_stack": asked.stack, "of_track": asked.track}
    return connection.execute(_FIND, same).mappings().one_or_none()


def due_of(row: RowMapping | Mapping[str, Any]) -> Due:
    """Read a row."""
    return Due(stack=row["stack"], track=row["track"], at=row["at"], why=row["why"], priority=row["priority"])


def _columns(of: Due) -> dict[str, str | float | int]:
    return {"stack": of.stack, "track": of.track, "at": of.at, "why": of.why, "priority": of.priority}


def _bound(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return what a statement needs that writes ``names`` of one row."""
    return {"of_stack": row["stack"], "of_track": row["track"], **{name: row[name] for name in names}}

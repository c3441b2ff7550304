"""The record: what happened, appended; what is true, folded from it.

One transaction checks the stack's version and the gates', appends, chains and folds. Whoever is late
gets a Conflict and looks again; nobody gets an answer before the entries are stored. Sequence numbers
are given under the write lock, so they become visible in order: a reader with a cursor misses none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, func, insert, select, update

from adapters.contract import Json
from orchestrator.effects.database import Database, new_nonce
from orchestrator.effects.record_chain import (
    Link,
    chain_head,
    first_broken,
    is_stored,
    link,
    lock_head,
    proof_of,
    prune,
    set_mark,
)
from orchestrator.effects.record_fold import event_of, fold_rows, ground_of, snapshot_of, text_of
from orchestrator.effects.record_tables import DOOR, GATES, cache, events, gates, runs, stacks
from orchestrator.errors import Conflict, UsageError
from orchestrator.model.codec import decode
from orchestrator.model.event import Event, GateLifted, GateSet
from orchestrator.model.fold import fold
from orchestrator.model.gate import Gate
from orchestrator.model.observed import FOLD_VERSION, Looks, State
from orchestrator.ports import Clock, Entry, Row, Run

#: What every look at a stack asks: built once, because building one costs as much as running it.
_ROW: Final = select(stacks).where(stacks.c.key == bindparam("key"))
_VERSION: Final = select(stacks.c.version).where(stacks.c.key == bindparam("key"))
_LOOK: Final = update(stacks).where(stacks.c.key == bindparam("of")).values(looks=bindparam("looks"))
_RUNS: Final = select(*(runs.c[one.name] for one in fields(Run)))
#: What happens outside of every run bears the number 0.
_LAST_RUN: Final = (
    select(events.c.run)
    .where(events.c.stack == bindparam("stack"), events.c.run > 0)
    .order_by(events.c.version.desc())
    .limit(1)
)
_RUN_NONCE: Final = select(runs.c.nonce).where(runs.c.number == bindparam("number"))
_GATE_NONCE: Final = select(gates.c.nonce).where(gates.c.id == bindparam("id"))
_GATES: Final = select(gates.c.body).where(gates.c.lifted_at.is_(None)).order_by(gates.c.id)
_REMEMBERED: Final = select(cache.c.value).where(cache.c.topic == bindparam("topic"), cache.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRecord:
    """`ports.Record` in SQLite or PostgreSQL. Safe to share between threads."""

    database: Database
    clock: Clock
    #: Who appends: ``user:ana``, ``service``. On every entry and run.
    actor: str

    def row(self, stack: str) -> Row:
        """Return the stack's row; a stack never seen has an empty state."""
        with self.database.reading() as connection:
            found = connection.execute(_ROW, {"key": stack}).mappings().one_or_none()
            return _row(connection, found) if found else Row(key=stack, state=State(), looks=Looks())

    def rows(self, source: str | None = None) -> Sequence[Row]:
        """Return every row (of one source), sorted by key."""
        wanted = select(stacks).where(stacks.c.key.not_in([GATES, DOOR])).order_by(stacks.c.key)
        if source is not None:
            wanted = wanted.where(stacks.c.source == source)
        with self.database.reading() as connection:
            found = connection.execute(wanted).mappings().all()
            stale = [one["key"] for one in found if one["fold_version"] < FOLD_VERSION]
            answer = tuple(_row(connection, one) for one in found)
        if stale:
            self.database.write(lambda connection: _refold(connection, stale))
        return answer

    def versions(self, source: str) -> Mapping[str, int]:
        """Return the version of each row of a source by key, without reading what it holds."""
        wanted = select(stacks.c.key, stacks.c.version).where(stacks.c.source == source)
        with self.database.reading() as connection:
            return {key: version for key, version in connection.execute(wanted)}  # noqa: C416 -- rows, not pairs

    def append(
        self,
        stack: str,
        events: Sequence[Event],
        *,
        expected: int,
        run: int,
        gates: int | None = None,
        looks: Looks | None = None,
    ) -> State:
        """Append in one transaction and return the new state; ``looks`` is kept with it, where it is given.

        Raises Conflict (HF-4200) where the stack's version is not ``expected``, Conflict (HF-4202) where ``gates`` is
        given and the gates' version has moved, RecordError (HF-43xx) where the entries could not be stored.
        """
        stored: list[tuple[Link, State]] = []

        def work(connection: Connection) -> State:
            head = lock_head(connection)
            if stored and is_stored(connection, stored[-1][0]):
                # The connection was lost in the middle of the commit, and the commit had gone through.
                return stored[-1][1]
            before = _state(connection, stack)
            if before.version != expected:
                raise _moved(connection, stack, before.version, expected)
            if gates is not None and (now := _version(connection, GATES)) != gates:
                raise Conflict(f"a gate was closed or lifted meanwhile (gates {now}, not {gates})", code="HF-4202")
            stored.append(self._append(connection, head, _Stream(key=stack, state=before, run=run), events))
            if looks is not None:
                _look(connection, stack, looks)
            return stored[-1][1]

        return self.database.write(work)

    def look(self, stack: str, looks: Looks) -> None:
        """Keep when somebody last looked; appends nothing. A loss of power may forget it: then one looks again."""

        def work(connection: Connection) -> None:
            lock_head(connection)
            _look(connection, stack, looks)

        self.database.write(work, durable=False)

    def open_run(self, *, trigger: str, verb: str, actor: str, revision: str) -> Run:
        """Begin a run and return it with its number."""
        nonce, made = new_nonce(), list[Run]()

        def work(connection: Connection) -> Run:
            lock_head(connection)
            if made and connection.execute(_RUN_NONCE, {"number": made[-1].number}).scalar() == nonce:
                # As in `append`: the commit had gone through when its connection was lost.
                return made[-1]
            last = connection.execute(select(func.max(runs.c.number))).scalar() or 0
            run = Run(number=last + 1, trigger=trigger, verb=verb, actor=actor, revision=revision, at=self.clock.now())
            connection.execute(insert(runs).values(**asdict(run), nonce=nonce))
            made.append(run)
            return run

        return self.database.write(work)

    def close_run(self, number: int) -> None:
        """Mark a run as ended; one that has ended keeps its time."""
        ended = update(runs).where(runs.c.number == number, runs.c.ended_at.is_(None)).values(ended_at=self.clock.now())
        self.database.write(lambda connection: connection.execute(ended))

    def runs(self, *, limit: int = 50, before: int | None = None) -> Sequence[Run]:
        """Return the newest runs (of those before number ``before``), newest first."""
        wanted = _RUNS if before is None else _RUNS.where(runs.c.number < before)
        with self.database.reading() as connection:
            found = connection.execute(wanted.order_by(runs.c.number.desc()).limit(limit)).mappings()
            return tuple(Run(**one) for one in found)

    def run(self, number: int) -> Run | None:
        """Return one run, None where there is none of that number."""
        with self.database.reading() as connection:
            found = connection.execute(_RUNS.where(runs.c.number == number)).mappings().one_or_none()
            return Run(**found) if found else None

    def events(
        self, *, stack: str | None = None, run: int | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[Entry]:
        """Return entries in order, those after sequence number ``after``."""
        wanted = select(events).where(events.c.seq > after).limit(limit)
        if run is not None:
            wanted = wanted.where(events.c.run == run)
        if stack is not None:
            wanted = wanted.where(events.c.stack == stack)
        wanted = _by_version(wanted, stack, after) if stack and run is None else wanted.order_by(events.c.seq)
        with self.database.reading() as connection:
            return tuple(_entry(one) for one in connection.execute(wanted).mappings())

    def last_run(self, stack: str) -> int:
        """Return the run in which something happened to a stack last, 0 where nothing ever did in a run."""
        with self.database.reading() as connection:
            return connection.execute(_LAST_RUN, {"stack": stack}).scalar() or 0

    def gates(self) -> tuple[int, tuple[Gate, ...]]:
        """Return the gates' version and each gate that is not lifted."""
        with self.database.reading() as connection:
            found = connection.execute(_GATES).scalars().all()
            return _version(connection, GATES), tuple(decode(Gate, json.loads(body)) for body in found)

    def set_gate(self, gate: Gate, *, run: int) -> Gate:
        """Close a gate, bump the gates' version, record it; returns it with its id.

        From the moment this returns no apply that was decided on older gates can be recorded, so none starts.
        """
        nonce, made = new_nonce(), list[Gate]()

        def work(connection: Connection) -> Gate:
            head = lock_head(connection)
            if made and connection.execute(_GATE_NONCE, {"id": made[-1].id}).scalar() == nonce:
                # As in `append`: the commit had gone through when its connection was lost.
                return made[-1]
            last = connection.execute(select(func.max(gates.c.id))).scalar() or 0
            closed = replace(gate, id=last + 1, since=gate.since or self.clock.now(), who=gate.who or self.actor)
            connection.execute(insert(gates).values(id=closed.id, body=text_of(closed), nonce=nonce))
            self._append(connection, head, _gates_stream(connection, run), [GateSet(gate=closed)])
            made.append(closed)
            return closed

        return self.database.write(work)

    def lift_gate(self, gate: int, *, by: str, reason: str, run: int) -> None:
        """Lift a gate. Lifting one that is lifted changes nothing. Raises UsageError where there never was one."""

        def work(connection: Connection) -> None:
            head = lock_head(connection)
            found = connection.execute(select(gates.c.lifted_at).where(gates.c.id == gate)).one_or_none()
            if found is None:
                raise UsageError(f"there is no gate {gate}", hint="holdfast status lists the gates")
            if found.lifted_at is not None:
                return
            connection.execute(update(gates).where(gates.c.id == gate).values(lifted_at=self.clock.now()))
            lifted = GateLifted(gate=gate, by=by, reason=reason)
            self._append(connection, head, _gates_stream(connection, run), [lifted])

        self.database.write(work)

    def note(self, event: Event) -> None:
        """Append what happened at the door and is no stack's: it fences nothing. Raises RecordError, Conflict."""
        self.database.write(lambda connection: self.note_within(connection, event))

    def note_within(self, connection: Connection, event: Event) -> None:
        """Do that in somebody's own transaction: what it tells of is stored with it, or not at all."""
        head = lock_head(connection)
        self._append(connection, head, _Stream(key=DOOR, state=_state(connection, DOOR), run=0), [event])

    def verify(self) -> int | None:
        """Return the first sequence number whose chain does not hold, None where all hold."""
        with self.database.reading() as connection:
            return first_broken(connection)

    def head(self) -> Link:
        """Return number and digest of the last entry, zero and empty where nothing was recorded."""
        with self.database.reading() as connection:
            return chain_head(connection)

    def proves(self, at: Link) -> bool | None:
        """Whether the entry ``at`` is in the record as it was; None where it was pruned and nobody can say."""
        with self.database.reading() as connection:
            return proof_of(connection, at)

    def prune(self, before: float) -> int:
        """Forget the entries older than ``before`` (seconds since the epoch), keeping what they folded to."""
        return self.database.write(lambda connection: prune(connection, before))

    def key(self) -> bytes:
        """Return the record's own key for fingerprints (32 bytes, made with the record)."""
        return self.database.key

    def remembered(self, topic: str, key: str) -> Json:
        """Return a cached derivation, None where there is none. The cache may vanish at any time."""
        with self.database.reading() as connection:
            found = connection.execute(_REMEMBERED, {"topic": topic, "key": key}).scalar()
        answer: Json = json.loads(found) if found else None
        return answer

    def recollect(self, topic: str) -> Mapping[str, Json]:
        """Return every cached derivation of a topic, by key."""
        wanted = select(cache.c.key, cache.c.value).where(cache.c.topic == topic)
        with self.database.reading() as connection:
            return {key: json.loads(value) for key, value in connection.execute(wanted)}

    def remember(self, topic: str, values: Mapping[str, Json]) -> None:
        """Cache derivations that can always be made again, by key, in one transaction; None is forgotten."""
        kept = {key: value for key, value in values.items() if value is not None}
        rows = [{"topic": topic, "key": key, "value": json.dumps(value)} for key, value in kept.items()]
        gone = delete(cache).where(cache.c.topic == bindparam("of"), cache.c.key == bindparam("at"))

        def work(connection: Connection) -> None:
            lock_head(connection)
            connection.execute(gone, [{"of": topic, "at": key} for key in values])
            if rows:
                connection.execute(insert(cache), rows)

        if values:
            self.database.write(work, durable=False)

    def _append(
        self, connection: Connection, head: Link, stream: _Stream, happened: Sequence[Event]
    ) -> tuple[Link, State]:
        """Append under the write lock; return the chain's new end and the stream's new state."""
        state, at = stream.state, self.clock.now()
        for one in happened:
            state = fold(state, one, at)
            entry: dict[str, Json] = {
                "seq": head.seq + 1,
                "stack": stream.key,
                "version": state.version,
                "run": stream.run,
                "at": at,
                "actor": self.actor,
                "kind": one.kind,
                "body": text_of(one),
            }
            head = Link(head.seq + 1, link(head.digest, entry))
            connection.execute(insert(events).values(**entry, chain=head.digest))
        if happened:
            _store(connection, stream.key, state)
            set_mark(connection, "chain", head)
        return head, state


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """A stack's stream as found, and the run that appends to it."""

    key: str
    state: State
    run: int


def _gates_stream(connection: Connection, run: int) -> _Stream:
    return _Stream(key=GATES, state=_state(connection, GATES), run=run)


def _row(connection: Connection, found: RowMapping) -> Row:
    return Row(key=found["key"], state=_state_of(connection, found), looks=decode(Looks, json.loads(found["looks"])))


def _state(connection: Connection, stack: str) -> State:
    found = connection.execute(select(stacks).where(stacks.c.key == stack)).mappings().one_or_none()
    return _state_of(connection, found) if found else State()


def _state_of(connection: Connection, found: RowMapping) -> State:
    """Read the snapshot; fold the entries where another fold made it, or where it cannot be read."""
    state = snapshot_of(found["state"]) if found["fold_version"] == FOLD_VERSION else None
    return state or fold_rows(connection, found["key"], ground_of(connection, found["key"]))


def _refold(connection: Connection, keys: Sequence[str]) -> None:
    lock_head(connection)
    for key in keys:
        _store(connection, key, _state(connection, key))


def _store(connection: Connection, stack: str, state: State) -> None:
    snapshot = {"version": state.version, "fold_version": FOLD_VERSION, "state": text_of(state)}
    if not connection.execute(update(stacks).where(stacks.c.key == stack).values(**snapshot)).rowcount:
        _insert_row(connection, stack, state, Looks())


def _look(connection: Connection, stack: str, looks: Looks) -> None:
    found = connection.execute(_LOOK, {"of": stack, "looks": text_of(looks)})
    if not found.rowcount:
        _insert_row(connection, stack, State(), looks)


def _insert_row(connection: Connection, stack: str, state: State, looks: Looks) -> None:
    connection.execute(
        insert(stacks).values(
            key=stack,
            source=stack.partition("/")[0],
            version=state.version,
            fold_version=FOLD_VERSION,
            state=text_of(state),
            ground="",
            looks=text_of(looks),
        )
    )


def _version(connection: Connection, stack: str) -> int:
    return connection.execute(_VERSION, {"key": stack}).scalar() or 0


def _moved(connection: Connection, stack: str, now: int, expected: int) -> Conflict:
    last = connection.execute(
        select(events.c.kind, events.c.actor).where(events.c.stack == stack, events.c.version == now)
    ).one_or_none()
    who = f" ({last.kind} by {last.actor})" if last else ""
    return Conflict(f"{stack} moved on: its record is at version {now}{who}, not {expected}")


def _by_version(wanted: Select[tuple[object, ...]], stack: str, after: int) -> Select[tuple[object, ...]]:
    """Order a stack's entries by what the index of its versions has in order: a page of a long history needs no sort.

    Versions and sequence numbers of one stack grow together. Whoever turns pages names the last entry of the one
    before, whose version says where to begin; for another ``after`` that is looked for from the newest entry back.
    """
    here = select(events.c.version).where(events.c.stack == stack)
    named = here.where(events.c.seq == after).scalar_subquery()
    before = here.where(events.c.seq <= after).order_by(events.c.version.desc()).limit(1).scalar_subquery()
    start = func.coalesce(named, before, 0) if after else 0
    return wanted.where(events.c.version > start).order_by(events.c.version)


def _entry(found: RowMapping) -> Entry:
    return Entry(
        seq=found["seq"],
        stack=found["stack"],
        version=found["version"],
        run=found["run"],
        at=found["at"],
        actor=found["actor"],
        event=event_of(found["seq"], found["body"]),
        chain=found["chain"],
    )

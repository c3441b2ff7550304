"""Records as years of work leave them, made in minutes: entries, chain and rows as `Record.append` makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert

from adapters.contract import Json
from orchestrator.effects.database import Database
from orchestrator.effects.record_chain import Link, link, lock_head, set_mark
from orchestrator.effects.record_fold import text_of
from orchestrator.effects.record_tables import events, stacks
from orchestrator.model.event import Event
from orchestrator.model.fold import fold
from orchestrator.model.observed import FOLD_VERSION, Looks, State

#: So many entries are stored at a time.
_AT_ONCE = 5000
ACTOR = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened to one stack; ``at`` is seconds since the epoch."""

    stack: str
    event: Event
    at: float
    run: int = 0


@dataclass(slots=True)
class _Seed:
    connection: Connection
    head: Link
    states: dict[str, State] = field(default_factory=dict)
    waiting: list[dict[str, Json]] = field(default_factory=list)

    def append(self, one: Happened) -> None:
        state = fold(self.states.get(one.stack, State()), one.event, one.at)
        self.states[one.stack] = state
        entry: dict[str, Json] = {
            "seq": self.head.seq + 1,
            "stack": one.stack,
            "version": state.version,
            "run": one.run,
            "at": one.at,
            "actor": ACTOR,
            "kind": one.event.kind,
            "body": text_of(one.event),
        }
        self.head = Link(self.head.seq + 1, link(self.head.digest, entry))
        self.waiting.append({**entry, "chain": self.head.digest})
        if len(self.waiting) >= _AT_ONCE:
            self.store()

    def store(self) -> None:
        if self.waiting:
            self.connection.execute(insert(events), self.waiting)
            self.waiting = []

    def end(self, looks: Mapping[str, Looks]) -> None:
        self.store()
        rows = [
            {
                "key": key,
                "source": key.partition("/")[0],
                "version": state.version,
                "fold_version": FOLD_VERSION,
                "state": text_of(state),
                "ground": "",
                "looks": text_of(looks.get(key, Looks())),
            }
            for key, state in self.states.items()
        ]
        self.connection.execute(insert(stacks), rows)
        set_mark(self.connection, "chain", self.head)


def seed(database: Database, happened: Iterable[Happened], looks: Mapping[str, Looks] | None = None) -> int:
    """Append all of it in one transaction to stacks that have no row yet; return the number of the last entry."""

    def work(connection: Connection) -> int:
        made = _Seed(connection, lock_head(connection))
        for one in happened:
            made.append(one)
        made.end(looks or {})
        return made.head.seq

    return database.write(work)

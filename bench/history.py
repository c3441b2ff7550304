"""P9: the record after a million entries: what a page needs of it, beside a record with a hundredth of them."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import insert

from adapters.contract import Goal
from bench.measure import Figure
from bench.rest import TOOL
from bench.seeding import ACTOR, Happened, seed
from orchestrator.effects.clock import clock_of
from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.record_tables import runs
from orchestrator.model.event import Converged, DriftCheckFailed, Verified
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Applied, Counts
from orchestrator.model.stack import MAIN

STACKS = 1000
#: A quarter of all that happens, happens to this one.
BUSY = "infra/busy@default"
#: So many entries to a run.
_A_RUN = 10
_PAGE = 50
_ROUNDS = 15


def p9(folder: Path, count: int = 1_000_000) -> list[Figure]:
    """Pages of a record of ``count`` entries in SQLite; at most 0.1 s each, and as long as with a hundredth."""
    folder.mkdir(parents=True)
    return pages(f"sqlite:///{folder}/small.db", f"sqlite:///{folder}/large.db", count)


def pages(small: str, large: str, count: int) -> list[Figure]:
    """Fill two empty databases, and time the same pages of both in turns."""
    with closing(open_database(small)) as few, closing(open_database(large)) as many:
        begun = time.perf_counter()
        for database, entries in ((few, count // 100), (many, count)):
            _fill(database, entries)
        print(f"{count} entries made in {time.perf_counter() - begun:.0f} s", flush=True)
        sides = [_pages(database, entries) for database, entries in ((few, count // 100), (many, count))]
        figures = []
        for name in sides[0]:
            taken: tuple[list[float], list[float]] = ([], [])
            for _ in range(_ROUNDS):
                for side, times in zip(sides, taken, strict=True):
                    times.append(_timed(side[name]))
            less, more = map(statistics.median, taken)
            figures.append(
                Figure(
                    id="P9",
                    work=f"{name}, {count} entries, {many.engine.dialect.name}",
                    ours=more,
                    target=0.1,
                    note=f"with {count // 100} entries {less:.4f} s",
                    low=min(taken[1]),
                    high=max(taken[1]),
                )
            )
        return figures


def _pages(database: Database, count: int) -> dict[str, Callable[[], object]]:
    record = SqlRecord(database=database, clock=clock_of(database), actor=ACTOR)
    last = count - _PAGE
    versions = record.row(BUSY).state.version
    assert versions >= count // 4, versions
    return {
        "a stack's row": lambda: record.row(BUSY),
        "every row of a source": lambda: record.rows("infra"),
        "the first page of a stack's history": lambda: _full(record.events(stack=BUSY, limit=_PAGE)),
        "a stack's latest entries": lambda: record.events(stack=BUSY, after=last, limit=_PAGE),
        "the latest entries": lambda: _full(record.events(after=last, limit=_PAGE)),
        "the latest runs": lambda: _full(record.runs(limit=_PAGE)),
        "a run's entries": lambda: record.events(run=count // _A_RUN - 1),
        "an append": lambda: record.append(BUSY, [Verified(attempt=0)], expected=record.row(BUSY).state.version, run=0),
    }


def _full(page: object) -> None:
    assert len(page) == _PAGE  # type: ignore[arg-type]


def _timed(page: Callable[[], object]) -> float:
    begun = time.perf_counter()
    page()
    return time.perf_counter() - begun


def _fill(database: Database, count: int) -> None:
    made = [
        {
            "number": number,
            "trigger": "service",
            "verb": "reconcile",
            "actor": ACTOR,
            "revision": "",
            "at": float(number),
            "ended_at": float(number),
            "nonce": "",
        }
        for number in range(1, count // _A_RUN + 1)
    ]
    database.write(lambda connection: connection.execute(insert(runs), made))
    seed(database, _years(count))


def _years(count: int) -> Iterator[Happened]:
    """Yield what happens where stacks are applied, verified, and now and then cannot be looked at."""
    parts = Parts(tree="0" * 40, outside={}, settings="0" * 64, tool="", upstream={}, secrets={})
    for number in range(count):
        stack = BUSY if number % 4 == 0 else f"infra/s{number % STACKS:04}@default"
        revision = f"{number:040x}"
        applied = Applied(
            attempt=0,
            run=0,
            goal=Goal.CONVERGE,
            revision=revision,
            fingerprint=revision,
            parts=parts,
            inputs="",
            tool=TOOL,
            counts=Counts(),
            at=float(number),
        )
        turn = (
            Converged(track=MAIN, applied=applied),
            Verified(attempt=0),
            DriftCheckFailed(code="HF-2004", message="the provider does not answer"),
        )[number // 4 % 3]
        yield Happened(stack=stack, event=turn, at=float(number), run=number // _A_RUN + 1)


if __name__ == "__main__":
    for found in pages(sys.argv[1], sys.argv[2], int(sys.argv[3])):
        print(found)

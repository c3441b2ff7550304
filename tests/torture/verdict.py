"""What the ledger and the record say afterwards, each of the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from estate import SOURCE, Estate
from sqlalchemy import select

from orchestrator.effects.clock import DatabaseClock
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.record_tables import agenda
from orchestrator.model.event import ApplyEnded, ApplyStarted, Outcome
from orchestrator.model.observed import Applying
from orchestrator.ports import Entry

#: Why a row is due that somebody asked for; a look gives it another reason.
ASKED = "somebody asked"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the ledger."""

    act: str
    stack: str
    pid: int
    at: float
    #: Folder of the attempt that it belongs to.
    attempt: str
    about: str


@dataclass(kw_only=True)
class Verdict:
    """What was found. Everything but the counts must be empty."""

    #: Stacks of which two tools were alive at once: one locked the other out, or the lines cross.
    overlaps: list[str] = field(default_factory=list)
    #: Stacks of which something was made twice.
    duplicates: list[str] = field(default_factory=list)
    #: Effects that no attempt of the record accounts for.
    unaccounted: list[str] = field(default_factory=list)
    #: Stacks that are not as the last commit asks for, though nothing keeps them from it.
    lost: list[str] = field(default_factory=list)
    #: Stacks that did not come to rest by themselves though no host was lost with their attempt.
    restless: dict[str, str] = field(default_factory=dict)
    #: Attempts that ended unknown though their host was not lost.
    unknown: list[str] = field(default_factory=list)
    #: Whether the record's chain fails to verify.
    broken: list[str] = field(default_factory=list)
    #: How often what happened.
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> dict[str, object]:
        """All that should not be."""
        found = {name: value for name, value in vars(self).items() if name != "counts"}
        return {name: value for name, value in found.items() if value}


def ledger(estate: Estate) -> list[Line]:
    path = estate.cloud / "ledger"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [
        Line(act=act, stack=stack.split(".")[1], pid=int(pid), at=float(at), attempt=attempt, about=about)
        for act, stack, pid, at, attempt, about in lines
    ]


def contents(estate: Estate) -> Mapping[str, list[str]]:
    """Return the content of each object, by stack."""
    found = defaultdict(list)
    for folder in (estate.cloud / "objects").iterdir():
        for one in sorted(folder.glob("[!.]*")):
            found[folder.name.split(".")[1]].append(one.read_text().strip())
    return found


@contextmanager
def record(estate: Estate) -> Iterator[SqlRecord]:
    """Open the record as any reader would."""
    database = open_database(estate.server.url)
    try:
        yield SqlRecord(database=database, clock=DatabaseClock(database), actor="test")
    finally:
        database.close()


def restless(estate: Estate, kept: SqlRecord, *, at_work: bool = True) -> dict[str, str]:
    """Return the stacks that are not at rest as the last commit asks for, each with what is wrong with it.

    While workers are ``at_work`` one that is due is none.
    """
    now = kept.clock.now()
    with kept.database.reading() as connection:
        rows = {row["stack"]: row for row in connection.execute(select(agenda)).mappings()}
    states = {row.key: row.state for row in kept.rows(SOURCE)}
    there = contents(estate)
    found = {}
    for name in estate.names:
        key = f"{SOURCE}/{name}@default"
        state, row = states.get(key), rows.get(key)
        if state and state.applying:
            found[name] = f"attempt {state.applying.number} has no end"
        elif state and state.unknown:
            found[name] = f"attempt {state.unknown.attempt.number} is unknown: {state.unknown.why}"
        elif set(there.get(name, [])) != {estate.wanted[name]}:
            found[name] = f"{there.get(name)} is there, {estate.wanted[name]} is wanted"
        elif row is None or row["taken_by"] or (at_work and row["at"] <= now):
            found[name] = f"its row is {dict(row) if row else None}"
        if name in found and row is not None:
            found[name] += f"; next look in {row['at'] - now:.0f} s: {row['why']}"
    for key in estate.acknowledged:
        row = rows.get(key)
        if row is None or row["why"] == ASKED:
            found[key] = "an acknowledged request was not seen to"
    return found


def frozen(estate: Estate, kept: SqlRecord) -> set[str]:
    """Return the stacks whose attempt ran on a host that was lost: a person has to see to them."""
    found = set()
    for row in kept.rows(SOURCE):
        attempt = row.state.applying or (row.state.unknown.attempt if row.state.unknown else None)
        if attempt and _name(attempt) in estate.lost:
            found.add(row.key.split("/")[1].partition("@")[0])
    return found


def judge(estate: Estate) -> Verdict:
    """Compare ledger and record once all is quiet."""
    verdict, lines = judged(estate), ledger(estate)
    with record(estate) as kept:
        stuck = frozen(estate, kept)
        verdict.restless = {
            name: why for name, why in restless(estate, kept, at_work=False).items() if name not in stuck
        }
        verdict.lost = sorted(
            name for name, why in verdict.restless.items() if "is wanted" in why or "acknowledged" in why
        )
        entries = list(_entries(kept))
        attempts = {entry.event.attempt.folder: entry.event.attempt for entry in entries if _starts(entry)}  # type: ignore[union-attr]
        verdict.unaccounted = sorted({f"{one.stack} {one.attempt}" for one in lines if one.attempt not in attempts})
        verdict.unknown = sorted(_unknown(estate, entries))
        broken = kept.verify()
        verdict.broken = [] if broken is None else [f"entry {broken}"]
    ended = Counter(entry.event.outcome.value for entry in entries if isinstance(entry.event, ApplyEnded))
    adopted = sum(isinstance(entry.event, ApplyEnded) and entry.event.adopted for entry in entries)
    verdict.counts = {
        "effects": sum(one.act in {"create", "update"} for one in lines),
        "attempts": len(attempts),
        "acknowledged": len(estate.acknowledged),
        "adopted": adopted,
        **dict(sorted(ended.items())),
        "frozen by a lost host": len(stuck),
        "entries": len(entries),
    }
    return verdict


def judged(estate: Estate) -> Verdict:
    """Say what the ledger alone tells."""
    verdict, lines = Verdict(), ledger(estate)
    made = Counter(one.stack for one in lines if one.act == "create")
    there = contents(estate)
    verdict.duplicates = sorted(name for name in estate.names if made[name] > 1 or len(there.get(name, [])) > 1)
    overlapping = {one.stack for one in lines if one.act == "overlap"}
    open_: dict[str, int] = {}
    for one in lines:
        if one.act == "begin":
            open_[one.stack] = one.pid
        elif one.act == "end" and open_.pop(one.stack, one.pid) != one.pid:
            overlapping.add(one.stack)
    verdict.overlaps = sorted(overlapping)
    return verdict


def _entries(kept: SqlRecord) -> Iterator[Entry]:
    after = 0
    while some := kept.events(after=after, limit=1000):
        yield from some
        after = some[-1].seq


def _starts(entry: Entry) -> bool:
    return isinstance(entry.event, ApplyStarted)


def _unknown(estate: Estate, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the attempts of unknown end whose host was not lost."""
    begun: dict[tuple[str, int], Applying] = {}
    for entry in entries:
        match entry.event:
            case ApplyStarted(attempt=attempt):
                begun[entry.stack, attempt.number] = attempt
            case ApplyEnded(attempt=number, outcome=Outcome.UNKNOWN, message=message):
                attempt = begun[entry.stack, number]
                if _name(attempt) not in estate.lost:
                    yield f"{entry.stack} attempt {number} on {_name(attempt)}: {message}"


def _name(attempt: Applying) -> str:
    """Return the name of an attempt's host, without the digest of the machine's id."""
    return attempt.host.partition("+")[0]

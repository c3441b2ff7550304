"""An empty database of each kind, and values to put into it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from adapters.contract import Goal, ToolVersion
from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.model.event import ApplyStarted, Planned
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Applying, Counts, Proposal


@dataclass(slots=True)
class HandClock:
    """A clock that stands still until a test moves it."""

    at: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'home' / 'record.db'}"


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[str]:
    """Address of an empty PostgreSQL database of this test's own."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield postgresql_url.replace("/postgres?", f"/{name}?")
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Address of an empty database, once of each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgresql_database")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def record(database: Database, clock: HandClock) -> SqlRecord:
    return SqlRecord(database=database, clock=clock, actor="user:ana")


@pytest.fixture
def open_record(database_url: str, clock: HandClock) -> Iterator[Callable[..., SqlRecord]]:
    """Open the same record once more, as another process would."""
    opened: list[Database] = []

    def build(actor: str = "user:ben", busy_s: float = 30.0) -> SqlRecord:
        opened.append(open_database(database_url, busy_s=busy_s))
        return SqlRecord(database=opened[-1], clock=clock, actor=actor)

    yield build
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def proposal() -> Proposal:
    return Proposal(
        number=1,
        run=1,
        track="main",
        goal=Goal.CONVERGE,
        revision="a" * 40,
        fingerprint="f" * 64,
        parts=Parts(tree="t" * 40, upstream={"net.id": "0" * 64}, secrets={"db/password": "v1"}),
        changes_digest="c" * 64,
        artifact="d" * 64,
        detail="e" * 64,
        inputs="b" * 64,
        policy_digest="9" * 64,
        tool=ToolVersion(name="terraform", version="1.11.4", platform="linux_amd64"),
        counts=Counts(create=2),
        creates=("lab_file.a", "lab_file.b"),
        made_at=1_000_000.0,
    )


@pytest.fixture(scope="session")
def planned(proposal: Proposal) -> Planned:
    return Planned(proposal=proposal)


@pytest.fixture(scope="session")
def apply_started(proposal: Proposal) -> ApplyStarted:
    return ApplyStarted(
        attempt=Applying(
            number=1,
            run=1,
            proposal=proposal,
            host="h",
            boot_id="b",
            folder="/attempts/1",
            by="user:ana",
            started_at=1_000_000.0,
        )
    )

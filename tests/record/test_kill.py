"""Nothing that was acknowledged is lost: killed writers, and a connection lost in the middle of a commit."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import Conflict
from orchestrator.model.event import GateSet, Vanished
from orchestrator.model.gate import Gate, GateKind
from orchestrator.ports import Due

STACK = "acme/net@prod"


def test_what_a_killed_writer_acknowledged_is_there(database_url: str, open_record: Callable[..., SqlRecord]):
    """Writers are killed one after the other, each after a few acknowledgements and a moment more."""
    chance, kills = random.Random(20), 20 if database_url.startswith("sqlite") else 10  # noqa: S311 -- when to kill
    record = open_record()
    child = Path(__file__).with_name("child_appends.py")
    acknowledged = 0
    with subprocess.Popen([sys.executable, child, database_url, str(kills)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        writer, left = 0, 0
        for line in run.stdout:
            if line.startswith("writer"):
                writer, left = int(line.split()[1]), chance.randint(1, 12)
                continue
            acknowledged, left = int(line), left - 1
            if left == 0:
                threading.Event().wait(chance.random() * 0.004)
                os.kill(writer, signal.SIGKILL)
    assert run.returncode == 0
    entries = record.events(stack=STACK, limit=100_000)
    assert [e.version for e in entries] == list(range(1, len(entries) + 1))
    assert len(entries) >= acknowledged >= kills
    assert len(entries) % 2 == 0, "two events of one append are stored together or not at all"
    assert record.row(STACK).state.version == len(entries)
    assert record.verify() is None
    assert len({e.actor for e in entries}) == kills


class DroppingProxy:
    """Hands bytes on between a client and the server's socket; drops the client just after a COMMIT went through."""

    def __init__(self, server: str, listening: str) -> None:
        self.server = server
        self.drops = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(listening)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self.server)
            committed = threading.Event()
            threading.Thread(target=self.forth, args=(client, upstream, committed), daemon=True).start()
            threading.Thread(target=self.back, args=(client, upstream, committed), daemon=True).start()

    def forth(self, client: socket.socket, upstream: socket.socket, committed: threading.Event) -> None:
        while sent := self.received(client):
            if self.drops and b"COMMIT\0" in sent:
                committed.set()
            with suppress(OSError):
                upstream.sendall(sent)

    def back(self, client: socket.socket, upstream: socket.socket, committed: threading.Event) -> None:
        while answer := self.received(upstream):
            if committed.is_set():
                # The server has done it and says so; nobody hears it.
                self.drops -= 1
                client.shutdown(socket.SHUT_RDWR)
                upstream.close()
                return
            with suppress(OSError):
                client.sendall(answer)

    @staticmethod
    def received(end: socket.socket) -> bytes:
        try:
            return end.recv(65536)
        except OSError:
            return b""


@pytest.fixture
def proxy(postgresql_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DroppingProxy, str]]:
    folder = tmp_path_factory.mktemp("p")
    server = str(make_url(postgresql_database).query["host"])
    made = DroppingProxy(f"{server}/.s.PGSQL.5432", str(folder / ".s.PGSQL.5432"))
    yield made, postgresql_database.replace(server, str(folder))
    made.listener.close()


def test_an_append_whose_commit_was_not_heard_is_found_and_not_done_twice(proxy: tuple[DroppingProxy, str], clock):
    dropping, url = proxy
    database = open_database(url)
    record = SqlRecord(database=database, clock=clock, actor="user:ana")
    version = record.append(STACK, [Vanished(revision="0")], expected=0, run=1).version
    for number in range(1, 31):
        dropping.drops = number % 2
        clock.at += 1
        version = record.append(STACK, [Vanished(revision=str(number))], expected=version, run=1).version
        assert dropping.drops == 0
    assert [e.event for e in record.events()] == [Vanished(revision=str(n)) for n in range(31)]
    assert record.verify() is None
    database.close()


def test_a_gate_whose_commit_was_not_heard_is_closed_once(proxy: tuple[DroppingProxy, str], clock):
    dropping, url = proxy
    database = open_database(url)
    record = SqlRecord(database=database, clock=clock, actor="user:ana")
    dropping.drops = 1
    closed = record.set_gate(Gate(kind=GateKind.FREEZE, why="the end of the year", selector="acme/*"), run=1)
    assert dropping.drops == 0
    assert record.gates() == (1, (closed,))
    assert [entry.event for entry in record.events()] == [GateSet(gate=closed)]
    database.close()


def test_a_run_whose_commit_was_not_heard_is_begun_once(proxy: tuple[DroppingProxy, str], clock):
    dropping, url = proxy
    database = open_database(url)
    record = SqlRecord(database=database, clock=clock, actor="user:ana")
    dropping.drops = 1
    run = record.open_run(trigger="cli", verb="plan", actor="user:ana", revision="r1")
    assert dropping.drops == 0
    assert record.runs() == (run,)
    database.close()


def test_a_hold_whose_commit_was_not_heard_is_its_makers(proxy: tuple[DroppingProxy, str], clock):
    dropping, url = proxy
    database = open_database(url)
    agenda = ProcrastinateAgenda(database=database, clock=clock)
    dropping.drops = 1
    with agenda.hold(STACK):
        assert dropping.drops == 0
        with pytest.raises(Conflict), agenda.hold(STACK):
            pass
        dropping.drops = 1
    assert dropping.drops == 0
    with agenda.hold(STACK):
        pass
    database.close()


def test_a_row_whose_taking_was_not_heard_is_taken_once(proxy: tuple[DroppingProxy, str], clock):
    dropping, url = proxy
    database = open_database(url)
    agenda = ProcrastinateAgenda(database=database, clock=clock)
    first, second = (Due(stack=f"acme/{name}@prod", track="main", at=clock.at, why="a commit") for name in "ab")
    agenda.nudge(first, second)
    dropping.drops = 1
    assert agenda.take(clock.at) == first
    assert dropping.drops == 0
    with agenda.hold(first.stack), agenda.hold(second.stack):
        pass
    assert agenda.take(clock.at) == second
    database.close()

"""Run as a program: a worker of its own on the agenda of many hosts.

argv: the database's URL, the host that it says it runs on (empty: this one), its lease in seconds, what to do, more.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.effects.clock import DatabaseClock
from orchestrator.effects.holder import this_process
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import OrchestratorError
from orchestrator.model.event import Vanished


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def work_all(folder: Path, wanted: int) -> None:
    """Take and rest until so many rows were worked by anybody; who works a stack makes a file nobody else may have."""
    while sum(1 for _ in folder.glob("done-*")) < wanted:
        due = agenda.take(clock.now())
        if due is None:
            agenda.wait(0.2)
            continue
        inside = folder / f"inside-{due.stack.replace('/', '_')}"
        try:
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            say("overlap")
            return
        with agenda.hold(due.stack):
            time.sleep(0.002)
        inside.unlink()
        (folder / f"done-{due.stack.replace('/', '_')}-{due.track}").touch()
        agenda.rest(replace(due, at=clock.now() + 9999))
    say("ended")


url, host, lease_s, verb = sys.argv[1:5]
me = this_process()
if host:
    me = replace(me, host=host, boot_id=host)
database = open_database(url, busy_s=30)
clock = DatabaseClock(database)
agenda = ProcrastinateAgenda(database=database, clock=clock, lease_s=float(lease_s), me=me)
match verb:
    case "work":
        say("ready")
        sys.stdin.readline()
        work_all(Path(sys.argv[5]), int(sys.argv[6]))
    case "take":
        due = agenda.take(clock.now())
        assert due
        record = SqlRecord(database=database, clock=clock, actor=host)
        version = record.row(due.stack).state.version
        say(due.stack)
        sys.stdin.readline()
        try:
            record.append(due.stack, [Vanished(revision=host)], expected=version, run=1)
            say("stored")
        except OrchestratorError as error:
            say(error.code)
        agenda.rest(replace(due, at=clock.now() + 7777))
        say("rested")
        sys.stdin.readline()
    case "hear":
        say("ready")
        for _ in range(int(sys.argv[5])):
            while (due := agenda.take(clock.now())) is None:
                agenda.wait(10.0)
            say(f"{time.monotonic()}")
            agenda.rest(replace(due, at=clock.now() + 9999))
    case _:
        raise SystemExit(64)
agenda.close()

"""Run as a program: forks a writer again and again, and each appends and acknowledges until it is killed.

argv: the record's URL, how many writers. Says ``writer PID`` for each, then ``VERSION`` for each append that returned.
"""

from __future__ import annotations

import os
import sys

from orchestrator.effects.clock import SystemClock
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import Conflict
from orchestrator.model.event import Vanished

STACK = "acme/net@prod"


def write(url: str) -> None:
    record = SqlRecord(database=open_database(url, busy_s=30), clock=SystemClock(), actor=f"pid:{os.getpid()}")
    version = record.row(STACK).state.version
    while True:
        try:
            state = record.append(STACK, [Vanished(revision="x" * 500)] * 2, expected=version, run=1)
        except Conflict:
            # On a server the writer before this one may still have been in its last commit when it was killed.
            version = record.row(STACK).state.version
            continue
        version = state.version
        os.write(1, f"{version}\n".encode())


url, writers = sys.argv[1], int(sys.argv[2])
for _ in range(writers):
    child = os.fork()
    if child == 0:
        write(url)
    os.write(1, f"writer {child}\n".encode())
    os.waitpid(child, 0)

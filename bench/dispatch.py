"""How long it takes from a nudge to the worker that takes it, on each agenda: `python bench/dispatch.py URL`.

Another process waits, as a worker of the service does. Milliseconds; a PostgreSQL URL must name an empty database.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace

from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.clock import clock_of
from orchestrator.effects.record_schema import open_database
from orchestrator.ports import Due

TIMES = 200
PAUSE_S = 0.03


def work() -> None:
    """Take whatever comes, and say when it was taken."""
    print("ready", flush=True)
    for _ in range(TIMES):
        while (due := agenda.take(clock.now())) is None:
            agenda.wait(10.0)
        print(time.monotonic(), flush=True)
        agenda.rest(replace(due, at=clock.now() + 1e6))
    used = os.times()
    begun = time.monotonic()
    agenda.wait(5.0)
    idle = os.times()
    print((idle.user + idle.system - used.user - used.system) / (time.monotonic() - begun), flush=True)


def measure() -> None:
    with subprocess.Popen([sys.executable, __file__, url, "work"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        child.stdout.readline()
        took, nudged = [], []
        for number in range(TIMES):
            time.sleep(PAUSE_S)
            begun = time.monotonic()
            agenda.nudge(Due(stack=f"a/s{number}@b", track="main", at=clock.now(), why="a commit"))
            nudged.append(time.monotonic() - begun)
            took.append(float(child.stdout.readline()) - begun)
        idle = float(child.stdout.readline())
    print(
        f"{database.engine.dialect.name}: nudge to take {said(took)}; the nudge itself {said(nudged)}; idle {idle:.2%}"
    )


def said(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.1f} p99 {cuts[98] * 1000:.1f} ms"


if __name__ == "__main__":
    url = sys.argv[1]
    database = open_database(url)
    clock = clock_of(database)
    agenda = open_agenda(database, clock)
    try:
        work() if sys.argv[2:] else measure()
    finally:
        agenda.close()
        database.close()

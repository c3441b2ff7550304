"""P7: from another process's nudge to the tool, through the whole service."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bench.ground import HOLDFAST, stacks_file
from bench.measure import Figure, run
from bench.rest import operator_file, serving
from bench.scale import logging_tool, many
from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.clock import clock_of
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.model.stack import MAIN
from orchestrator.ports import Due, Row

#: Seconds within which each step has to happen.
_LIMIT_S = 300.0


def p7(folder: Path, rounds: int = 100, count: int = 10) -> list[Figure]:
    """A stack of ``count`` that has been applied comes due for a look for drift, and is nudged by another process.

    Measured until the service says what it does about it, and until the tool is started; in between the stack's files
    are laid out, and its program is found.
    """
    ground, names = many(folder, count)
    # By this name the checkout and the service's source are one.
    ground.commit({"stacks.yaml": stacks_file(names).replace("stacks:", "project: infra\nstacks:")})
    run([HOLDFAST, "apply", "--yes", "--parallel", "2"], cwd=ground.repository, env=ground.env)
    started = logging_tool(folder)
    url = f"sqlite:///{folder}/home/record.db"
    with serving(ground, operator_file(ground)), closing(open_database(url)) as database:
        clock = clock_of(database)
        record = SqlRecord(database=database, clock=clock, actor="bench")
        with closing(open_agenda(database, clock)) as agenda:

            def rests() -> bool:
                waiting = [one for one in agenda.waiting() if not one.stack.startswith("source:")]
                return (
                    len(waiting) == count
                    and all(one.at > clock.now() + 120.0 for one in waiting)
                    and all(one.looks.drift_at > _applied_at(one) for one in record.rows("infra") if one.state.applied)
                )

            # The first look for drift comes a minute after the apply, and is the service's own.
            _until(rests)
            keys = [row.key for row in record.rows("infra") if row.state.applied]
            taken = []
            for number in range(rounds):
                row = record.row(keys[number % count])
                record.look(row.key, replace(row.looks, drift_at=0.0))
                before = _starts(started)
                at = time.time()
                agenda.nudge(Due(stack=row.key, track=MAIN, at=clock.now(), why="bench"))
                _until(lambda before=before: len(_starts(started)) > len(before))
                _until(rests)
                said = _said(folder / "serve.log", at)
                taken.append((said - at, _starts(started)[len(before)] - at))
                time.sleep(0.05)
    doing, tool = ([one[side] for one in taken] for side in (0, 1))
    note = f"to the tool's start, files laid out, {_told(tool)}"
    work = f"nudge of another process to the service's acting, {rounds} times, embedded"
    return [
        Figure(id="P7", work=f"{work}: p50", ours=statistics.median(doing), target=0.03, note=note),
        Figure(id="P7", work=f"{work}: p99", ours=statistics.quantiles(doing, n=100)[98], target=0.15),
    ]


def _applied_at(row: Row) -> float:
    return row.state.applied.at if row.state.applied else 0.0


def _starts(log: Path) -> list[float]:
    return [float(at) for at in log.read_text().split()[::2]] if log.exists() else []


def _said(log: Path, after: float) -> float:
    """Return when the service first said, after a time, that it does something about a stack."""
    for line in log.read_text().splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        at = datetime.fromisoformat(told["timestamp"]).timestamp() if told else 0.0
        if at >= after and told["event"] == "doing":
            return at
    sys.exit(f"P7: the service never said what it does:\n{log.read_text()[-2000:]}")


def _told(seconds: list[float]) -> str:
    return f"p50 {statistics.median(seconds):.3f} s, p99 {statistics.quantiles(seconds, n=100)[98]:.3f} s"


def _until(holds: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > _LIMIT_S:
            sys.exit("P7: what was waited for did not happen")
        time.sleep(0.01)


if __name__ == "__main__":
    for found in p7(Path(sys.argv[1]), int(sys.argv[2])):
        print(found)

"""P7: from another process's nudge to the tool, through the whole service, with either kind of record."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
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

#: The estate with its tool is the tests' own: they are no package.
TORTURE = Path(__file__).resolve().parents[1] / "tests" / "torture"
#: Seconds within which each step has to happen.
_LIMIT_S = 300.0


def p7(folder: Path, rounds: int = 100, count: int = 10) -> list[Figure]:
    """A stack of ``count`` that has been applied comes due for a look for drift, and is nudged by another process.

    Measured until the service says what it does about it, and until the tool is started; in between the stack's files
    are laid out, and its program is found.
    """
    return [*_embedded(folder / "embedded", rounds, count), *_shared(folder / "shared", rounds, count)]


def _embedded(folder: Path, rounds: int, count: int) -> list[Figure]:
    folder.mkdir(parents=True)
    ground, names = many(folder, count)
    # By this name the checkout and the service's source are one.
    ground.commit({"stacks.yaml": stacks_file(names).replace("stacks:", "project: infra\nstacks:")})
    run([HOLDFAST, "apply", "--yes", "--parallel", "2"], cwd=ground.repository, env=ground.env)
    started = logging_tool(folder)

    def starts(_: str) -> list[float]:
        return [float(at) for at in started.read_text().split()[::2]] if started.exists() else []

    with serving(ground, operator_file(ground)):
        told = Told(url=f"sqlite:///{folder}/home/record.db", source="infra", log=folder / "serve.log", starts=starts)
        return _figures(told, rounds, count, "embedded")


def _shared(folder: Path, rounds: int, count: int) -> list[Figure]:
    """The same of a worker on PostgreSQL, on the estate of tests/torture: its tool needs no state of its own."""
    sys.path.insert(0, str(TORTURE))
    from estate import Size, an_estate  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    folder.mkdir(parents=True)
    # The server runs as somebody else.
    for place in (folder, *folder.parents):
        if place.is_relative_to(tempfile.gettempdir()) and place != Path(tempfile.gettempdir()):
            place.chmod(0o755)
    size = Size(stacks=count, workers=1, pause=0.0, lease=60.0, every=3600)
    with an_estate(folder, size, hosts=False) as estate:
        (worker,) = estate.workers

        def starts(stack: str) -> list[float]:
            logs = (worker.home / "logs").glob(f"*/{stack.replace('/', '+').replace('@', '=')}.log")
            lines = (line.split(" ", 2) for log in logs for line in log.read_text().splitlines())
            return sorted(datetime.fromisoformat(at).timestamp() for at, sign, *_ in lines if sign == "$")

        told = Told(url=estate.server.url, source="estate", log=worker.log, starts=starts)
        return _figures(told, rounds, count, "on PostgreSQL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A service at work, as others see it."""

    #: Of its record.
    url: str
    source: str
    #: What it says.
    log: Path
    #: Returns when tools were started, for this stack at least, the first one first.
    starts: Callable[[str], list[float]]


def _figures(told: Told, rounds: int, count: int, where: str) -> list[Figure]:
    taken = []
    with closing(open_database(told.url)) as database:
        clock = clock_of(database)
        record = SqlRecord(database=database, clock=clock, actor="bench")
        with closing(open_agenda(database, clock)) as agenda:

            def rests() -> bool:
                waiting = [one for one in agenda.waiting() if not one.stack.startswith("source:")]
                return (
                    len(waiting) == count
                    and all(one.at > clock.now() + 120.0 for one in waiting)
                    and all(one.looks.drift_at > _applied_at(one) for one in _applied(record, told.source))
                )

            # The first look for drift comes a minute after the apply, and is the service's own.
            _until(lambda: len(_applied(record, told.source)) == count and rests())
            keys = [row.key for row in _applied(record, told.source)]
            for number in range(rounds):
                row = record.row(keys[number % count])
                record.look(row.key, replace(row.looks, drift_at=0.0))
                before = len(told.starts(row.key))
                at = time.time()
                agenda.nudge(Due(stack=row.key, track=MAIN, at=clock.now(), why="bench"))
                _until(lambda key=row.key, before=before: len(told.starts(key)) > before)
                _until(rests)
                taken.append((_said(told.log, at) - at, told.starts(row.key)[before] - at))
                time.sleep(0.05)
    doing, tool = ([one[side] for one in taken] for side in (0, 1))
    note = f"to the tool's start, files laid out, {_told(tool)}"
    work = f"nudge of another process to the service's acting, {rounds} times, {where}"
    return [
        Figure(id="P7", work=f"{work}: p50", ours=statistics.median(doing), target=0.03, note=note),
        Figure(id="P7", work=f"{work}: p99", ours=statistics.quantiles(doing, n=100)[98], target=0.15),
    ]


def _applied(record: SqlRecord, source: str) -> list[Row]:
    return [row for row in record.rows(source) if row.state.applied]


def _applied_at(row: Row) -> float:
    return row.state.applied.at if row.state.applied else 0.0


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

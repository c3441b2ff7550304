"""P6 and P11: what the service costs while nothing is to be done, and how that grows with the number of stacks."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import psutil

from adapters.contract import Goal, ToolVersion
from bench.ground import HOLDFAST, Ground
from bench.measure import Figure
from bench.scale import logging_tool, many
from bench.seeding import Happened, seed
from bench.sweep import SHARE, swept
from orchestrator.assembly.served import open_served
from orchestrator.config.operator import operator_of
from orchestrator.effects.database import Database
from orchestrator.effects.record_schema import open_database
from orchestrator.engine.survey import Survey
from orchestrator.engine.watch import read_source
from orchestrator.model.event import Converged, Verified
from orchestrator.model.observed import Applied, Counts, Looks
from orchestrator.model.stack import MAIN

MIB = 1024.0 * 1024.0
TOOL = ToolVersion(name="terraform", version="1.9.8", platform="linux_amd64")
#: Seconds of rest that are measured.
IDLE_S = 60.0
#: The most that the start may take, in seconds of wall time: a machine may have other work.
START_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rested:
    """What one service used over ``count`` stacks at rest."""

    count: int
    #: From its start until nothing was due any more, in seconds: by the clock, and of one core.
    start_wall_s: float
    start_cpu_s: float
    #: The share of one core that it used from then on.
    idle: float
    #: Resident memory of the service and everything below it, in bytes.
    resident: float


def p6(folder: Path, count: int = 10_000) -> list[Figure]:
    """`holdfast serve` over ``count`` stacks of which none has anything to do."""
    return _figures(at_rest(folder, count))


def p11(folder: Path, counts: tuple[int, ...] = (100, 1000, 10_000)) -> list[Figure]:
    """The same, and P3's look for drift at one stack in fifty: ten times as many cost at most ten times as much."""
    swept_s = [swept(folder / f"swept-{count}", count) for count in counts]
    found = [at_rest(folder / str(count), count, idle_s=IDLE_S / 3) for count in counts]
    figures = [
        Figure(
            id="P11",
            work=f"`drift` of {more // SHARE} of {more} stacks beside {less // SHARE} of {less}: own CPU",
            ours=ours,
            rival=rival,
            target=more / less,
        )
        for (less, more), (rival, ours) in zip(pairwise(counts), pairwise(swept_s), strict=True)
    ]
    for less, more in pairwise(found):
        sizes = f"{more.count} stacks at rest beside {less.count}"
        sides = (
            ("CPU of the start", more.start_cpu_s, less.start_cpu_s, "s"),
            ("resident", more.resident / MIB, less.resident / MIB, "MiB"),
            ("share of a core", 100 * more.idle, 100 * less.idle, "%"),
        )
        figures += [
            Figure(
                id="P11",
                work=f"{sizes}: {what}",
                ours=ours,
                rival=rival,
                target=more.count / less.count,
                unit=unit,
            )
            for what, ours, rival, unit in sides
        ]
    return figures


def at_rest(folder: Path, count: int, *, idle_s: float = IDLE_S) -> Rested:
    """Serve ``count`` stacks that are all as asked for; see that no tool is started, and measure what that costs."""
    ground, _ = many(folder, count)
    log = logging_tool(folder)
    config = operator_file(ground)
    _bring_to_rest(ground, config)
    with serving(ground, config) as process:
        begun = time.monotonic()
        while not _is_quiet(folder / "home", count):
            if process.poll() is not None or time.monotonic() - begun > START_S:
                sys.exit(f"P6: the service does not come to rest:\n{(folder / 'serve.log').read_text()[-2000:]}")
            time.sleep(0.25)
        wall, started = time.monotonic() - begun, _cpu(process.pid)
        time.sleep(idle_s)
        idle = (_cpu(process.pid) - started) / idle_s
        resident = _resident(process.pid)
    if log.exists():
        sys.exit(f"P6: a tool was started: {log.read_text()[:200]}")
    return Rested(count=count, start_wall_s=wall, start_cpu_s=started, idle=idle, resident=resident)


def _figures(found: Rested) -> list[Figure]:
    work = f"`serve` over {found.count} stacks at rest"
    note = f"{found.start_wall_s:.0f} s by the clock, {1000 * found.start_cpu_s / found.count:.1f} ms for each stack"
    return [
        Figure(id="P6", work=f"{work}: resident", ours=found.resident / MIB, target=200.0, unit="MiB"),
        Figure(id="P6", work=f"{work}: share of a core", ours=100 * found.idle, target=1.0, unit="%"),
        Figure(id="P6", work=f"{work}: CPU of the start", ours=found.start_cpu_s, target=60.0, note=note),
    ]


def operator_file(ground: Ground) -> Path:
    """Write the file of a service that follows the ground's repository."""
    source = {"name": "infra", "git": {"url": str(ground.repository), "branch": "main"}}
    config = ground.folder / "operator.yaml"
    body = {"version": 1, "home": str(ground.folder / "home"), "listen": "off", "sources": [source]}
    config.write_text(json.dumps(body))
    return config


def _bring_to_rest(ground: Ground, config: Path) -> None:
    """Record of each stack that it was found as asked for, and looked at just now: nothing is to do."""
    environment = {**ground.env, "HOLDFAST_CONFIG": str(config)}
    with open_served(operator_of(environment), ground.folder / "home", environment) as served:
        post = served.posts.get("infra")
        assert post is not None
        reading = read_source(post.outside, post.source)
        happened, looks, now = [], {}, time.time()
        for asked in Survey(post.outside, reading, whole=True).every():
            key = str(asked.stack.key)
            applied = Applied(
                attempt=0,
                run=0,
                goal=Goal.CONVERGE,
                revision=asked.desired.revision,
                fingerprint=asked.desired.fingerprint,
                parts=asked.desired.parts,
                inputs="",
                tool=TOOL,
                counts=Counts(),
                at=now - 7200.0,
            )
            happened.append(Happened(stack=key, event=Converged(track=MAIN, applied=applied), at=now - 7200.0))
            happened.append(Happened(stack=key, event=Verified(attempt=0), at=now - 7100.0))
            looks[key] = replace(Looks(), drift_at=now, planned_at=now - 7200.0)
    with _record(ground.folder / "home") as database:
        seed(database, happened, looks)


@contextmanager
def _record(home: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{home}/record.db")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def serving(ground: Ground, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Serve for as long as the block runs; what is said goes to ``serve.log``."""
    env = {**ground.env, "PATH": f"{ground.folder / 'bin'}:{ground.env['PATH']}"}
    words = [HOLDFAST, "serve", "--config", config]
    with (ground.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=ground.folder, env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _is_quiet(home: Path, count: int) -> bool:
    """Whether every stack has its row, and none of them is due or worked on."""
    with closing(sqlite3.connect(f"file:{home}/record.db?mode=ro", uri=True)) as line:
        waiting = (
            "SELECT count(*), coalesce(sum(at <= ? OR taken_by > ''), 0) FROM agenda WHERE stack NOT LIKE 'source:%'"
        )
        rows, due = line.execute(waiting, (time.time(),)).fetchone()
    return rows == count and not due


def _cpu(pid: int) -> float:
    """Return the seconds of a core that a process used, its children that have ended among them."""
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system + used.children_user + used.children_system


def _resident(pid: int) -> float:
    process = psutil.Process(pid)
    return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True))))


if __name__ == "__main__":
    print(at_rest(Path(sys.argv[1]), int(sys.argv[2]), idle_s=float(os.environ.get("IDLE_S", "20"))))

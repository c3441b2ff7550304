"""P4 and P5: from a commit to the right tool, among thousands of stacks. In one process, as the service runs."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.ground import TOOL, Ground, data_stack, stacks_file
from bench.measure import Figure, Rounds, figure
from orchestrator.assembly.world import World, open_world
from orchestrator.config.operator import operator_of
from orchestrator.effects.whereabouts import Whereabouts
from orchestrator.engine.watch import Watch
from orchestrator.engine.work import Limits, Worker
from orchestrator.model.policy import Mode
from orchestrator.model.source import Revision, Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Sources


def p4(folder: Path, rounds: int, count: int = 1000) -> list[Figure]:
    """A commit that touches one stack of ``count``: from the source being read to the tool being started."""
    ground, names = many(folder, count)
    log = logging_tool(folder)
    with _opened(ground, folder) as world:
        sources = _Timed(world.outside.sources)
        watch = Watch(replace(world.outside, sources=sources), world.source)
        watch.look()
        _drain(world)
        taken, started = Rounds(), []
        for number in range(rounds):
            name = names[(number * 37) % count]
            ground.commit({f"{name}/main.tf": data_stack(f"v{number}")}, only=True)
            log.unlink(missing_ok=True)
            reading, due = watch.look()
            _work(world, reading)
            lines = log.read_text().split()
            first = float(lines[0])
            taken.ours.append(first - sources.read_at)
            taken.rival.append(_by_hand(ground, log))
            started.append(len([line for line in lines[1::2] if line == "plan"]))
            assert {key.name for key in due} == {name}, due
    assert started == [1] * rounds, started
    line = figure("P4", f"a commit touches 1 of {count} stacks: source read to the tool's start", taken, 0.15)
    return [
        Figure(
            id=line.id,
            work=line.work,
            ours=line.ours,
            target=0.15,
            note=f"exactly 1 tool started each time; by hand with git diff {line.rival:.3f} s",
            low=line.low,
            high=line.high,
        )
    ]


def p5(folder: Path, rounds: int, count: int = 10_000) -> list[Figure]:
    """A commit that touches none of ``count`` stacks, one include file for each thousand."""
    ground, _ = many(folder, count)
    log = logging_tool(folder)
    with _opened(ground, folder) as world:
        watch = Watch(world.outside, world.source)
        begun = time.perf_counter()
        watch.look()
        first = time.perf_counter() - begun
        times = []
        for number in range(rounds):
            ground.commit({"README.md": f"round {number}\n"}, only=True)
            begun = time.perf_counter()
            _, due = watch.look()
            times.append(time.perf_counter() - begun)
            assert not due, due
    assert not log.exists(), "a tool was started"
    assert not (ground.folder / "home" / "work").exists(), "something was laid out"
    return [
        Figure(
            id="P5",
            work=f"a commit touches none of {count} stacks",
            ours=statistics.median(times),
            target=1.0,
            note=f"0 tools, 0 checkouts; the first look ever takes {first:.1f} s",
            low=min(times),
            high=max(times),
        )
    ]


class _Timed:
    """A source that notes when it had been read."""

    def __init__(self, sources: Sources) -> None:
        self._sources, self.read_at = sources, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sources, name)

    def read(self, source: Source, *, last: str = "") -> Revision:
        found = self._sources.read(source, last=last)
        self.read_at = time.time()
        return found


def many(folder: Path, count: int) -> tuple[Ground, list[str]]:
    """Commit ``count`` stacks of built-in resources, one include file for each thousand."""
    ground = Ground.make(folder)
    names = [f"s{number:05}" for number in range(count)]
    files = {f"{name}/main.tf": data_stack("v") for name in names}
    if count <= 1000:
        files["stacks.yaml"] = stacks_file(names)
    else:
        files["stacks.yaml"] = "version: 1\ndiscover: false\ninclude: ['teams/*.yaml']\n"
        for start in range(0, count, 1000):
            listed = stacks_file(names[start : start + 1000]).replace("discover: false\n", "")
            files[f"teams/t{start:05}.yaml"] = listed
    ground.commit(files)
    return ground, names


@contextmanager
def _opened(ground: Ground, folder: Path) -> Iterator[World]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({**ground.env, "PATH": f"{folder / 'bin'}:{ground.env['PATH']}"})
    try:
        where = Whereabouts.of(ground.repository, ground.folder / "home", os.environ)
        with open_world(where, operator_of(os.environ)) as world:
            yield world
    finally:
        os.environ.clear()
        os.environ.update(before)


def logging_tool(folder: Path) -> Path:
    """Put a terraform in front of the real one that notes when it was started and with which word."""
    log, place = folder / "started", folder / "bin"
    place.mkdir()
    wrapper = place / Path(TOOL).name
    real = shutil.which(TOOL) or TOOL
    wrapper.write_text(
        f'#!/bin/sh\ncase "$1" in version) ;; *) echo "$(date +%s.%N) $1" >> {log} ;; esac\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    return log


def _drain(world: World) -> None:
    """Take what the first look made due off the agenda: this is about one commit, not about a thousand plans."""
    while due := world.outside.agenda.take(world.outside.clock.now()):
        world.outside.agenda.rest(type(due)(stack=due.stack, track=due.track, at=due.at + 1e9, why="benchmark"))


def _work(world: World, reading: object) -> None:
    run = world.outside.record.open_run(trigger="bench", verb="plan", actor="bench", revision="")
    worker = Worker(world.outside, reading, run, limits=Limits(mode=Mode.OBSERVE))
    while due := world.outside.agenda.take(world.outside.clock.now()):
        worker.settle(StackKey.parse(due.stack))
        world.outside.agenda.rest(type(due)(stack=due.stack, track=due.track, at=due.at + 1e9, why="benchmark"))


def _by_hand(ground: Ground, log: Path) -> float:
    script = (
        "cd $(git diff --name-only HEAD~1 HEAD | grep -o '^[^/]*' | sort -u | head -1) && terraform init -input=false"
    )
    log.unlink(missing_ok=True)
    begun = time.time()
    env = {**ground.env, "PATH": f"{log.parent / 'bin'}:{ground.env['PATH']}"}
    subprocess.run(["sh", "-c", script], cwd=ground.repository, env=env, check=False, capture_output=True)
    return float(log.read_text().split()[0]) - begun

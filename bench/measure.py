"""Runs two ways of doing the same thing in turns, A B A B, and compares medians: machines are noisy, ratios less so."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    id: str
    work: str
    #: Seconds, median; what Holdfast took.
    ours: float
    #: Seconds, median; what the rival took. 0 where the target is a plain limit.
    rival: float = 0.0
    #: The most that ``ours / rival`` may be, or, without a rival, the most seconds.
    target: float
    note: str = ""
    #: Spread of ours over the rounds, seconds.
    low: float = 0.0
    high: float = 0.0
    #: What ``ours`` and ``rival`` count; without a rival the target counts the same.
    unit: str = "s"

    @property
    def reached(self) -> float:
        """What is held against the target."""
        return self.ours / self.rival if self.rival else self.ours

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.reached <= self.target


@dataclass(slots=True)
class Rounds:
    """Times of both sides, taken in turns."""

    ours: list[float] = field(default_factory=list)
    rival: list[float] = field(default_factory=list)


def in_turns(ours: Callable[[int], float], rival: Callable[[int], float], rounds: int) -> Rounds:
    """Run both sides ``rounds`` times, the first to go changing each time; each returns the seconds it took."""
    taken = Rounds()
    for number in range(rounds):
        sides = [(taken.ours, ours), (taken.rival, rival)]
        for times, side in sides if number % 2 == 0 else reversed(sides):
            times.append(side(number))
    return taken


def figure(id_: str, work: str, taken: Rounds, target: float, note: str = "") -> Figure:
    """Return the line for times taken in turns."""
    return Figure(
        id=id_,
        work=work,
        ours=statistics.median(taken.ours),
        rival=statistics.median(taken.rival) if taken.rival else 0.0,
        target=target,
        note=note,
        low=min(taken.ours),
        high=max(taken.ours),
    )


def run(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], codes: Sequence[int] = (0,)) -> float:
    """Run a program to its end and return the wall-clock seconds it took; any other exit code ends the benchmark."""
    begun = time.perf_counter()
    done = subprocess.run([str(one) for one in argv], cwd=cwd, env=dict(env), capture_output=True, check=False)
    took = time.perf_counter() - begun
    if done.returncode not in codes:
        sys.exit(
            f"{argv} ended with {done.returncode}:\n{done.stdout.decode()[-2000:]}\n{done.stderr.decode()[-2000:]}"
        )
    return took


def own_cpu(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], codes: Sequence[int] = (0,)) -> float:
    """Run ``holdfast ARGV`` and return the CPU seconds that it used itself, its tools' left out."""
    code = (
        "import atexit, resource, sys\n"
        "def tell():\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    open(sys.argv.pop(), 'w').write(str(used.ru_utime + used.ru_stime))\n"
        "atexit.register(tell)\n"
        "place = sys.argv[-1]\n"
        "sys.argv = ['holdfast', *sys.argv[1:-1]]\n"
        "from orchestrator.cli.main import run\n"
        "try:\n"
        "    run()\n"
        "finally:\n"
        "    sys.argv.append(place)\n"
    )
    place = cwd.parent / "own-cpu"
    run([sys.executable, "-c", code, *argv, str(place)], cwd=cwd, env=env, codes=codes)
    return float(place.read_text())


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| id | work | Holdfast | rival | reached | target | |", "|---|---|---|---|---|---|---|"]
    for one in figures:
        sign = "x" if one.rival else f" {one.unit}"
        rival = f"{one.rival:.2f} {one.unit}" if one.rival else "-"
        mark = "yes" if one.holds else "**no**"
        lines.append(
            f"| {one.id} | {one.work} | {one.ours:.3f} {one.unit} | {rival} "
            f"| {one.reached:.3f}{sign} | ≤ {one.target:g}{sign} "
            f"| {mark}{'; ' + one.note if one.note else ''} |"
        )
    return "\n".join(lines)


def as_json(figures: Sequence[Figure]) -> str:
    """Return the figures as JSON."""
    rows = [{**asdict(one), "reached": one.reached, "holds": one.holds} for one in figures]
    return json.dumps({"at": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "figures": rows}, indent=2) + "\n"

"""P3: drift looked for in 100 stacks, two at a time, beside `xargs -P2 terraform plan`."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench.ground import HOLDFAST, TOOL, Ground, data_stack, lab_stack, stacks_file
from bench.measure import Figure, figure, in_turns, own_cpu, run
from bench.scale import many

#: Of so many stacks one is due, where it is measured how the cost grows.
SHARE = 50


def p3(folder: Path, rounds: int, count: int = 100) -> list[Figure]:
    """Sweep lab stacks for wall time, and stacks of built-in resources for Holdfast's own CPU."""
    return [*_wall(folder / "lab", rounds, count), _cpu(folder / "data", count)]


def _wall(folder: Path, rounds: int, count: int) -> list[Figure]:
    ground, names = _applied(folder, count, lambda name: lab_stack(folder / "cloud" / name, objects=1))
    hand = folder / "hand"
    for name in names:
        place = hand / name
        place.mkdir(parents=True)
        (place / "main.tf").write_text(lab_stack(folder / "cloud-by-hand" / name, objects=1))
    _each(hand, names, ground, "init -input=false")
    _each(hand, names, ground, "apply -input=false -auto-approve")
    taken = in_turns(
        lambda _: run([HOLDFAST, "drift", "--parallel", "2"], cwd=ground.repository, env=ground.env),
        lambda _: _each(hand, names, ground, "plan -input=false -detailed-exitcode"),
        rounds,
    )
    return [figure("P3", f"`drift`, {count} lab stacks, 2 at a time", taken, 1.1)]


def swept(folder: Path, count: int) -> float:
    """Return the CPU seconds of Holdfast's own that a look at one in `SHARE` of ``count`` stacks costs."""
    ground, names = many(folder, count)
    due = names[::SHARE]
    run([HOLDFAST, "apply", "--yes", "--parallel", "2", *due], cwd=ground.repository, env=ground.env)
    sweeps = [own_cpu(["drift", "--parallel", "2", *due], cwd=ground.repository, env=ground.env) for _ in range(3)]
    return statistics.median(sweeps)


def _cpu(folder: Path, count: int) -> Figure:
    ground, _ = _applied(folder, count, data_stack)
    alone = own_cpu(["status"], cwd=ground.repository, env=ground.env)
    sweeps = [own_cpu(["drift", "--parallel", "2"], cwd=ground.repository, env=ground.env) for _ in range(3)]
    each = (statistics.median(sweeps) - alone) / count
    return Figure(id="P3", work="own CPU for each stack of the sweep", ours=each, target=0.015)


def _applied(folder: Path, count: int, stack: object) -> tuple[Ground, list[str]]:
    ground = Ground.make(folder)
    names = [f"s{number:03}" for number in range(count)]
    ground.commit({"stacks.yaml": stacks_file(names), **{f"{name}/main.tf": stack(name) for name in names}})
    run([HOLDFAST, "apply", "--yes", "--parallel", "2"], cwd=ground.repository, env=ground.env)
    return ground, names


def _each(hand: Path, names: list[str], ground: Ground, words: str) -> float:
    script = f"printf '%s\\n' {' '.join(names)} | xargs -P2 -I@ sh -c 'cd @ && {TOOL} {words} >/dev/null'"
    return run(["sh", "-c", script], cwd=hand, env=ground.env)

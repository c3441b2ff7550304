"""P10: how long the command line takes to say anything, beside another Python command line."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.ground import HOLDFAST, Ground, data_stack, stacks_file
from bench.measure import Figure, figure, in_turns, run


def p10(folder: Path, rounds: int) -> list[Figure]:
    """`--help`, and `status` over 100 stacks, beside `ansible --version`."""
    ansible = Path(sys.executable).parent / "ansible"
    ground = Ground.make(folder)
    names = [f"s{number:03}" for number in range(100)]
    ground.commit({"stacks.yaml": stacks_file(names), **{f"{name}/main.tf": data_stack(name) for name in names}})
    run([HOLDFAST, "apply", "--yes", "--parallel", "2"], cwd=ground.repository, env=ground.env)

    def rival(_: int) -> float:
        return run([ansible, "--version"], cwd=ground.repository, env=ground.env)

    def ours(*words: str) -> float:
        return run([HOLDFAST, *words], cwd=ground.repository, env=ground.env)

    rival(0), ours("--help"), ours("status")
    return [
        figure(
            "P10",
            "`--help` beside `ansible --version`",
            in_turns(lambda _: ours("--help"), rival, rounds),
            0.5,
        ),
        figure("P10", "`status` over 100 stacks, the same", in_turns(lambda _: ours("status"), rival, rounds), 1.2),
    ]

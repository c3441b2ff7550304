"""Torments an estate for a while, heals everything, waits for rest, and judges. `make torture` runs it as a program.

Its settings are variables: HOLDFAST_TORTURE_SECONDS, _STACKS, _WORKERS, _SEED, _ONLY (faults, by name).
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from estate import SOURCE, Estate, Size, an_estate
from hosts import may_make_hosts, wait_for
from nemeses import Nemesis, known
from verdict import ASKED, Verdict, frozen, judge, record, restless

from orchestrator.effects.agenda_procrastinate import ProcrastinateAgenda
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import MAIN
from orchestrator.ports import Due


def torment(estate: Estate, seed: int, seconds: float, faults: Sequence[Nemesis]) -> Counter[str]:
    """Have faults befall the estate, one after the other, while people commit; return how often each did."""
    chance, done, over = random.Random(seed), Counter[str](), threading.Event()  # noqa: S311 -- a seed repeats it
    people = threading.Thread(target=_ask, args=(estate, random.Random(seed + 1), over))  # noqa: S311
    people.start()
    try:
        end = time.monotonic() + seconds
        bag: list[Nemesis] = []
        while time.monotonic() < end:
            if not bag:
                bag = chance.sample(list(faults), len(faults))
            fault = bag.pop()
            print(f"{seconds - (end - time.monotonic()):6.1f} s  {fault.__name__}", flush=True)
            fault(estate, chance)
            done[fault.__name__] += 1
            estate.revive()
            wait_for(chance.uniform(0.0, estate.size.lease))
    finally:
        over.set()
        people.join()
    return done


def _ask(estate: Estate, chance: random.Random, over: threading.Event) -> None:
    """Commit, and ask for looks: what was acknowledged must come about, whatever befalls whoever acknowledged it."""
    number = 0
    while not over.wait(chance.uniform(0.2, 1.0)):
        if chance.random() < 0.25:
            estate.ask_for_more(chance, 3)
        number += 1
        key = f"{SOURCE}/x{number:05}@default"
        with suppress(OrchestratorError), record(estate) as kept:
            agenda = ProcrastinateAgenda(database=kept.database, clock=kept.clock)
            agenda.nudge(Due(stack=key, track=MAIN, at=kept.clock.now(), why=ASKED, priority=0))
            estate.acknowledged.append(key)


def come_to_rest(estate: Estate, seconds: float) -> float:
    """Wait, at most so long, until nothing moves but what a lost host holds; return how long that took."""
    begun, left = time.monotonic(), -1
    while time.monotonic() - begun < seconds:
        estate.revive()
        try:
            with record(estate) as kept:
                moving = restless(estate, kept).keys() - frozen(estate, kept)
        except OrchestratorError as error:
            print(error.message, flush=True)
            continue
        if not moving:
            break
        if len(moving) != left:
            left = len(moving)
            print(f"{time.monotonic() - begun:6.1f} s  {left} not at rest", flush=True)
        wait_for(0.5)
    return time.monotonic() - begun


def torture(
    folder: Path, size: Size, seed: int, seconds: float, *, hosts: bool, faults: Sequence[Nemesis], patience: float
) -> Verdict:
    """Do all of it; whatever is found is in the verdict."""
    with an_estate(folder, size, hosts=hosts) as estate:
        befallen = torment(estate, seed, seconds, faults)
        took = come_to_rest(estate, patience)
        codes = [worker.stop() for worker in estate.workers]
        verdict = judge(estate)
        print(
            f"seed {seed}: {dict(befallen)}; at rest after {took:.1f} s; workers ended with {codes}, {estate.revived} times by themselves"
        )
        print(json.dumps({"counts": verdict.counts, "faults": verdict.faults}, indent=1, default=str), flush=True)
        said = [
            line for worker in estate.workers for line in worker.log.read_text().splitlines() if "Traceback" in line
        ]
        assert not said, f"{len(said)} tracebacks"
    return verdict


def main() -> int:
    given = {
        name.removeprefix("HOLDFAST_TORTURE_").lower(): value
        for name, value in os.environ.items()
        if name.startswith("HOLDFAST_TORTURE_")
    }
    seed = int(given.get("seed") or time.time())
    hosts = may_make_hosts() and given.get("hosts") != "no"
    if not hosts:
        print("left out: cut cables, full disks and lost hosts (they take root, and namespaces)")
    faults = known(hosts=hosts)
    only = given.get("only", "").split(",") if given.get("only") else []
    faults = tuple(one for one in faults if not only or one.__name__ in only)
    size = Size(
        stacks=int(given.get("stacks", "400")),
        workers=int(given.get("workers", "4")),
        disk=256 if hosts else 0,
        pause=float(given.get("pause", "0.2")),
    )
    print(f"seed {seed}; {size}; {', '.join(one.__name__ for one in faults)}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="hf-torture-"))
    folder.chmod(0o755)
    verdict = torture(
        folder,
        size,
        seed,
        float(given.get("seconds", "600")),
        hosts=hosts,
        faults=faults,
        patience=float(given.get("patience", "300")),
    )
    print("sound" if not verdict.faults else f"NOT sound; logs are in {folder}")
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())

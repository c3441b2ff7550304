"""P8: four workers share a PostgreSQL; what their sharing costs. On the estate of tests/torture, untormented."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import Figure
from orchestrator.model.event import Planned

TORTURE = Path(__file__).resolve().parents[1] / "tests" / "torture"
#: How long the tool takes, in seconds.
_TOOL_S = 1.0
_WORKERS = 4
#: Among so many entries is the first plan.
_FIRST = 100


def p8(stacks: int = 0, slots: int = 0) -> list[Figure]:
    """Have 4 workers apply stacks whose tool sleeps a second; from the first plan to the last tool's end.

    HOLDFAST_BENCH_STACKS and HOLDFAST_BENCH_SLOTS (of each worker) scale it.
    """
    # The tests' own rig: they are no package.
    sys.path.insert(0, str(TORTURE))
    from estate import Size, an_estate  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    from verdict import judge, ledger, record, restless  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    count = stacks or int(os.environ.get("HOLDFAST_BENCH_STACKS", "100"))
    each = slots or int(os.environ.get("HOLDFAST_BENCH_SLOTS", "1"))
    size = Size(stacks=count, workers=_WORKERS, slots=each, pause=_TOOL_S / 2, lease=60.0)
    with tempfile.TemporaryDirectory(prefix="hf-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with an_estate(folder, size, hosts=False) as estate:
            end = time.monotonic() + 60 + 20 * count * _TOOL_S / (_WORKERS * each)
            while sum(one.act == "end" for one in ledger(estate)) < count and time.monotonic() < end:
                time.sleep(0.2)
            with record(estate) as kept:
                while restless(estate, kept) and time.monotonic() < end:
                    time.sleep(0.2)
                begun = next(one.at for one in kept.events(limit=_FIRST) if isinstance(one.event, Planned))
            took = ledger(estate)[-1].at - begun
            for worker in estate.workers:
                worker.stop()
            faults = judge(estate).faults
    ideal = count * _TOOL_S / (_WORKERS * each)
    return [
        Figure(
            id="P8",
            work=f"{_WORKERS} workers on PostgreSQL apply {count} stacks, 1 s of tool each, {_WORKERS * each} at once",
            ours=took,
            rival=ideal,
            target=1 / 0.9,
            note=f"{ideal / took:.2f} of the ideal; {faults or '0 overlaps, 0 lost'}",
            low=took,
            high=took,
        )
    ]

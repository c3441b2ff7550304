"""Workers are killed, stopped and cut off beside a ledger that knows all that their tools did; `make torture` is longer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from estate import ADAPTER, Estate, Size, an_estate
from hosts import a_name_of_its_own
from nemeses import database_stopped, killed, paused
from server import Server
from torture import torture
from verdict import judge, judged, ledger, record, restless

TOOL = ADAPTER / "ledger.sh"

pytestmark = pytest.mark.needs("git", "initdb", "pg_ctl", "flock")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the database's own user may enter; pytest's are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="hf-torture-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def until(holds, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.long
def test_killed_stopped_and_without_their_database_workers_lose_nothing_and_do_nothing_twice(place: Path) -> None:
    seed = int(os.environ.get("HOLDFAST_TORTURE_SEED", "20"))
    size = Size(stacks=24, workers=3, slots=2, pause=0.1, lease=3.0)
    faults = (killed, paused, database_stopped)
    verdict = torture(place, size, seed, 12.0, hosts=False, faults=faults, patience=150.0)
    assert verdict.faults == {}
    assert verdict.counts["effects"] >= size.stacks


@pytest.mark.skipif(not a_name_of_its_own(), reason="a program cannot be given another host's name here")
def test_what_a_killed_worker_left_is_found_by_its_host_though_another_one_came_first(place: Path) -> None:
    size = Size(stacks=1, workers=2, slots=1, pause=3.0, lease=3.0)
    with an_estate(place, size, hosts=False) as estate:
        until(lambda: ledger(estate))
        with record(estate) as kept:
            state = kept.row("estate/s000@default").state
        assert state.applying
        (its,) = [one for one in estate.workers if state.applying.host.startswith(f"{one.host.name}+")]
        (other,) = [one for one in estate.workers if one is not its]
        its.kill()
        until(lambda: "may be at work: it ran on" in other.log.read_text())
        assert judge(estate).restless
        its.start()
        with record(estate) as kept:
            until(lambda: not restless(estate, kept), 50.0)
        assert judge(estate).faults == {}


def test_the_ledger_tells_on_two_tools_at_once_and_on_what_is_made_twice(tmp_path: Path) -> None:
    estate = Estate(folder=tmp_path, size=Size(stacks=2, workers=0), server=Server(folder=tmp_path / "server"))
    for name in ("objects", "busy"):
        (estate.cloud / name).mkdir(parents=True)

    def tool(stack: str, kind: str, pause: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([TOOL, "apply", estate.cloud, f"estate.{stack}.default", kind, "v1", pause])

    for kind in ("create", "update"):
        assert tool("s000", kind, "0").wait() == 0
    assert judged(estate).faults == {}
    first, second = tool("s001", "create", "1"), tool("s001", "create", "1")
    assert first.wait() == second.wait() == 0
    assert judged(estate).faults == {"overlaps": ["s001"], "duplicates": ["s001"]}

"""The program dies at every named point in turn; the next one finds out what happened and does nothing twice."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import pytest
from e2e_yard import Yard

from orchestrator.effects import keeper
from orchestrator.effects.failpoints import POINTS
from orchestrator.model.event import ApplyStarted

pytestmark = pytest.mark.needs("git", "terraform")

#: All but those that no apply passes: `test_rotation.py` has them.
WORKERS = [
    f"{port}.{method}.{when}"
    for port in POINTS
    if port != "rotation"
    for method in POINTS[port]
    for when in ("before", "after")
]
#: Those that are passed in an apply that nothing happened before.
FIRST = [one for one in WORKERS if one.rpartition(".")[0] not in {"attempts.look", "attempts.kill"}]
KEEPERS = re.findall(r'self\.failpoint\("(keeper\.\w+)"\)', Path(keeper.__file__).read_text())
#: Which entry of an apply says how its attempt ended.
ENDED = 4
#: Around the entries that say that the attempt begins and how it ended.
BEGUN = [f"record.append.{when}:{number}" for when in ("before", "after") for number in (ENDED - 1, ENDED)]
#: So often at most a point is passed in one apply of one stack.
MOST = 12

#: The cheapest thing that terraform can make; the ledger says when, and in which attempt.
STACK = """
resource "terraform_data" "made" {
  input = "one"
  provisioner "local-exec" {
    command = "printf '{\\"at\\": %%s, \\"act\\": \\"create\\", \\"name\\": \\"made\\", \\"attempt\\": \\"%%s\\"}\\n' $(date +%%s.%%N) $HOLDFAST_ATTEMPT >>%s/ledger.jsonl"
  }
}
output "made" { value = terraform_data.made.output }
"""


@pytest.fixture
def web(yard: Yard) -> Yard:
    yard.commit(
        {
            "stacks.yaml": "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n",
            "web/main.tf": STACK % yard.cloud,
        }
    )
    return yard


def dies(yard: Yard, point: str) -> bool:
    """Apply with the point armed; whether the program died of it."""
    done = yard.apply(HOLDFAST_FAILPOINT=point)
    assert "Traceback" not in done.said
    if point.startswith("keeper."):
        return True
    if done.code != -signal.SIGKILL:
        done.ended(0)
    return done.code == -signal.SIGKILL


def comes_to_rest(yard: Yard) -> bool:
    """Apply anew and check every promise; whether a person had to accept that something may be there twice."""
    done = yard.apply()
    asked = done.code == 5
    if asked:
        unknown = yard.state("web").unknown
        assert unknown is not None
        assert unknown.dead
        done.ended(5, "may create a second time: terraform_data.made")
        assert yard.created()["made"] <= 1, "nothing is made again unless somebody accepts it"
        done = yard.apply("--accept-duplicates")
    done.ended(0)
    state = yard.state("web")
    assert state.applied is not None
    assert state.applying is None
    assert state.unknown is None
    recorded = {e.event.attempt.folder: e.at for e in yard.entries("web") if isinstance(e.event, ApplyStarted)}
    for line in yard.ledger():
        assert recorded[line["attempt"]] <= line["at"], "an effect before its attempt was recorded"
    assert yard.created()["made"] == 1 or asked
    yard.everything_belongs_to_an_attempt("web")
    with yard.record() as record:
        assert record.verify() is None
    if left_behind(yard):
        # Whatever command comes next takes it away.
        yard.run("status").ended(0)
    assert left_behind(yard) == []
    return asked


def left_behind(yard: Yard) -> list[Path]:
    """Return the raw output that lies there: it may hold secrets."""
    return [*(yard.home / "attempts").glob("*/*"), *(yard.home / "spool").glob("*")]


def weighed(points: Iterable[str]) -> list[object]:
    """Sweep every point in the full run, and in every run those around the attempt itself."""
    close = ("record.append", "attempts.")
    return [one if one.startswith(close) else pytest.param(one, marks=pytest.mark.full) for one in points]


@pytest.mark.parametrize("point", weighed([*FIRST, *BEGUN]))
def test_a_program_that_dies_at_a_point_leaves_nothing_undone_and_does_nothing_twice(web: Yard, point: str) -> None:
    assert dies(web, point), "the point is never passed"
    assert not comes_to_rest(web), "its keeper lived on: how the tool ended is known"


@pytest.mark.parametrize("point", weighed(one for one in WORKERS if one not in FIRST))
def test_a_program_that_dies_while_it_recovers_can_be_recovered_from(web: Yard, point: str) -> None:
    # Whoever dies before it can append the end leaves an attempt to be looked into.
    assert dies(web, f"record.append.before:{ENDED}")
    assert web.state("web").applying is not None
    assert dies(web, point), "the point is never passed"
    comes_to_rest(web)


@pytest.mark.parametrize("point", KEEPERS)
def test_a_keeper_that_dies_at_a_point_leaves_nothing_unsaid(web: Yard, point: str) -> None:
    dies(web, point)
    comes_to_rest(web)


@pytest.mark.full
@pytest.mark.parametrize("point", FIRST)
def test_it_may_die_at_any_later_passing_of_a_point(web: Yard, point: str) -> None:
    for time in count(2):
        assert time <= MOST
        if not dies(web, f"{point}:{time}"):
            break
        comes_to_rest(web)
        # The next round starts from nothing, as the first did.
        web.run("apply", "--destroy", "web", "--confirm", "web").ended(0)
        web.run("resume", "web").ended(0)
        (web.cloud / "ledger.jsonl").unlink(missing_ok=True)

"""``kill -9`` in the middle of applies: holdfast, keeper, tool, or all of them; nothing is lost and nothing made twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import psutil
import pytest
from e2e_yard import Yard, until

pytestmark = pytest.mark.needs("git", "terraform")

STACK = """
variable "size" { default = 1 }
resource "lab_object" "first" {
  name  = "first"
  size  = var.size
  delay = %(delay)s
}
resource "lab_object" "second" {
  name       = "second"
  size       = var.size
  delay      = %(delay)s
  depends_on = [lab_object.first]
}
output "ids" { value = [lab_object.first.id, lab_object.second.id] }
"""
#: Seconds that a create takes: half of it before the object is there, half after.
DELAY = 0.8


class Victim(StrEnum):
    """Who is killed."""

    HOLDFAST = "holdfast"
    KEEPER = "keeper"
    TOOL = "tool"
    GROUP = "whole group"


class Moment(StrEnum):
    """When."""

    #: At a random time of the whole command.
    ANY = "any"
    #: While the provider creates, before the object is there.
    BEFORE_EFFECT = "create begun"
    #: While the provider creates, the object is there and the tool does not know.
    AFTER_EFFECT = "object made"


#: For about how many seconds a victim lives: kills at any time are spread over them.
LIVES = {Victim.HOLDFAST: 5.0, Victim.KEEPER: 1.6, Victim.TOOL: 3.0, Victim.GROUP: 5.0}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One case: everything about it comes from its number."""

    number: int
    victim: Victim
    moment: Moment
    #: For ``ANY``: seconds after the victim's start.
    after: float

    def __str__(self) -> str:
        return f"{self.number:02}-{self.victim}-{self.moment}".replace(" ", "-")


def kills(count: int) -> list[Kill]:
    """Return the cases, spread over victims and moments; the same every time."""
    seeded = random.Random(20261123)  # noqa: S311 - to be the same every time is the point
    victims, moments = list(Victim), [Moment.ANY, Moment.BEFORE_EFFECT, Moment.ANY, Moment.AFTER_EFFECT, Moment.ANY]
    return [
        Kill(number=n, victim=victims[n % 4], moment=moments[n % 5], after=seeded.uniform(0.0, LIVES[victims[n % 4]]))
        for n in range(count)
    ]


#: Every victim inside a create, and two at any time.
QUICK = [one for one in kills(20) if one.moment is not Moment.ANY][:6] + kills(3)[::2]


@pytest.fixture
def web(yard: Yard) -> Yard:
    yard.commit(
        {
            "stacks.yaml": "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n",
            "web/main.tf": yard.lab + STACK % {"delay": DELAY},
        }
    )
    return yard


def tree(root: int) -> dict[str, list[int]]:
    """Return who works for the command ``root``, by what they are."""
    found: dict[str, list[int]] = {"holdfast": [root], "keeper": [], "tool": [], "provider": []}
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(root).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                words = " ".join(process.cmdline())
                kind = (
                    "keeper"
                    if "keeper.py" in words
                    else "provider"
                    if "terraform-provider-lab" in words
                    else "tool"
                    if "terraform" in words
                    else "other"
                )
                found.setdefault(kind, []).append(process.pid)
    return found


def bodies(victim: Victim, root: int) -> list[int]:
    """Return whom to kill."""
    found = tree(root)
    match victim:
        case Victim.HOLDFAST | Victim.KEEPER | Victim.TOOL:
            return found[victim.value]
        case Victim.GROUP:
            return [pid for kind in found.values() for pid in kind]


def strike(victim: Victim, root: int) -> bool:
    """Kill; whether there was anybody to kill."""
    pids = bodies(victim, root)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(pids)


def wait_for(kill: Kill, yard: Yard, process: subprocess.Popen[str]) -> None:
    """Return at the moment of the kill."""
    match kill.moment:
        case Moment.ANY:
            # Counted from the victim's first breath: there must be somebody to be killed.
            until(lambda: bodies(kill.victim, process.pid))
            time.sleep(kill.after)
            until(lambda: bodies(kill.victim, process.pid) or process.poll() is not None)
        case Moment.BEFORE_EFFECT:
            until(lambda: b"apply_start" in saying(yard))
        case Moment.AFTER_EFFECT:
            until(lambda: yard.created()["first"])


def saying(yard: Yard) -> bytes:
    """Return what the tool of a running attempt has said so far."""
    return b"".join(path.read_bytes() for path in (yard.home / "attempts").glob("*/1/stdout"))


def carry_out(kill: Kill, yard: Yard) -> str:
    """Kill, apply anew, check every promise; returns what came of it in a word."""
    process = yard.start("apply", "--yes")
    wait_for(kill, yard, process)
    struck = strike(kill.victim, process.pid)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    assert struck or kill.moment is Moment.ANY, "nobody was there to be killed"
    done = yard.apply()
    outcome = "at rest" if struck else "it was over already"
    assert "Traceback" not in done.said
    if done.code == 5:
        outcome = "unknown, then accepted"
        unknown = yard.state("web").unknown
        assert unknown is not None
        assert unknown.dead, "nobody is asked while something may still be at work"
        assert "may create a second time" in done.said
        assert nothing_is_there_twice(yard), "nothing is made again unless somebody accepts it"
        # Whoever looks into the cloud removes what the tool does not know of, and accepts.
        orphans = remove_orphans(yard)
        done = yard.apply("--accept-duplicates")
        outcome += f", {orphans} orphan" if orphans else ""
    done.ended(0)
    at_rest(yard)
    return outcome


def nothing_is_there_twice(yard: Yard) -> bool:
    return all(times == 1 for times in yard.created().values())


def remove_orphans(yard: Yard) -> int:
    """Remove objects that the kept state does not know, as a person would; returns how many there were."""
    kept = b"".join(content for _, content in yard.files_below(yard.home / "state"))
    orphans = [one["id"] for one in yard.objects() if one["id"].encode() not in kept]
    for identity in orphans:
        (yard.cloud / "objects" / f"{identity}.json").unlink()
    return len(orphans)


def at_rest(yard: Yard) -> None:
    """Assert that everything is there once, known to the tool, and done within recorded attempts."""
    state = yard.state("web")
    assert state.applied is not None
    assert (state.applying, state.unknown) == (None, None)
    assert sorted(one["name"] for one in yard.objects()) == ["first", "second"]
    known = yard.run("outputs", "web", "-o", "json").ended(0).json["outputs"]["ids"]["value"]
    assert sorted(known) == sorted(one["id"] for one in yard.objects()), "a state that knows what is there"
    yard.everything_belongs_to_an_attempt("web")
    with yard.record() as record:
        assert record.verify() is None
    yard.forget_starts()
    yard.apply().ended(0)
    assert yard.starts() == [], "at rest nothing is left to do"


@pytest.mark.parametrize(
    "kill",
    [*QUICK[::3], *(pytest.param(one, marks=pytest.mark.full) for one in QUICK if one not in QUICK[::3])],
    ids=str,
)
def test_a_kill_loses_nothing_and_makes_nothing_twice(web: Yard, kill: Kill) -> None:
    carry_out(kill, web)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_fifty_kills(yard: Yard, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> None:
    table: Counter[tuple[str, str, str]] = Counter()
    for kill in kills(50):
        one = Yard(folder=tmp_path_factory.mktemp(str(kill)), cli_config=yard.cli_config)
        one.lay()
        one.commit(
            {
                "stacks.yaml": "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n",
                "web/main.tf": one.lab + STACK % {"delay": DELAY},
            }
        )
        table[kill.victim, kill.moment, carry_out(kill, one)] += 1
    with capsys.disabled():
        print("\nkilled        when          what came of it                     times")
        for (victim, moment, outcome), times in sorted(table.items()):
            print(f"{victim:<13} {moment:<13} {outcome:<36} {times}")
    assert sum(times for (_, moment, _), times in table.items() if moment != Moment.ANY) >= 10
    assert sum(times for (_, _, outcome), times in table.items() if "over" in outcome) <= 5

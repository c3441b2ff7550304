"""A command that was killed, or whose terminal was closed: no secret of it stays behind, and no run goes on for ever."""

from __future__ import annotations

import json
import os
import signal

import pytest
from e2e_yard import Yard, until

pytestmark = pytest.mark.needs("git", "terraform")

SECRET = "c4n4ry-of-the-inputs"


def begun(yard: Yard):
    """Start a plan that does not end, and return it once its inputs lie there."""
    stacks = {"web": {"tool": "terraform", "path": "web", "inputs": {"password": "${secret:pw}"}}}
    yard.commit(
        {
            "stacks.yaml": json.dumps({"version": 1, "project": "estate", "stacks": stacks}),
            "web/main.tf": 'variable "password" { type = string }\n',
        }
    )
    yard.extra["HOLDFAST_SECRET_PW"] = SECRET
    wrapper = yard.folder / "bin" / "terraform"
    wrapper.write_text(wrapper.read_text().replace("exec", '[ "$1" = plan ] && exec sleep 600\nexec', 1))
    process = yard.start("plan")
    until(lambda: ("plan", "web") in yard.starts())
    assert holding(yard)
    return process


def holding(yard: Yard) -> list[str]:
    """Return the files below the home that hold the secret."""
    return [str(path) for path, content in yard.files_below(yard.home) if SECRET.encode() in content]


def ended(yard: Yard) -> bool:
    return all(run["ended_at"] for run in yard.run("runs", "-o", "json").ended(0).json["runs"])


def test_nothing_of_a_killed_worker_stays_though_its_stack_is_never_worked_again(yard: Yard) -> None:
    process = begun(yard)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    yard.commit({"stacks.yaml": "version: 1\nproject: estate\ndiscover: false\nstacks: {}\n", "web/main.tf": None})
    yard.run("status").ended(0)
    assert holding(yard) == []
    assert ended(yard)


def test_a_closed_terminal_ends_a_command_as_a_plain_kill_does(yard: Yard) -> None:
    process = begun(yard)
    os.kill(process.pid, signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert holding(yard) == []
    assert ended(yard)

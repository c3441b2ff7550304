"""A backend that fails in the middle: what was made is saved first, by the attempt that made it, and nobody is stuck."""

from __future__ import annotations

import json
import os
import signal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from e2e_yard import Yard, until

from orchestrator.effects import liveness
from orchestrator.model.event import LockSeen, Outcome, SavingFailed, UnlockEnded, UnlockStarted

if TYPE_CHECKING:
    from state_server import StateServer

pytestmark = pytest.mark.needs("git", "terraform")

WEB = 'terraform {\n  backend "http" {}\n}\nresource "lab_object" "web" {\n  name  = "web"\n  size  = %s\n  delay = %s\n}\n'


def commit(yard: Yard, server: StateServer, size: int, delay: int = 0) -> None:
    backend = json.dumps(server.settings["backend_config"])
    stacks = f"version: 1\nproject: estate\nstacks:\n  web: {{tool: terraform, path: web, backend_config: {backend}}}\n"
    yard.commit({"stacks.yaml": stacks, "web/main.tf": yard.lab + WEB % (size, delay)})


def test_what_a_backend_did_not_take_is_saved_by_its_attempt_and_then_the_rest_is_done(
    yard: Yard, server: StateServer
) -> None:
    commit(yard, server, 1)
    server.refuses = True
    yard.apply().ended(1, "HF-2011", "could not save")
    assert yard.created() == {"web": 1}
    ((_, _, end, _),) = yard.attempts("web")
    assert end is None, "before its state is saved it has no end"
    # Whoever looks is told so; nothing is planned on a state that does not know of what is there.
    yard.forget_starts()
    yard.run("plan").ended(1, "HF-2011")
    yard.run("drift", "web").ended(1)
    yard.apply().ended(1, "HF-2011")
    assert not {verb for verb, _ in yard.starts()} & {"plan", "apply"}
    assert yard.status()["web"]["health"] == "Degraded"
    yard.run("explain", "web").ended(0, "has yet to save its state")
    said = [entry.event for entry in yard.entries("web") if isinstance(entry.event, SavingFailed)]
    assert len(said) == 1, "each look that finds the same says nothing new"
    server.refuses = False
    commit(yard, server, 2)
    yard.apply().ended(0, "1 applied")
    assert yard.created() == {"web": 1}
    assert [one["size"] for one in yard.objects()] == [2]
    assert [end and end.outcome for _, _, end, _ in yard.attempts("web")] == [Outcome.FAILED, Outcome.SUCCEEDED]
    yard.everything_belongs_to_an_attempt("web")
    yard.record_is_sound()


def test_a_stack_whose_state_waits_is_renamed_once_it_is_saved(yard: Yard, server: StateServer) -> None:
    commit(yard, server, 1)
    server.refuses = True
    yard.apply().ended(1, "HF-2011")
    good = (yard.checkout / "stacks.yaml").read_text()
    yard.commit({"stacks.yaml": good.replace("  web: {", "  site: {moved_from: web, ")})
    yard.run("status").ended(0)
    assert yard.state("web").moved_to == ""
    server.refuses = False
    yard.apply().ended(0)
    assert yard.state("web").moved_to == yard.key("site")
    assert yard.created() == {"web": 1}


@pytest.mark.full
def test_the_lock_of_a_killed_attempt_is_freed_as_a_step_of_it_recorded_before_and_after(
    yard: Yard, server: StateServer
) -> None:
    commit(yard, server, 1, delay=60)
    started = yard.start("apply", "--yes")
    until(lambda: yard.ledger() and server.lock)
    lives = liveness.table()
    for folder in (yard.home / "attempts").glob("*"):
        for pid in liveness.marked(lives, str(folder)):
            os.kill(pid, signal.SIGKILL)
    started.communicate(timeout=100)
    lock = json.loads(server.lock)["ID"]
    yard.run("plan").ended(75, "HF-2005")
    # This backend does not tell whose lock it is: as where it does, the record knows.
    with yard.record() as record:
        state = record.row(yard.key("web")).state
        record.append(yard.key("web"), [LockSeen(lock_id=lock)], expected=state.version, run=1)
    yard.run("unlock", "web").ended(64, "--confirm web")
    server.refuses_unlock = True
    yard.run("unlock", "web", "--confirm", "web").ended(1)
    assert server.lock
    server.refuses_unlock = False
    yard.run("unlock", "web", "--confirm", "web").ended(0, f"freed lock {lock}")
    assert server.lock == b""
    events = [entry.event for entry in yard.entries("web") if isinstance(entry.event, UnlockStarted | UnlockEnded)]
    assert [(type(event).__name__, getattr(event, "code", "")) for event in events] == [
        ("UnlockStarted", ""),
        ("UnlockEnded", "HF-2004"),
        ("UnlockStarted", ""),
        ("UnlockEnded", ""),
    ]
    assert {(event.lock_id, event.by) for event in events} == {(lock, "ana@lab.example")}
    yard.run("unlock", "web", "--confirm", "web").ended(64, "HF-1913")
    commit(yard, server, 1)
    yard.apply("--accept-duplicates").ended(0)
    spans = [(began, ended) for _, began, _, ended in yard.attempts("web")]
    assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))
    yard.record_is_sound()

"""A container that was killed in the middle of an apply: what every command says of it, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from test_world import NETWORK, Small, make, value

from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.holder import this_process
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.model.event import ApplyStarted
from orchestrator.model.observed import Applying

pytestmark = pytest.mark.needs("git")


@pytest.fixture
def fresh(tmp_path) -> Small:
    return make(tmp_path)


@contextmanager
def held_elsewhere(small: Small, *, applying: bool) -> Iterator[None]:
    """Have a process on another host hold the network, and perhaps apply what is proposed for it."""
    database, clock = open_database(f"sqlite:///{small.folder}/home/record.db"), SystemClock()
    record = SqlRecord(database=database, clock=clock, actor="ana@acme.example")
    row = next(row for row in record.rows() if row.key.endswith("/network@default"))
    far = LocalAgenda(database=database, clock=clock, me=replace(this_process(), host="far", boot_id="far"))
    with far.hold(row.key):
        if applying:
            proposal = row.state.tracks["main"].proposal
            attempt = Applying(
                number=row.state.attempts + 1,
                run=proposal.run,
                proposal=proposal,
                host="far",
                boot_id="far",
                folder="/nowhere/attempts/1",
                by="ana",
                started_at=clock.now(),
            )
            record.append(row.key, [ApplyStarted(attempt=attempt)], expected=row.state.version, run=proposal.run)
        yield
    database.close()


def test_an_apply_whose_host_is_gone_is_resolved_by_a_persons_word(fresh):
    fresh.ends(0, "plan", "network")
    with held_elsewhere(fresh, applying=True):
        way_out = "holdfast resolve network"
        status = value(fresh.ends(0, "status", "network", "--json"))["stacks"][0]
        assert "it ran on far" in status["why"]
        assert way_out in status["why"]
        assert way_out in fresh.ends(0, "explain", "network").stdout
        for words in (("unlock", "network", "--confirm", "network"), ("cancel", "1")):
            refused = fresh.ends(75, *words).stderr
            assert "HF-4203" in refused
            assert way_out in refused
        # Its worker's hold is the first thing that an apply meets.
        assert "holdfast resolve small/network@default" in fresh.ends(75, "apply", "network", "--yes").stdout
        fresh.refused(64, "HF-1905", "resolve", "network", "--reason", "node replaced")
        fresh.refused(64, "HF-1905", "resolve", "network", "--confirm", "web")
        said = value(fresh.ends(0, "resolve", "network", "--confirm", "network", "--reason", "node replaced", "--json"))
        assert (said["attempt"], said["outcome"], said["by"]) == (1, "unknown", "ana@acme.example")
        events = value(fresh.ends(0, "show", "3", "--json"))["events"]
        assert events[0]["sentence"] == (
            "ana@acme.example says that nothing of attempt 1 is alive any more: node replaced"
        )
        # It may have been made: the next apply looks, and asks.
        assert "may create a second time" in fresh.ends(5, "apply", "network", "--yes").stdout
        fresh.ends(0, "apply", "network", "--yes", "--accept-duplicates")
    fresh.refused(64, "HF-1919", "resolve", "network", "--confirm", "network")


def test_a_plan_whose_host_is_gone_leaves_a_hold_that_a_word_frees(fresh):
    fresh.ends(0, "apply", "network", "--yes")
    fresh.commit(network__main=NETWORK.replace("10.0", "10.1"))
    with held_elsewhere(fresh, applying=False):
        assert "holdfast resolve" in fresh.ends(75, "plan", "network").stdout
        freed = fresh.ends(0, "resolve", "network", "--confirm", "network")
        assert freed.stdout == "network is free: its holder counts as gone\n"
        fresh.ends(0, "apply", "network", "--yes")

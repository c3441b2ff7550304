"""The record's database goes away in the middle of the work: no stack failed, no attempt is unknown, nothing is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from world import AUTO, World

from orchestrator.errors import RecordAway
from orchestrator.model.action import Reason
from orchestrator.model.event import ApplyEnded, ApplyRefused, ApplyStarted, Outcome, PlanFailed


class GoingAway:
    """Artifacts that lie in the record's database, which goes away once, at the ``at``-th use."""

    def __init__(self, artifacts, at: int) -> None:
        self.artifacts, self.left = artifacts, at

    def _use(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise RecordAway("the record cannot be used: connection refused")

    def put(self, content):
        self._use()
        return self.artifacts.put(content)

    def get(self, sha256):
        self._use()
        return self.artifacts.get(sha256)


@pytest.mark.parametrize("broken", [{}, {"apply": KeyError("x")}], ids=["an apply", "a recovery"])
def test_whenever_it_goes_away_the_next_look_ends_what_was_begun(tmp_path, broken):
    for at in range(1, 100):
        home = tmp_path / str(at)
        home.mkdir()
        world = World(home, AUTO)
        world.commit({"web/objects": "a=1 b=2"})
        world.broken.update(broken)
        away = GoingAway(world.outside.artifacts, at)
        world.outside = replace(world.outside, artifacts=away)
        try:
            settled = world.settle()
        except RecordAway:
            settled = world.settle()
        assert settled.rest.reason is Reason.CONVERGED, (at, settled.rest)
        happened = [one.event for one in world.record.events(stack="infra/web@default")]
        assert not [one for one in happened if isinstance(one, PlanFailed | ApplyRefused)]
        assert [one.outcome for one in happened if isinstance(one, ApplyEnded)] == [Outcome.SUCCEEDED]
        assert sum(isinstance(one, ApplyStarted) for one in happened) == 1
        assert Counter(name for _, verb, name in world.cloud.ledger if verb == "create") == {
            "infra/web@default:a": 1,
            "infra/web@default:b": 1,
        }
        world.record.database.close()
        if away.left > 0:
            assert at > 5, "the sweep must meet uses"
            return
    raise AssertionError("it never came to an end")

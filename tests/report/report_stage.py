"""What an outbox stands on in the tests: the engine's world of values, whose record is real."""

from __future__ import annotations

from dataclasses import dataclass

from receiving import Said
from world import World

from orchestrator.effects.cursors import RecordCursors
from orchestrator.model.policy import DriftAnswer, DriftPolicy
from orchestrator.report.outbox import Ground, Pace

REPAIR = DriftPolicy(every_s=3600.0, answer=DriftAnswer.REPAIR)
QUICK = Pace(gather_s=0.0, poll_s=0.01, first_wait_s=0.01, longest_wait_s=0.05)


@dataclass
class Stage:
    """What an outbox stands on."""

    world: World
    said: Said

    @property
    def cursors(self) -> RecordCursors:
        return RecordCursors(database=self.world.record.database)

    @property
    def ground(self) -> Ground:
        return Ground(
            record=self.world.record,
            cursors=self.cursors,
            journal=self.said,
            now=self.world.now,
            external_url="https://holdfast.example.org",
        )

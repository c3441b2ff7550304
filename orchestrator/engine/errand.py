"""What somebody asked to be worked now, beside the loop: plans of stacks, or exactly those that they said yes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.engine.acts.consent import Word, approve
from orchestrator.engine.acts.words import nudge
from orchestrator.engine.crew import Crew
from orchestrator.engine.looking import Found, look
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.side_by_side import Stopping, Tell, at_once, ordered
from orchestrator.engine.waking import wake_readers
from orchestrator.errors import UsageError
from orchestrator.model.observed import Proposal
from orchestrator.model.policy import Mode
from orchestrator.model.stack import GOING_DOWN, Stack, StackKey
from orchestrator.ports import Run
from orchestrator.rules.order import readers
from orchestrator.telling.rows import Mark, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One reading to work on, with the hands of who asks."""

    outside: Outside
    reading: Reading

    @property
    def stacks(self) -> dict[StackKey, Stack]:
        """Every stack of the reading."""
        return dict(self.reading.layout.stacks)

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.outside.clock.now()

    def going_down(self) -> Site:
        """Return it as it would be with every stack taken down: only to be planned, on a track of its own."""
        return replace(self, reading=replace(self.reading, track=GOING_DOWN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Everything that working for somebody takes."""

    site: Site
    run: Run
    stop: Stopping
    tell: Tell
    parallel: int = 0

    def plan(self, keys: Sequence[StackKey], *, afresh: bool, backwards: bool) -> list[Row]:
        """Plan stacks, wave by wave; what somebody said no to is planned ``afresh`` where that is asked for."""
        crew = self.crew(afresh=afresh)
        waves = ordered(self.site, keys, backwards=backwards)
        return [row for wave in waves if not self.stop.wanted for row in crew.rows(crew.settle(wave, Mode.OBSERVE))]

    def apply(self, seen: Mapping[StackKey, Proposal], yes: Mapping[StackKey, Word]) -> list[Row]:
        """Apply exactly the proposals that were seen; ``yes`` holds the words that some of them still took.

        Raises UsageError (HF-1906) where another proposal stands in the place of one.
        """
        for key, word in yes.items():
            approve(self.site.outside, key, seen[key], word, run=self.run.number, wakes=False)
        crew = self.crew()
        keys = [key for wave in ordered(self.site, tuple(seen)) for key in wave]
        rows = crew.rows(crew.settle(keys, Mode.PROPOSE))
        for key in yes:
            # What still waits for a time, a gate or another stack is the loop's from here.
            nudge(self.site.outside, key, f"{yes[key].caller.actor} spoke")
        applied = [row.key for row in rows if row.mark is Mark.APPLIED]
        wake_readers(self.site.outside, readers(self.site.stacks), applied, but=keys)
        return rows

    def look(self, keys: Sequence[StackKey]) -> list[Found]:
        """Look for drift in stacks, side by side."""
        parallel = at_once(self.parallel)
        return look(self.site, self.run, keys, parallel=parallel, stop=self.stop, tell=self.tell)

    def crew(self, *, afresh: bool = False) -> Crew:
        """Return who does it."""
        parallel = at_once(self.parallel)
        return Crew(ground=self.site, run=self.run, stop=self.stop, tell=self.tell, parallel=parallel, afresh=afresh)


def standing_proposal(site: Site, key: StackKey, number: int, digest: str) -> Proposal:
    """Return the proposal that was seen. Raises UsageError (HF-1906) where it no longer stands."""
    state = site.outside.record.row(str(key)).state
    view = state.tracks.get(site.reading.track)
    proposal = view.proposal if view else None
    if proposal is None or (proposal.number, proposal.changes_digest) != (number, digest):
        raise UsageError(
            f"proposal {number} of {key.short} no longer stands",
            code="HF-1906",
            hint=f"look again: holdfast show {key.short}",
        )
    return proposal

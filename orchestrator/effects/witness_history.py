"""The witness that has read our own record: who applied what is there, and what of ours was at work meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.contract import Shell
from adapters.testimony import Confidence, Testimony
from orchestrator.model.event import ApplyEnded, ApplyStarted, Outcome
from orchestrator.model.inquiry import Inquiry
from orchestrator.model.observed import Applying
from orchestrator.ports import Record

#: Runs that are looked through for attempts of the time in question.
_MOST_RUNS: Final = 50
_OF: Final = {
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "ended unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWitness:
    """`ports.Witness` over the record and what the source says of its revisions."""

    record: Record
    name: str = "record"

    def testify(self, inquiry: Inquiry, shell: Shell) -> tuple[Testimony, ...]:  # noqa: ARG002 - nothing is run
        """Say who applied what is there, and which attempts that did not end well may have changed it since."""
        return (*self._attempts(inquiry), self._applied(inquiry))

    def _applied(self, inquiry: Inquiry) -> Testimony:
        applied = inquiry.applied
        run = self.record.run(applied.run)
        by = f" by {run.actor}" if run and run.actor else ""
        author = f", authored by {inquiry.author}" if inquiry.author else ""
        what = f"last applied{by} in run {applied.run} at {applied.revision[:7]}{author}"
        return Testimony(what=what, source=self.name, confidence=Confidence.HINT)

    def _attempts(self, inquiry: Inquiry) -> Iterator[Testimony]:
        """Yield the attempts of the time in question that may have left half of what they were to do."""
        started: dict[int, Applying] = {}
        for run in reversed(self.record.runs(limit=_MOST_RUNS)):
            if run.at > inquiry.until or (run.ended_at is not None and run.ended_at < inquiry.since):
                continue
            for entry in self.record.events(stack=str(inquiry.stack), run=run.number):
                event = entry.event
                if isinstance(event, ApplyStarted):
                    started[event.attempt.number] = event.attempt
                elif isinstance(event, ApplyEnded) and inquiry.since <= entry.at <= inquiry.until:
                    attempt = started.get(event.attempt)
                    yield from self._half_done(attempt, event.outcome, entry.at) if attempt else ()

    def _half_done(self, attempt: Applying, outcome: Outcome, at: float) -> Iterator[Testimony]:
        if outcome in _OF:
            what = (
                f"attempt {attempt.number} of run {attempt.run} at {attempt.proposal.revision[:7]} {_OF[outcome]}, "
                "and may have done some of it"
            )
            yield Testimony(who=attempt.by, at=at, what=what, source=self.name, confidence=Confidence.LIKELY)

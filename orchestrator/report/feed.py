"""Turns entries of the record into happenings. Looks into the record for what an entry itself does not say."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from adapters.contract import Goal
from orchestrator.model.event import (
    ApplyEnded,
    ApplyRefused,
    ApplyStarted,
    Asked,
    DriftGone,
    DriftRecurs,
    DriftSeen,
    GateLifted,
    GateSet,
    NotConverged,
    Outcome,
    PlanFailed,
    SavingFailed,
    Vanished,
)
from orchestrator.model.gate import GateKind
from orchestrator.model.intent import Intended, Intent
from orchestrator.model.moment import stamp
from orchestrator.model.observed import Applying, Counts, Proposal, State, TrackView
from orchestrator.model.stack import GOING_DOWN, StackKey, is_scratch
from orchestrator.model.telling import Kind
from orchestrator.ports import Entry, Record
from orchestrator.report.happening import Happening

#: A row of failures that may pass by themselves is told once it is so long.
_STALLED_AFTER = 3


@dataclass(slots=True)
class Feed:
    """Reads happenings out of entries."""

    record: Record
    #: What the service is called by from outside, empty where nobody calls it.
    external_url: str = ""
    _states: dict[str, State] = field(default_factory=dict)
    _attempts: dict[tuple[str, int], Applying] = field(default_factory=dict)
    _batch: Sequence[Entry] = ()

    def read(self, entries: Sequence[Entry]) -> tuple[Happening, ...]:
        """Return what the entries tell, in order. Raises OrchestratorError where the record does not answer."""
        self._states, self._batch = {}, entries
        self._attempts = {
            (entry.stack, entry.event.attempt.number): entry.event.attempt
            for entry in entries
            if isinstance(entry.event, ApplyStarted)
        }
        return tuple(told for entry in entries for told in self._of(entry))

    def _of(self, entry: Entry) -> Iterator[Happening]:
        event = entry.event
        match event:
            case Asked():
                yield from self._asked(entry, event)
            case PlanFailed() | ApplyRefused():
                yield from self._failed(entry, event)
            case ApplyEnded():
                yield from self._ended(entry, event)
            case GateSet(gate=gate):
                until = f" until {stamp(gate.until)}" if gate.until else ""
                word = "suspended" if gate.kind is GateKind.SUSPENSION else "closed a gate for"
                yield self._gate(entry, Kind.GATE_CLOSED, gate.selector, f"{gate.who} {word} {gate.selector}{until}")
            case GateLifted(gate=number, by=by):
                yield self._gate(entry, Kind.GATE_LIFTED, "*", f"{by} lifted gate {number}")
            case Vanished():
                yield from self._vanished(entry, event)
            case NotConverged() | SavingFailed():
                yield from self._stalled(entry, event)
            case _:
                yield from self._drifted(entry)

    def _drifted(self, entry: Entry) -> Iterator[Happening]:
        match entry.event:
            case DriftSeen(items=items, revision=revision):
                words = f"{_counted(len(items), 'resource')} {'is' if len(items) == 1 else 'are'} not as applied"
                yield replace(self._made(entry, Kind.DRIFT_FOUND, words, "drift"), revision=revision)
            case DriftRecurs(repairs=repairs):
                words = f"drift is back after {_counted(repairs, 'repair')}: it is no longer put back"
                yield self._made(entry, Kind.DRIFT_RECURRING, words, "drift")
            case DriftGone():
                yield self._made(entry, Kind.DRIFT_GONE, "the drift is gone, and nothing of ours put it back", "drift")
            case _:
                pass

    def _stalled(self, entry: Entry, event: NotConverged | SavingFailed) -> Iterator[Happening]:
        earlier = self.record.events(stack=entry.stack, run=entry.run)
        if any(isinstance(one.event, type(event)) and one.seq < entry.seq for one in earlier):
            return
        if isinstance(event, SavingFailed):
            yield self._made(entry, Kind.RUN_STALLED, f"its state could not be saved ({event.code})", "explain")
        else:
            words = f"applied, and the same files would still change {_counted(len(event.pending), 'resource')}"
            yield self._made(entry, Kind.RUN_STALLED, words, "plan")

    def _vanished(self, entry: Entry, event: Vanished) -> Iterator[Happening]:
        state = self._state(entry.stack)
        if state.applied and state.applied.goal is not Goal.DESTROY and state.vanished_at is not None:
            words = "it is no longer in its source; what it made still stands"
            yield replace(self._made(entry, Kind.STACK_GONE, words, "show"), revision=event.revision)

    def _asked(self, entry: Entry, event: Asked) -> Iterator[Happening]:
        view = self._state(entry.stack).tracks.get(event.track, TrackView())
        proposal = view.proposal
        # Answered meanwhile, or planned anew: there is nothing left to answer.
        waits = proposal is not None and proposal.number == event.proposal and view.asked
        if proposal is None or not waits or view.rejected or view.consents or event.track == GOING_DOWN:
            return
        words = f"a plan waits for a yes: {_to_do(proposal)}"
        made = self._made(entry, Kind.PLAN_WAITING, words, "approve", f"--proposal={proposal.number}")
        yield replace(made, tool=proposal.tool.name, revision=proposal.revision)

    def _failed(self, entry: Entry, event: PlanFailed | ApplyRefused) -> Iterator[Happening]:
        if is_scratch(event.track) or event.track == GOING_DOWN or (isinstance(event, ApplyRefused) and event.stale):
            return
        refused = isinstance(event, ApplyRefused)
        view = self._state(entry.stack).tracks.get(event.track, TrackView())
        failure = view.failure
        if failure is None or failure.fingerprint != event.fingerprint:
            # It has passed already.
            return
        alike = [
            one.seq
            for one in self._batch
            if one.stack == entry.stack and isinstance(one.event, PlanFailed | ApplyRefused)
        ]
        # How many in a row there were with this one.
        row = failure.count - sum(seq > entry.seq for seq in alike)
        if row == (_STALLED_AFTER if event.transient else 1):
            what = "refused before it began" if refused else "cannot be planned"
            often = f", {row} times in a row" if event.transient else ""
            kind = Kind.RUN_STALLED if event.transient else Kind.APPLY_FAILED if refused else Kind.PLAN_FAILED
            yield self._made(entry, kind, f"{what} ({event.code}){often}", "explain")

    def _ended(self, entry: Entry, event: ApplyEnded) -> Iterator[Happening]:
        attempt, intent = self._attempt(entry, event.attempt), self._intent(entry, event.attempt)
        proposal = attempt.proposal if attempt else None
        tool, revision = (proposal.tool.name, proposal.revision) if proposal else ("", "")
        match event.outcome:
            case Outcome.SUCCEEDED if event.applied:
                state, applied = self._state(entry.stack), event.applied
                repaired = any(repair.run == entry.run for repair in state.repairs)
                removed = applied.goal is Goal.DESTROY
                words = "drift was put back: " if repaired else "taken down: " if removed else "applied: "
                kind = Kind.DRIFT_REPAIRED if repaired else Kind.APPLY_SUCCEEDED
                yield replace(
                    self._made(entry, kind, words + _done(applied.counts), "show"),
                    tool=applied.tool.name,
                    revision=applied.revision,
                    intent=intent,
                    removed=removed,
                    first=not state.previous_revision and not repaired,
                )
            case Outcome.FAILED:
                code = f" ({event.code})" if event.code else ""
                made = self._made(entry, Kind.APPLY_FAILED, f"apply failed{code}", "logs")
                yield replace(made, tool=tool or made.tool, revision=revision or made.revision, intent=intent)
            case Outcome.UNKNOWN:
                words = "nobody can say how an apply ended; nothing is tried again before somebody looks"
                made = self._made(entry, Kind.APPLY_UNKNOWN, words, "explain")
                yield replace(made, tool=tool or made.tool, revision=revision or made.revision, intent=intent)
            case _:
                # Not begun, or the world had moved: it is planned anew by itself.
                pass

    def _attempt(self, entry: Entry, number: int) -> Applying | None:
        known = self._attempts.get((entry.stack, number))
        if known is None:
            for other in self.record.events(stack=entry.stack, run=entry.run):
                if isinstance(other.event, ApplyStarted) and other.event.attempt.number == number:
                    known = other.event.attempt
        return known

    def _intent(self, entry: Entry, number: int) -> Intent | None:
        def said(entries: Sequence[Entry]) -> Intent | None:
            found = (one.event for one in entries if one.stack == entry.stack and isinstance(one.event, Intended))
            return next((event.intent for event in found if event.attempt == number), None)

        return said(self._batch) or said(self.record.events(stack=entry.stack, run=entry.run))

    def _state(self, stack: str) -> State:
        if stack not in self._states:
            self._states[stack] = self.record.row(stack).state
        return self._states[stack]

    def _gate(self, entry: Entry, kind: Kind, selector: str, summary: str) -> Happening:
        return Happening(
            kind=kind,
            seq=entry.seq,
            id=str(entry.seq),
            at=entry.at,
            stack=selector,
            run=entry.run,
            summary=summary,
            link=self._link(0),
            command="holdfast status",
        )

    def _made(self, entry: Entry, kind: Kind, summary: str, *command: str) -> Happening:
        try:
            key = StackKey.parse(entry.stack)
        except ValueError:
            key = StackKey(source="", name=entry.stack, environment="")
        applied = self._state(entry.stack).applied
        return Happening(
            kind=kind,
            seq=entry.seq,
            id=str(entry.seq),
            at=entry.at,
            stack=entry.stack,
            source=key.source,
            environment=key.environment,
            tool=applied.tool.name if applied else "",
            revision=applied.revision if applied else "",
            run=entry.run,
            summary=summary,
            link=self._link(entry.run),
            command=_command(key, entry.run, *command),
        )

    def _link(self, run: int) -> str:
        if not self.external_url:
            return ""
        return f"{self.external_url}/runs/{run}" if run else self.external_url


def _command(key: StackKey, run: int, verb: str, *words: str) -> str:
    target = str(run) if verb == "logs" else key.short
    source = ["--source", key.source] if key.source else []
    return shlex.join(["holdfast", verb, target, *words, *source])


def _to_do(proposal: Proposal) -> str:
    counts = proposal.counts
    parts = _parts(counts, ("to create", "to change", "to replace", "to destroy", "of which nobody knows"))
    return ", ".join(parts) or "nothing to change"


def _done(counts: Counts) -> str:
    return ", ".join(_parts(counts, ("created", "changed", "replaced", "destroyed", "unknown"))) or "nothing changed"


def _parts(counts: Counts, words: tuple[str, ...]) -> list[str]:
    numbers = (counts.create, counts.update, counts.replace, counts.delete, counts.unknown)
    return [f"{number} {word}" for number, word in zip(numbers, words, strict=True) if number]


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"

"""What was done, for programs: `holdfast runs`, `holdfast show` and the API tell the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from adapters.contract import Json
from orchestrator.model.event import (
    ApplyEnded,
    ApplyRefused,
    ApplyStarted,
    Approved,
    Asked,
    DriftCheckFailed,
    NotConverged,
    Outcome,
    PlanFailed,
    Planned,
    SavingFailed,
)
from orchestrator.model.intent import Intended
from orchestrator.model.moment import stamp
from orchestrator.model.stack import StackKey
from orchestrator.ports import Entry, Run
from orchestrator.telling.events import sentence
from orchestrator.telling.intents import of_attempt


class Result(StrEnum):
    """How a run went, in OpenTelemetry's words where it has one (cicd.pipeline.result), else ours."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    WAITING = "waiting"
    UNKNOWN = "unknown"


#: Verbs of runs that are there to change the world: planning alone is no success of theirs.
_CHANGING = frozenset({"apply", "rollback", "destroy"})
#: What `--failed` asks for.
TROUBLE = frozenset({Result.FAILURE, Result.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run with what happened in it."""

    run: Run
    entries: Sequence[Entry]

    @property
    def result(self) -> Result:
        """How it went."""
        return result_of(self.run, self.entries)

    @property
    def idle(self) -> bool:
        """Whether it is over and nothing came of it: nothing was new, or it was let go ahead with nothing."""
        return self.run.ended_at is not None and not self.entries

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks that something happened to."""
        return tuple(dict.fromkeys(short_name(entry.stack) for entry in self.entries if entry.stack != "*"))

    @property
    def intents(self) -> tuple[tuple[str, Intended], ...]:
        """Why each attempt of it was made, by the full key of its stack."""
        return tuple((entry.stack, entry.event) for entry in self.entries if isinstance(entry.event, Intended))


def result_of(run: Run, entries: Sequence[Entry]) -> Result:
    """Fold a run's events to one word: the last word on each stack counts, and the worst of them."""
    if run.ended_at is None:
        return Result.RUNNING
    last: dict[str, Result] = {}
    for entry in entries:
        last[entry.stack] = _after(entry, last.get(entry.stack, Result.SUCCESS), run.verb)
    # An attempt without an end outlives the command that began it: its keeper is at work.
    for worst in (Result.RUNNING, Result.UNKNOWN, Result.FAILURE, Result.WAITING):
        if worst in last.values():
            return worst
    return Result.SUCCESS


def _after(entry: Entry, before: Result, verb: str) -> Result:
    match entry.event:
        case SavingFailed() | PlanFailed() | ApplyRefused() | NotConverged() | DriftCheckFailed():
            return Result.FAILURE
        case ApplyStarted():
            return Result.RUNNING
        case ApplyEnded(outcome=Outcome.UNKNOWN):
            return Result.UNKNOWN
        case ApplyEnded(outcome=Outcome.SUCCEEDED):
            return Result.SUCCESS
        case ApplyEnded():
            return Result.FAILURE
        case Asked():
            return Result.WAITING
        case Planned() | Approved():
            # What was to be applied so far was not.
            return Result.WAITING if verb in _CHANGING else Result.SUCCESS
        case _:
            return before


def short_name(key: str) -> str:
    """Return the short form of a full key; other streams keep their name."""
    try:
        return StackKey.parse(key).short
    except ValueError:
        return key


def value(row: Row, *, whole: bool = False) -> dict[str, Json]:
    """Return one run for programs; ``whole`` with every commit that it brought."""
    run = row.run
    return {
        "run": run.number,
        "verb": run.verb,
        "trigger": run.trigger,
        "result": row.result.value,
        "revision": run.revision,
        "actor": run.actor,
        "started_at": stamp(run.at),
        "ended_at": stamp(run.ended_at or 0.0) or None,
        "stacks": list(row.stacks),
        "intents": [of_attempt(short_name(stack), event, whole=whole) for stack, event in row.intents],
    }


def event_value(entry: Entry) -> dict[str, Json]:
    """Return one event of a run for programs."""
    return {
        "seq": entry.seq,
        "at": stamp(entry.at),
        "stack": short_name(entry.stack),
        "kind": entry.event.kind,
        "actor": entry.actor,
        "sentence": sentence(entry.event),
    }

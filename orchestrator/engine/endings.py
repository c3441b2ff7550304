"""How attempts end: the events for it, and the one place that appends them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.contract import AdapterError, Finished, Goal, Handle, Plan, Running, Unknown
from orchestrator.engine.station import Case, Station
from orchestrator.engine.values import store_outputs
from orchestrator.errors import Conflict
from orchestrator.model.event import ApplyEnded, Event, Outcome
from orchestrator.model.observed import Applied, Applying, OutputMark

#: How often the end of an attempt is offered to a record that moves meanwhile (people approve, gates close).
_OFFERS = 20


def close(case: Case, attempt: Applying, ended: Sequence[Event]) -> None:
    """Append how the attempt ended, and let its raw output go.

    The stack's stream may have grown while the tool ran; what may not have happened is that somebody
    else recorded this attempt's end: then theirs stands and this one is dropped.
    """
    for offer in range(_OFFERS):
        state = case.outside.record.row(case.key).state
        if state.applying is None or state.applying.number != attempt.number:
            return
        try:
            case.outside.record.append(case.key, ended, expected=state.version, run=attempt.run)
        except Conflict:
            if offer == _OFFERS - 1:
                raise
            continue
        break
    if not any(isinstance(event, ApplyEnded) and event.outcome is Outcome.UNKNOWN for event in ended):
        case.outside.attempts.close(attempt)


def succeeded(case: Case, ready: Station, attempt: Applying, *, adopted: bool = False) -> ApplyEnded:
    """Return the event for an attempt whose tool said that all went well."""
    proposal = attempt.proposal
    marks: dict[str, OutputMark] = {}
    artifact = ""
    if proposal.goal is not Goal.DESTROY:
        try:
            marks, artifact = store_outputs(case.outside, ready.adapter.outputs(ready.workspace), ready.shell.mask)
        except AdapterError as error:
            # Done, but dependants could not be fed: the next plan finds nothing to do, and reads them.
            message = f"applied, but its outputs could not be read: {error.message}"
            return ApplyEnded(attempt=attempt.number, outcome=Outcome.FAILED, code=error.code, message=message)
    applied = Applied(
        attempt=attempt.number,
        run=attempt.run,
        goal=Goal.DESTROY if proposal.goal is Goal.DESTROY else Goal.CONVERGE,
        revision=proposal.revision,
        fingerprint=proposal.fingerprint,
        parts=proposal.parts,
        inputs=proposal.inputs,
        tool=proposal.tool,
        counts=proposal.counts,
        outputs=marks,
        outputs_artifact=artifact,
        at=case.outside.clock.now(),
    )
    return ApplyEnded(attempt=attempt.number, outcome=Outcome.SUCCEEDED, applied=applied, adopted=adopted)


def after_the_fact(case: Case, place: Station, plan: Plan, attempt: Applying) -> ApplyEnded:
    """Return the event for an attempt that nobody saw end: its processes are gone, its output is read."""
    dead = case.outside.attempts.kill(attempt)
    look = case.outside.attempts.look(attempt)
    handle = look if isinstance(look, Handle) else Handle(folder=Path(attempt.folder), result=None, alive=False)
    match place.adapter.resume(place.workspace, plan, handle):
        case Finished(error=None):
            return succeeded(case, place, attempt, adopted=True)
        case Finished(error=error):
            return ApplyEnded(
                attempt=attempt.number,
                outcome=Outcome.FAILED,
                code="HF-2004",
                message=place.shell.mask(error or ""),
                adopted=True,
            )
        case Running():
            return unknown(attempt, "its tool is still at work", dead=False)
        case Unknown(why=why, started=started):
            return unknown(attempt, place.shell.mask(why), started=started, dead=dead)


def unknown(attempt: Applying, why: str, *, started: tuple[str, ...] | None = None, dead: bool = True) -> ApplyEnded:
    """Return the event for an attempt of which nobody can say how it ended."""
    return ApplyEnded(
        attempt=attempt.number,
        outcome=Outcome.UNKNOWN,
        code="HF-5020",
        message=why,
        started=started,
        dead=dead,
        adopted=True,
    )

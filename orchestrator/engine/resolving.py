"""Takes a person's word that nothing of an attempt is alive any more: the way out where no host can prove it.

A container that was killed in the middle of an apply is gone with its name and its processes' numbers: whoever comes
after it can prove nothing. What is said here is recorded with who said it and why.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from adapters.contract import AdapterError
from orchestrator.engine.endings import unknown
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.recovery import recover, recover_gone
from orchestrator.engine.station import Case
from orchestrator.engine.survey import Survey
from orchestrator.engine.work import contained, raised
from orchestrator.errors import Conflict, OrchestratorError, UsageError
from orchestrator.model.event import AttemptDead
from orchestrator.model.observed import Applying, State
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """What nobody here can prove, so that only a person can say it."""

    #: The attempt that nobody here can prove dead; None where only a hold is left of somebody.
    attempt: Applying | None
    #: Why nobody can.
    why: str


def unproven_of(outside: Outside, key: StackKey) -> Unproven:
    """Return what only a person can say about a stack.

    Raises Conflict (HF-4205) where its attempt is alive for certain, UsageError (HF-1919) where nobody has to say
    anything.
    """
    attempt = in_doubt(outside.record.row(str(key)).state)
    if attempt and outside.attempts.alive(attempt):
        raise Conflict(
            f"attempt {attempt.number} of {key.short} is alive on this host",
            code="HF-4205",
            hint=f"holdfast logs -f {attempt.run} follows it, holdfast cancel {attempt.run} stops it",
        )
    if attempt and (why := outside.attempts.doubt(attempt)):
        return Unproven(attempt=attempt, why=why)
    if holder := outside.agenda.doubtful(str(key)):
        return Unproven(attempt=None, why=f"it is held by {holder}")
    if attempt:
        message = f"nobody has to say how attempt {attempt.number} of {key.short} ended: this host can find out"
        raise UsageError(message, code="HF-1919", hint=f"holdfast plan {key.short}")
    raise UsageError(
        f"there is no attempt of {key.short} in doubt", code="HF-1919", hint=f"holdfast explain {key.short}"
    )


def in_doubt(state: State) -> Applying | None:
    """Return the attempt of which the record cannot say that it is over."""
    if state.applying:
        return state.applying
    return state.unknown.attempt if state.unknown and not state.unknown.dead else None


def resolve(outside: Outside, reading: Reading, key: StackKey, said: AttemptDead, run: Run) -> State:
    """Record that nothing of an attempt is alive, and what its folder tells, if it can be read; returns the new state.

    The attempt's end is adopted where its keeper left word of it. Else it is unknown: the next plan looks at what is
    there, and nothing that it had begun to create is created again unasked. Raises Conflict where the stack moved.
    """
    record = outside.record
    with outside.agenda.hold(str(key), doubted=True):
        state = record.row(str(key)).state
        attempt = in_doubt(state)
        if (attempt.number if attempt else 0) != said.attempt:
            raise Conflict(f"{key.short} moved meanwhile", hint="run the command again")
        if attempt is None:
            # Nobody but a holder was in doubt, and the hold is ours now.
            return state
        record.append(str(key), [said], expected=state.version, run=run.number)
        if state.applying:
            _adopt(replace(outside, attempts=outside.attempts.taken_for_dead(attempt)), reading, key, run)
        state = record.row(str(key)).state
        # What is only waiting to be saved is not unknown.
        if state.applying and not state.applying.unsaved:
            ended = unknown(attempt, "nobody saw how it ended, and nothing is left to tell")
            state = record.append(str(key), [ended], expected=state.version, run=attempt.run)
    return state


def _adopt(outside: Outside, reading: Reading, key: StackKey, run: Run) -> None:
    """Have the adapter read what the attempt left behind. What cannot even be looked at is left as it was."""

    def adopt() -> None:
        asked = Survey(outside, reading).look(key)
        if asked is None:
            recover_gone(outside, reading.source, key)
        else:
            recover(Case(outside=outside, today=reading, asked=asked, run=run), follow_s=0.0)

    with suppress(AdapterError, OrchestratorError):
        contained(outside, run, key, adopt, raised)

"""Finds out how an attempt ended whose worker is gone: adopts its result, or says honestly that nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.contract import AdapterError, Handle, StateUnsaved
from orchestrator.engine.earlier import at_revision
from orchestrator.engine.endings import after_the_fact, close, unknown
from orchestrator.engine.keeping import keep_state
from orchestrator.engine.outside import Outside, read_at
from orchestrator.engine.planning import stored_plan
from orchestrator.engine.station import Case, station
from orchestrator.engine.survey import Survey
from orchestrator.engine.values import stored_inputs, stored_secrets
from orchestrator.errors import Conflict, NotStarted, OrchestratorError, RecordAway, SourceGone, SourceUnreachable
from orchestrator.model.event import ApplyEnded, AttemptDead, Event, LockSeen, Outcome, SavingFailed
from orchestrator.model.observed import Applying
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Elsewhere, NeverStarted

#: How long one look follows an attempt that is still at work before it is left to itself (seconds).
FOLLOW_S = 3600.0


def recover(case: Case, *, follow_s: float = FOLLOW_S) -> bool:
    """Settle the attempt that the record says is at work; False where it still is, and must be left alone.

    Raises Conflict where the record moved meanwhile, StateUnsaved where what the attempt left cannot be saved yet:
    it has no end before that, and whoever comes next tries again.
    """
    attempt = case.asked.state.applying
    if attempt is None:
        return True
    look = case.outside.attempts.look(attempt)
    if isinstance(look, Handle) and look.alive:
        case.outside.attempts.wait(attempt, follow_s)
        look = case.outside.attempts.look(attempt)
    match look:
        case NeverStarted():
            close(case, attempt, [ApplyEnded(attempt=attempt.number, outcome=Outcome.NOT_STARTED)])
        case Elsewhere(dead=False) | Handle(alive=True):
            return False
        case _:
            close(case, attempt, what_came_of(case, attempt))
    if attempt.run != case.run.number:
        # Whoever was killed in it could not say that it is over.
        case.outside.record.close_run(attempt.run)
    return True


def recover_gone(outside: Outside, source: Source, key: StackKey) -> bool:
    """Settle the last attempt of a stack that today's files no longer speak of; False where it is still at work.

    For whoever holds the stack. Files and settings are those of the attempt.
    """
    attempt = outside.record.row(str(key)).state.applying
    if attempt is None:
        prove_dead(outside, key)
        return True
    run = outside.record.run(attempt.run)
    then = read_at(outside, source, attempt.proposal.revision)
    asked = Survey(outside, then).look(key)
    if run is None or asked is None:
        return False
    try:
        return recover(Case(outside=outside, today=then, asked=asked, run=run), follow_s=0.0)
    except StateUnsaved:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What can be seen of an attempt that the record knows no end of."""

    #: Whether nothing of it is alive and nobody is about to find that out.
    lost: bool
    why: str


def sign_of(outside: Outside, key: StackKey, attempt: Applying) -> Sign:
    """Say whether an attempt without an end is at work, and the way out where it is not or nobody can tell.

    Only looks: whoever works the stack next records how the attempt ended.
    """
    # Whoever holds the stack may be about to start the tool.
    if not attempt.unsaved and not outside.agenda.is_held(str(key)) and outside.attempts.wait(attempt, 0.0):
        gone = f"attempt {attempt.number} has no end, and its processes are gone: holdfast apply {key.short} settles it"
        return Sign(lost=True, why=gone)
    return Sign(lost=False, why=words_for(outside, key, attempt))


def words_for(outside: Outside, key: StackKey, attempt: Applying) -> str:
    """Say what is known of an attempt without an end, and the way out where nobody here can find out more."""
    doubt = outside.attempts.doubt(attempt)
    if attempt.unsaved and not doubt:
        return f"attempt {attempt.number} {attempt.doing}"
    if not doubt:
        return f"attempt {attempt.number} is at work on {attempt.host}"
    return (
        f"attempt {attempt.number} may be at work: {doubt}; once nothing of it is alive: holdfast resolve {key.short}"
    )


def at_work(outside: Outside, key: StackKey, attempt: Applying) -> Conflict:
    """Return the error for a stack whose attempt is, or may be, at work."""
    if outside.attempts.doubt(attempt):
        return Conflict(words_for(outside, key, attempt), code="HF-4203")
    return Conflict(f"{key.short} is being applied", code="HF-4203", hint="holdfast runs")


def prove_dead(outside: Outside, key: StackKey) -> bool:
    """Look again for processes of an attempt of unknown end that were not proven dead, and end them.

    For whoever holds the stack. Returns whether there is news: the record says now that none is left. Raises Conflict
    where the record moved meanwhile.
    """
    state = outside.record.row(str(key)).state
    unknown = state.unknown
    if unknown is None or unknown.dead:
        return False
    look = outside.attempts.look(unknown.attempt)
    if isinstance(look, Elsewhere) and not look.dead:
        return False
    if not outside.attempts.kill(unknown.attempt):
        return False
    outside.record.append(
        str(key), [AttemptDead(attempt=unknown.attempt.number)], expected=state.version, run=unknown.attempt.run
    )
    return True


def what_came_of(case: Case, attempt: Applying) -> Sequence[Event]:
    """Have the adapter read what the attempt left behind, in a workspace of the attempt's own revision.

    What has to be saved first is saved as a step of the attempt. Raises Conflict, StateUnsaved, and NotStarted where
    there was no room for that step.
    """
    try:
        # What its tool has said since belongs to the log of its own run.
        own = case.outside.record.run(attempt.run) or case.run
        then = replace(at_revision(case, attempt.proposal.revision), run=own)
        inputs = stored_inputs(case.outside, attempt.proposal.inputs)
        with station(then, applying=True, attempt=Path(attempt.folder), inputs=inputs, over=attempt.number) as place:
            place.shell.conceal(stored_secrets(case.outside, attempt.proposal.secrets))
            plan = stored_plan(case.outside, attempt.proposal)
            ended = after_the_fact(then, place, plan, attempt)
            return [*keep_state(then, place.workspace, f"found after attempt {attempt.number}"), ended]
    except StateUnsaved as error:
        note_unsaved(case, attempt, error)
        raise
    except (Conflict, NotStarted, RecordAway):
        raise
    except (AdapterError, OrchestratorError) as error:
        if isinstance(error, SourceUnreachable) and not isinstance(error, SourceGone):
            # Its files can be had later, and with them what it left can be read.
            raise
        # What cannot be read is unknown, never fine.
        dead = case.outside.attempts.kill(attempt)
        return [unknown(attempt, f"what it left behind cannot be read: {error.message}", dead=dead)]


def note_unsaved(case: Case, attempt: Applying, error: StateUnsaved) -> None:
    """Record why an attempt has no end yet, and the lock of its own that keeps it from one; each only once.

    The tool words the same cause anew each time (the lock that it tried with): only the first is kept.
    """
    state = case.outside.record.row(case.key).state
    if state.applying is None or state.applying.number != attempt.number:
        return
    events: list[Event] = []
    if not state.applying.unsaved:
        events.append(SavingFailed(attempt=attempt.number, code=error.code, message=error.message))
    if error.lock_id and error.lock_id != state.tool_lock and error.holder.endswith(f"@{attempt.host}"):
        events.append(LockSeen(lock_id=error.lock_id, holder=error.holder))
    if events:
        case.outside.record.append(case.key, events, expected=state.version, run=case.run.number)

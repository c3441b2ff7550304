"""Applies exactly one proposal, as a recorded attempt, and records how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from adapters.contract import AdapterError, Plan, PlanStale, StateUnsaved, ToolStopped
from orchestrator.engine.endings import close, succeeded
from orchestrator.engine.intents import intent_of
from orchestrator.engine.keeping import keep_state
from orchestrator.engine.masking import mask_error
from orchestrator.engine.planning import stored_plan, told
from orchestrator.engine.recovery import note_unsaved, what_came_of
from orchestrator.engine.room import check_room, is_short
from orchestrator.engine.station import Case, Station, station
from orchestrator.engine.values import stored_inputs, stored_secrets
from orchestrator.errors import Conflict, ExecutionError, NotStarted, OrchestratorError, RecordAway, RecordError
from orchestrator.model.action import Action, Apply
from orchestrator.model.event import ApplyEnded, ApplyRefused, ApplyStarted, Event, Outcome
from orchestrator.model.intent import Intended
from orchestrator.model.observed import Applying, Proposal


def apply(case: Case, gates_version: int, again: Callable[[], Action]) -> None:
    """Apply the case's proposal and append what came of it.

    ``gates_version`` is the version of the gates that the decision was made on: had they moved since,
    nothing starts. ``again`` decides once more, by the people and the time of the last moment: laying things out may
    take long. Raises Conflict where the record or the gates moved, or it is no longer decided, before anything
    started; StateUnsaved where the attempt has no end yet because its state is not saved.
    """
    proposal = case.asked.observed.progress
    if not isinstance(proposal, Proposal):
        raise ExecutionError("there is no proposal to apply", code="HF-9000")
    place = case.outside.attempts.prepare()
    attempt = Applying(
        number=case.asked.state.attempts + 1,
        run=case.run.number,
        proposal=proposal,
        host=place.host,
        boot_id=place.boot_id,
        folder=str(place.folder),
        by=case.run.actor,
        started_at=case.outside.clock.now(),
    )
    begun = False
    try:
        with _ready(case, attempt) as (ready, plan, kept):
            intent = intent_of(case.outside, case.asked, proposal, case.run)
            _check_still(again())
            why = Intended(attempt=attempt.number, run=attempt.run, intent=intent)
            started: list[Event] = [*kept, ApplyStarted(attempt=attempt), why]
            case.outside.record.append(
                case.key, started, expected=case.asked.state.version, run=case.run.number, gates=gates_version
            )
            begun = True
            close(case, attempt, _carry_out(case, ready, plan, attempt))
    except (AdapterError, OrchestratorError) as error:
        if begun:
            _leave_to_recovery(case, attempt, error)
            return
        # A moved record decides anew.
        case.outside.attempts.close(attempt)
        if isinstance(error, Conflict | RecordAway) or is_short(case):
            raise
        refuse(case, error)


def _leave_to_recovery(case: Case, attempt: Applying, error: AdapterError | OrchestratorError) -> None:
    """Of an attempt that has begun, and of which nobody saw a good end, only recovery may speak."""
    if isinstance(error, StateUnsaved):
        note_unsaved(case, attempt, error)
    if not isinstance(error, ToolStopped):
        raise error
    # An interrupted create may be in the cloud and in no state: only the adapter can say what had begun. Once
    # nothing more starts in the attempt by itself, it takes what saves the rest.
    case.outside.attempts.kill(attempt)
    close(case, attempt, what_came_of(case, attempt))


@contextmanager
def _ready(case: Case, attempt: Applying) -> Iterator[tuple[Station, Plan, tuple[Event, ...]]]:
    """Lay everything out and check it once more, so that what can fail fails before the attempt exists.

    Yields the plan, and what is to be said of the state that was kept before.
    """
    with ExitStack() as opened:
        try:
            check_room(case)
            inputs = stored_inputs(case.outside, attempt.proposal.inputs)
            ready = opened.enter_context(station(case, applying=True, attempt=Path(attempt.folder), inputs=inputs))
            _check_tool(ready, attempt.proposal)
            plan = _restored(case, ready, attempt.proposal)
            kept = keep_state(case, ready.workspace, f"before attempt {attempt.number}")
        except OSError as error:
            place = f" at {error.filename}" if error.filename else ""
            message = f"the apply could not be prepared: {error.strerror or type(error).__name__}{place}"
            raise NotStarted(message, hint="free some space, or mend the permissions of what is named") from error
        yield ready, plan, kept


def _check_still(action: Action) -> None:
    # A yes may have expired meanwhile, or whoever gave it may have lost the say.
    if not isinstance(action, Apply):
        raise Conflict(f"it is not to be applied any more: {action.why}", code="HF-4207")


def _check_tool(ready: Station, proposal: Proposal) -> None:
    installed = ready.adapter.version()
    if installed != proposal.tool:
        another = " by another program of that name" if str(installed) == str(proposal.tool) else ""
        raise PlanStale(
            f"the plan was made with {proposal.tool}{another}",
            hint="plan again with the tool that is installed now",
        )


def refuse(case: Case, error: AdapterError | OrchestratorError) -> None:
    """Record that something was wrong before the attempt began. Raises Conflict where the record moved."""
    refused = ApplyRefused(
        track=case.asked.observed.track,
        fingerprint=case.asked.desired.fingerprint,
        code=error.code,
        message=error.message,
        transient=error.transient,
        # What was stored and is damaged stays so: only another plan helps.
        stale=isinstance(error, PlanStale | RecordError),
    )
    case.outside.record.append(case.key, [refused], expected=case.asked.state.version, run=case.run.number)


def _restored(case: Case, ready: Station, proposal: Proposal) -> Plan:
    """Return the proposal's plan with its saved file in place, and the seal that the shell proves it by."""
    plan = stored_plan(case.outside, proposal)
    ready.shell.conceal(stored_secrets(case.outside, proposal.secrets))
    if proposal.artifact:
        saved = ready.workspace.private / "approved.plan"
        saved.write_bytes(case.outside.artifacts.get(proposal.artifact))
        plan = replace(plan, saved=saved, seal=proposal.artifact)
    return plan


def _carry_out(case: Case, ready: Station, plan: Plan, attempt: Applying) -> tuple[Event, ...]:
    try:
        ready.adapter.apply(ready.workspace, plan)
    except PlanStale as error:
        message = ready.shell.mask(error.message)
        ended: Event = ApplyEnded(attempt=attempt.number, outcome=Outcome.STALE, code=error.code, message=message)
    except (StateUnsaved, ToolStopped):
        raise
    except AdapterError as error:
        mask_error(error, ready.shell.mask)
        ended = ApplyEnded(attempt=attempt.number, outcome=Outcome.FAILED, code=error.code, message=told(error))
    else:
        ended = succeeded(case, ready, attempt)
    return (*keep_state(case, ready.workspace, f"after attempt {attempt.number}"), ended)

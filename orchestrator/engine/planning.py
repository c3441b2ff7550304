"""Makes a plan and records it: as a proposal, or, where it is empty, as the proof that nothing is to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from adapters.contract import AdapterError, ChangeKind, Goal, Plan, ToolBusy
from orchestrator.engine.masking import masked
from orchestrator.engine.outside import Outside
from orchestrator.engine.room import is_short
from orchestrator.engine.station import Case, Station, station
from orchestrator.engine.values import store_inputs, store_outputs, store_secrets
from orchestrator.errors import OrchestratorError, RecordAway
from orchestrator.model.codec import decode, encode
from orchestrator.model.event import Converged, Event, FoundStanding, LockSeen, PlanFailed, Planned
from orchestrator.model.observed import Applied, Counts, OutputMark, Proposal
from orchestrator.model.stack import MAIN
from orchestrator.telling.counts import of_plan

#: By how much a lock's time, told to the second, may be off.
_CLOCK_S: Final = 2.0


def make_plan(case: Case) -> None:
    """Plan, changing nothing, and append what came of it. Raises Conflict where the record moved."""
    try:
        with station(case) as place:
            plan = masked(place.adapter.plan(place.workspace, _goal(case)), place.shell.mask)
            events: list[Event] = [*_standing(case, place, plan), _conclude(case, place, plan)]
        if case.asked.desired.committed:
            # A force-push or a squash must not take away what was proposed or applied.
            revision = case.asked.desired.revision
            case.outside.sources.pin(case.asked.reading.source, revision, revision)
    except RecordAway:
        raise
    except (AdapterError, OrchestratorError) as error:
        if case.was_stopped(error):
            return
        if is_short(case):
            raise
        events = [failed(case, error), *_left_lock(case, error)]
    desired = case.asked.desired
    looked = replace(
        case.asked.row.looks,
        planned_at=case.outside.clock.now(),
        revision=desired.revision,
        fingerprint=desired.fingerprint,
    )
    case.outside.record.append(case.key, events, expected=case.asked.state.version, run=case.run.number, looks=looked)


def _left_lock(case: Case, error: AdapterError | OrchestratorError) -> tuple[Event, ...]:
    """Recognise the tool's lock that our own attempt of unknown end left behind: only such a one is ever freed."""
    unknown = case.asked.state.unknown
    if not isinstance(error, ToolBusy) or not error.lock_id or unknown is None or not unknown.dead:
        return ()
    # Taken on our host, by name, and while our attempt was at work: anybody else's lock is older or newer.
    host = unknown.attempt.host.partition("+")[0]
    began_at, over_at = unknown.attempt.started_at - _CLOCK_S, unknown.at + _CLOCK_S
    if not error.holder.endswith(f"@{host}") or error.taken_at is None or not began_at <= error.taken_at <= over_at:
        return ()
    return (LockSeen(lock_id=error.lock_id, holder=error.holder),)


def _goal(case: Case) -> Goal:
    asked = case.asked
    if asked.desired.goal is Goal.CONVERGE and asked.settled and asked.observed.drift:
        return Goal.REVERT_DRIFT
    return asked.desired.goal


def _conclude(case: Case, place: Station, plan: Plan) -> Event:
    proves_rest = plan.empty and case.asked.observed.track == MAIN and case.asked.desired.committed
    if proves_rest:
        return Converged(track=MAIN, applied=_at_rest(case, place, plan))
    return Planned(proposal=_proposal(case, place, plan))


def _standing(case: Case, place: Station, plan: Plan) -> tuple[Event, ...]:
    """Have a record that remembers nothing know what a stack hands to others that stands and is to be changed.

    Those that read it could not be planned before it was applied, though nothing that they read changes.
    """
    asked = case.asked
    new = asked.state.applied is None and asked.observed.track == MAIN and asked.desired.goal is Goal.CONVERGE
    if not case.outside.forgetful or not new or plan.empty:
        return ()
    with suppress(AdapterError):
        standing = _at_rest(case, place, plan)
        if standing.outputs:
            # Of which files it was made nobody can say.
            return (FoundStanding(applied=replace(standing, fingerprint="", inputs="", verified_at=None)),)
    return ()


def _at_rest(case: Case, place: Station, plan: Plan) -> Applied:
    desired = case.asked.desired
    marks: Mapping[str, OutputMark] = {}
    artifact = ""
    if desired.goal is not Goal.DESTROY:
        # The record's own may be older than the state: somebody else applied, or they could not be read last time.
        marks, artifact = store_outputs(case.outside, place.adapter.outputs(place.workspace), place.shell.mask)
    return Applied(
        attempt=0,
        run=case.run.number,
        goal=desired.goal,
        revision=desired.revision,
        fingerprint=desired.fingerprint,
        parts=desired.parts,
        inputs=store_inputs(case.outside, place.inputs),
        tool=plan.tool,
        counts=Counts(),
        outputs=marks,
        outputs_artifact=artifact,
        at=case.outside.clock.now(),
        # The plan itself looked at the world a moment ago.
        verified_at=case.outside.clock.now(),
    )


def _proposal(case: Case, place: Station, plan: Plan) -> Proposal:
    asked, outside = case.asked, case.outside
    unknown = asked.state.unknown
    return Proposal(
        number=asked.state.proposals + 1,
        run=case.run.number,
        track=asked.observed.track,
        goal=asked.desired.goal,
        revision=asked.desired.revision,
        fingerprint=asked.desired.fingerprint,
        parts=asked.desired.parts,
        changes_digest=plan.digest,
        artifact=outside.artifacts.put(plan.saved.read_bytes()) if plan.saved else "",
        detail=store_plan(outside, plan),
        inputs=store_inputs(outside, place.inputs),
        secrets=store_secrets(outside, place.shell.concealed),
        policy_digest=asked.desired.policy_digest,
        tool=plan.tool,
        counts=of_plan(plan),
        creates=tuple(sorted(one.address for one in plan.changes if one.kind in _MAKES)),
        outputs_changing=plan.outputs_changing,
        empty=plan.empty,
        made_at=outside.clock.now(),
        looked_after=unknown.attempt.number if unknown else 0,
        strange=case.today.strange,
    )


#: A replacement creates too: after an unknown end its new half may be there already.
_MAKES = frozenset({ChangeKind.CREATE, ChangeKind.REPLACE, ChangeKind.UNKNOWN})


def store_plan(outside: Outside, plan: Plan) -> str:
    """Keep the masked plan for people and policies; returns its SHA-256."""
    return outside.artifacts.put(json.dumps(encode(replace(plan, saved=None)), sort_keys=True).encode())


def stored_plan(outside: Outside, proposal: Proposal) -> Plan:
    """Return the masked plan of a proposal."""
    return decode(Plan, json.loads(outside.artifacts.get(proposal.detail)))


def failed(case: Case, error: AdapterError | OrchestratorError) -> PlanFailed:
    """Return the event for a plan that could not be made."""
    where = getattr(error, "where", "")
    return PlanFailed(
        track=case.asked.observed.track,
        fingerprint=case.asked.desired.fingerprint,
        code=error.code,
        message=f"{where}  {told(error)}" if where else told(error),
        transient=error.transient,
    )


def told(error: AdapterError | OrchestratorError) -> str:
    """Return the cause in the first line; below it the remedy or the tool's own explanation, and its further errors."""
    further = [str(problem) for problem in getattr(error, "problems", ())][1:]
    return "\n".join([error.message, *([error.hint] if error.hint else []), *further])

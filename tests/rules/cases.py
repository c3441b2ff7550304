"""Named situations, each with the reason that must come out of `decide`."""

from __future__ import annotations

from dataclasses import replace

from situations import (
    APPLIED,
    DESIRED,
    DRIFT,
    DRIFTING,
    FAILURE,
    KEPT,
    NOW,
    POLICIES,
    PROPOSAL,
    STACK,
    consent,
    doubts,
    observed,
    unknown,
)

from adapters.contract import Goal
from orchestrator.model.action import Reason
from orchestrator.model.gate import Act, Gate, GateKind
from orchestrator.model.policy import DriftAnswer, Mode, Policy

NOBODY = ((), False, False)
#: At rest on what was applied, with nothing planned.
AT_REST = observed(None, None, APPLIED, None, NOBODY, None)
AUTO = Policy(mode=Mode.AUTO, approvals=replace(POLICIES[0].approvals, required=0))
#: Named situations, each with the reason that must come out: what must happen does happen.
CASES = {
    "a new stack is planned": (DESIRED, observed(None, None, None, None, NOBODY, None), AUTO, Reason.NO_PLAN),
    "policy auto applies": (DESIRED, observed(PROPOSAL, None, None, None, NOBODY, None), AUTO, Reason.AUTOMATIC),
    "people are asked": (
        DESIRED,
        observed(PROPOSAL, None, None, None, NOBODY, None),
        Policy(),
        Reason.AWAITING_APPROVAL,
    ),
    "a yes applies": (
        DESIRED,
        replace(observed(PROPOSAL, None, None, None, NOBODY, None), consents=(consent(PROPOSAL),)),
        Policy(),
        Reason.APPROVED,
    ),
    "new files are planned anew": (
        replace(DESIRED, fingerprint="f2", parts=replace(DESIRED.parts, tree="t2")),
        observed(PROPOSAL, None, None, None, NOBODY, None),
        AUTO,
        Reason.OUTDATED,
    ),
    "an old plan is made anew": (
        DESIRED,
        observed(replace(PROPOSAL, made_at=0.0), None, None, None, NOBODY, None),
        AUTO,
        Reason.TOO_OLD,
    ),
    "an empty plan needs nobody": (
        DESIRED,
        observed(replace(PROPOSAL, empty=True), None, None, None, NOBODY, None),
        Policy(),
        Reason.NOTHING_TO_DO,
    ),
    "an observed track only looks": (
        DESIRED,
        observed(PROPOSAL, None, None, None, NOBODY, None),
        replace(AUTO, mode=Mode.OBSERVE),
        Reason.OBSERVED_ONLY,
    ),
    "what is not committed is not applied": (
        replace(DESIRED, committed=False),
        observed(PROPOSAL, None, None, None, NOBODY, None),
        AUTO,
        Reason.NOT_COMMITTED,
    ),
    "a no is a no": (
        DESIRED,
        replace(observed(PROPOSAL, None, None, None, NOBODY, None), rejected=PROPOSAL.binding(STACK)),
        AUTO,
        Reason.REJECTED,
    ),
    "too many deletions are barred": (
        DESIRED,
        observed(PROPOSAL, None, None, None, NOBODY, None),
        replace(AUTO, delete_limit=0),
        Reason.OVER_LIMIT,
    ),
    "after an unknown end it looks first": (
        DESIRED,
        observed(PROPOSAL, unknown(dead=True, started=()), None, None, NOBODY, None),
        AUTO,
        Reason.LOOK_AFTER_UNKNOWN,
    ),
    "what an unknown attempt had begun needs a person": (
        DESIRED,
        observed(replace(PROPOSAL, looked_after=5), unknown(dead=True, started=("x.one",)), None, None, NOBODY, None),
        AUTO,
        Reason.MAY_DUPLICATE,
    ),
    "a doubt outlives the plans and applies after it": (
        DESIRED,
        replace(
            observed(PROPOSAL, None, None, None, NOBODY, None), doubts=doubts(unknown(dead=True, started=("x.one",)))
        ),
        AUTO,
        Reason.MAY_DUPLICATE,
    ),
    "what an unknown attempt had not begun goes on": (
        DESIRED,
        observed(replace(PROPOSAL, looked_after=5), unknown(dead=True, started=("x.two",)), None, None, NOBODY, None),
        AUTO,
        Reason.AUTOMATIC,
    ),
    "a destroy is never automatic": (
        replace(DESIRED, goal=Goal.DESTROY),
        observed(replace(PROPOSAL, goal=Goal.DESTROY), None, APPLIED, None, NOBODY, None),
        AUTO,
        Reason.AWAITING_APPROVAL,
    ),
    "a destroyed stack rests": (
        replace(DESIRED, goal=Goal.DESTROY),
        observed(None, None, replace(APPLIED, goal=Goal.DESTROY), None, NOBODY, None),
        AUTO,
        Reason.DESTROYED,
    ),
    "drift is reported": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPORT)),
        Reason.DRIFTED,
    ),
    "known drift makes every apply a person's business": (
        DESIRED,
        observed(PROPOSAL, None, replace(APPLIED, fingerprint="f0"), None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPORT)),
        Reason.AWAITING_APPROVAL,
    ),
    "unless policy asks for repairs": (
        DESIRED,
        observed(PROPOSAL, None, replace(APPLIED, fingerprint="f0"), None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.AUTOMATIC,
    ),
    "what did not converge is planned anew": (
        DESIRED,
        observed(None, None, replace(APPLIED, pending=("x.one",)), None, NOBODY, None),
        AUTO,
        Reason.NOT_CONVERGED,
    ),
    "drift is looked for though nothing more is tried": (
        DESIRED,
        observed(None, None, APPLIED, replace(FAILURE, at=0.0, count=3), NOBODY, None, drift_at=NOW - 7200),
        AUTO,
        Reason.DRIFT_DUE,
    ),
    "drift is looked for while its repair waits for a yes": (
        DESIRED,
        observed(PROPOSAL, None, APPLIED, None, NOBODY, DRIFT, drift_at=NOW - 7200),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.PROPOSE)),
        Reason.DRIFT_DUE,
    ),
    "drift is planned where policy answers it": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.DRIFT_REPAIR,
    ),
    "a repair that is undone again and again is left to people": (
        DESIRED,
        replace(AT_REST, **DRIFTING["recurring"]),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.RECURRING,
    ),
    "repairs that lie far apart go on": (
        DESIRED,
        replace(AT_REST, **DRIFTING["seldom"]),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.DRIFT_REPAIR,
    ),
    "what keeps coming back is still proposed": (
        DESIRED,
        replace(AT_REST, **DRIFTING["recurring"]),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.PROPOSE)),
        Reason.DRIFT_REPAIR,
    ),
    "no limit, no end of repairs": (
        DESIRED,
        replace(AT_REST, **DRIFTING["recurring"]),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR, limit=None)),
        Reason.DRIFT_REPAIR,
    ),
    "a commit does not undo by itself what keeps coming back": (
        DESIRED,
        replace(
            observed(PROPOSAL, None, replace(APPLIED, fingerprint="f0"), None, NOBODY, None), **DRIFTING["recurring"]
        ),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.AWAITING_APPROVAL,
    ),
    "a commit does not undo by itself what people ignore": (
        DESIRED,
        replace(
            observed(PROPOSAL, None, replace(APPLIED, fingerprint="f0"), None, NOBODY, None), **DRIFTING["ignored"]
        ),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.AWAITING_APPROVAL,
    ),
    "what no apply puts back is not planned": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, KEPT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.DRIFTED,
    ),
    "what one look saw is not answered yet": (
        DESIRED,
        replace(AT_REST, drift_at=NOW - 10, **DRIFTING["seen once"]),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR, confirm=2)),
        Reason.UNCONFIRMED,
    ),
    "what one look saw is looked at again soon": (
        DESIRED,
        replace(AT_REST, drift_at=NOW - 61, **DRIFTING["seen once"]),
        replace(AUTO, drift=replace(AUTO.drift, confirm=2)),
        Reason.DRIFT_DUE,
    ),
    "what is ignored is at rest": (
        DESIRED,
        replace(AT_REST, **DRIFTING["ignored"]),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.CONVERGED,
    ),
    "a change since the plan was made is planned anew": (
        DESIRED,
        observed(PROPOSAL, None, APPLIED, None, NOBODY, replace(DRIFT, changed_at=NOW - 5)),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.DRIFT_REPAIR,
    ),
    "a plan from before the drift is made anew": (
        DESIRED,
        observed(replace(PROPOSAL, made_at=NOW - 200), None, APPLIED, None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.DRIFT_REPAIR,
    ),
    "a freeze of changes lets people go back": (
        replace(DESIRED, held=True, gates=(Gate(kind=GateKind.FREEZE, why="frozen", stops=frozenset({Act.APPLY})),)),
        observed(PROPOSAL, None, None, None, NOBODY, None),
        AUTO,
        Reason.AUTOMATIC,
    ),
    "a gate on going back stops it": (
        replace(DESIRED, held=True, gates=(Gate(kind=GateKind.LOCK, why="stay", stops=frozenset({Act.ROLLBACK})),)),
        observed(PROPOSAL, None, None, None, NOBODY, None),
        AUTO,
        Reason.GATED,
    ),
    "a gate on repairs stops a repair": (
        replace(DESIRED, gates=(Gate(kind=GateKind.LOCK, why="stay", stops=frozenset({Act.REPAIR})),)),
        observed(PROPOSAL, None, APPLIED, None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.GATED,
    ),
    "a proposed repair asks even in auto": (
        DESIRED,
        observed(PROPOSAL, None, APPLIED, None, NOBODY, DRIFT),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.PROPOSE)),
        Reason.AWAITING_APPROVAL,
    ),
    "drift is looked for soon after an apply": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, None, drift_at=0.0),
        AUTO,
        Reason.DRIFT_DUE,
    ),
    "the first look waits until the world has come to rest": (
        DESIRED,
        observed(None, None, replace(APPLIED, at=NOW - 30), None, NOBODY, None, drift_at=0.0),
        AUTO,
        Reason.CONVERGED,
    ),
    "drift is looked for when it is time": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, None, drift_at=NOW - 100),
        replace(AUTO, drift=replace(AUTO.drift, every_s=60.0)),
        Reason.DRIFT_DUE,
    ),
    "known drift is looked at again when it is time": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, DRIFT, drift_at=NOW - 100),
        replace(AUTO, drift=replace(AUTO.drift, every_s=60.0, answer=DriftAnswer.REPORT)),
        Reason.DRIFT_DUE,
    ),
    "drift is never looked for where policy says never": (
        DESIRED,
        observed(None, None, APPLIED, None, NOBODY, None, drift_at=0.0),
        replace(AUTO, drift=replace(AUTO.drift, every_s=0.0)),
        Reason.CONVERGED,
    ),
    "a pull request does not answer main's drift": (
        DESIRED,
        replace(observed(None, None, APPLIED, None, NOBODY, DRIFT), track="pull/1"),
        replace(AUTO, drift=replace(AUTO.drift, answer=DriftAnswer.REPAIR)),
        Reason.CONVERGED,
    ),
    "a failure waits before it is tried again": (
        DESIRED,
        observed(None, None, None, FAILURE, NOBODY, None),
        AUTO,
        Reason.BACKING_OFF,
    ),
    "new files end a failure": (
        replace(DESIRED, fingerprint="f2"),
        observed(None, None, None, FAILURE, NOBODY, None),
        AUTO,
        Reason.NO_PLAN,
    ),
    "what cannot pass is not tried again": (
        DESIRED,
        observed(None, None, None, replace(FAILURE, transient=False), NOBODY, None),
        AUTO,
        Reason.STALLED,
    ),
    "enough is enough": (
        DESIRED,
        observed(None, None, None, replace(FAILURE, at=0.0, count=3), NOBODY, None),
        AUTO,
        Reason.STALLED,
    ),
}

"""Every kind of situation that `decide` can meet, as a product of small choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from adapters.contract import Change, ChangeKind, DriftItem, Goal, ToolVersion
from orchestrator.model.desired import Desired, Known, Missing, Pending
from orchestrator.model.drift import Ignored
from orchestrator.model.fingerprint import Parts
from orchestrator.model.gate import Act, Gate, GateKind
from orchestrator.model.observed import (
    Applied,
    Applying,
    Consent,
    Counts,
    Doubt,
    Drift,
    Failure,
    Observed,
    Phase,
    Proposal,
    UnknownAttempt,
)
from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Ignore, Mode, Policy
from orchestrator.model.reference import OutputRef

NOW = 1_000_000.0
STACK = "infra/web@prod"
PARTS = Parts(tree="t1")
TOOL = ToolVersion(name="terraform", version="1.11.4", platform="linux_amd64")
REF = OutputRef(stack="net", key="id")

PROPOSAL = Proposal(
    number=3,
    run=7,
    track="main",
    goal=Goal.CONVERGE,
    revision="r1",
    fingerprint="f1",
    parts=PARTS,
    changes_digest="c1",
    artifact="a1",
    detail="d1",
    inputs="",
    policy_digest="p1",
    tool=TOOL,
    counts=Counts(create=1, delete=1),
    creates=("x.one",),
    made_at=NOW - 10,
)
ATTEMPT = Applying(
    number=5, run=7, proposal=PROPOSAL, host="h", boot_id="b", folder="/a/5", by="ana", started_at=NOW - 20
)
APPLIED = Applied(
    attempt=4,
    run=6,
    goal=Goal.CONVERGE,
    revision="r1",
    fingerprint="f1",
    parts=PARTS,
    inputs="",
    tool=TOOL,
    counts=Counts(),
    at=NOW - 500,
    verified_at=NOW - 400,
)
DRIFT = Drift(
    items=(DriftItem(change=Change(address="x.one", kind=ChangeKind.UPDATE), will_be_reverted=True),),
    first_seen=NOW - 100,
    revision="r1",
)
#: Drift that no apply puts back, and, beside it, what may be with drift: each as fields of an `Observed`.
KEPT = replace(DRIFT, items=(replace(DRIFT.items[0], will_be_reverted=False),))
IGNORED = Ignored(item=DRIFT.items[0], rule=Ignore(address="x.*", owner="ana", reason="known"))
DRIFTING = {
    "none": {},
    "drift": {"drift": DRIFT},
    "kept": {"drift": KEPT},
    "seen once": {"unconfirmed": DRIFT.items},
    "ignored": {"ignored": (IGNORED,)},
    "ignored beside drift": {"drift": DRIFT, "ignored": (replace(IGNORED, item=KEPT.items[0]),)},
    "recurring": {"drift": DRIFT, "repaired_at": (NOW - 400, NOW - 300, NOW - 200)},
    "seldom": {"drift": DRIFT, "repaired_at": (NOW - 90_000, NOW - 89_000, NOW - 200)},
}


def unknown(*, dead: bool, started: tuple[str, ...] | None) -> UnknownAttempt:
    return UnknownAttempt(attempt=ATTEMPT, why="its host went away", at=NOW - 15, started=started, dead=dead)


def doubts(attempt: UnknownAttempt | None) -> tuple[Doubt, ...]:
    """Return what the fold makes of an unknown end."""
    started = () if attempt is None else ATTEMPT.proposal.creates if attempt.started is None else attempt.started
    return (Doubt(fingerprint="f1", addresses=started),) if started else ()


def consent(proposal: Proposal, **more: object) -> Consent:
    return replace(Consent(by="bob", at=NOW, binding=proposal.binding(STACK)), **more)


@dataclass(frozen=True, slots=True)
class Situation:
    desired: Desired
    observed: Observed
    policy: Policy


DESIRED = Desired(revision="r1", fingerprint="f1", parts=PARTS, policy_digest="p1", authors=frozenset({"ana"}))
GATES = {
    "none": (),
    "plan": (Gate(kind=GateKind.SUSPENSION, why="suspended", stops=frozenset(Act)),),
    "apply": (Gate(kind=GateKind.WINDOW, why="closed", until=NOW + 60),),
    "over": (Gate(kind=GateKind.FREEZE, why="over", until=NOW - 1),),
}
UPSTREAMS = {
    "none": (),
    "known": (Known(ref=REF, hmac="h"),),
    "pending": (Pending(ref=REF, stack="net", why="due"),),
    "missing": (Missing(ref=REF, stack="net"),),
}
ASKED = [
    DESIRED,
    replace(DESIRED, goal=Goal.DESTROY),
    replace(DESIRED, held=True),
    replace(DESIRED, committed=False),
]
PROGRESS = [
    None,
    ATTEMPT,
    PROPOSAL,
    replace(PROPOSAL, goal=Goal.DESTROY),
    replace(PROPOSAL, fingerprint="f0"),
    replace(PROPOSAL, policy_digest="p0"),
    replace(PROPOSAL, made_at=NOW - 90_000),
    replace(PROPOSAL, empty=True, counts=Counts(), creates=()),
    replace(PROPOSAL, looked_after=5),
]
UNKNOWNS = [
    None,
    unknown(dead=False, started=()),
    unknown(dead=True, started=()),
    unknown(dead=True, started=("x.one",)),
    unknown(dead=True, started=None),
]
APPLIEDS = [
    None,
    APPLIED,
    replace(APPLIED, fingerprint="f0"),
    replace(APPLIED, goal=Goal.DESTROY),
    replace(APPLIED, pending=("x.one",)),
]
FAILURE = Failure(phase=Phase.APPLY, fingerprint="f1", at=NOW - 5, code="HF-2004", message="no", transient=True)
FAILURES = [
    None,
    replace(FAILURE, fingerprint="f0"),
    FAILURE,
    replace(FAILURE, at=NOW - 4000),
    replace(FAILURE, at=NOW - 9000, count=4),
    replace(FAILURE, transient=False),
]
PEOPLE = [
    ((), False, False),
    ((), False, True),
    ((), True, True),
    (("good",), False, True),
    (("author",), False, True),
    (("stranger",), False, True),
    (("accepts",), False, True),
    (("stale",), False, False),
]
POLICIES = [
    Policy(mode=mode, approvals=approvals, delete_limit=limit, drift=DriftPolicy(every_s=every, answer=answer))
    for mode, approvals, limit, (every, answer) in product(
        Mode,
        (
            Approvals(required=0),
            Approvals(required=1, eligible=("team:ops", "user:bob"), allow_author=False),
        ),
        (None, 0),
        ((3600.0, DriftAnswer.REPORT), (60.0, DriftAnswer.PROPOSE), (60.0, DriftAnswer.REPAIR)),
    )
]


def _consents(names: tuple[str, ...], progress: object) -> tuple[Consent, ...]:
    if not isinstance(progress, Proposal):
        return ()
    made = {
        "good": consent(progress),
        "author": consent(progress, by="ana", teams=("ops",)),
        "stranger": consent(progress, by="eve"),
        "accepts": consent(progress, accepts_duplicates=True),
        "stale": replace(consent(progress), binding="another"),
    }
    return tuple(made[name] for name in names)


def observed(progress, unknown_attempt, applied, failure, people, drift, *, drift_at=NOW - 100) -> Observed:
    names, rejected, asked = people
    turned_down = progress.binding(STACK) if rejected and isinstance(progress, Proposal) else ""
    return Observed(
        stack=STACK,
        track="main",
        applied=applied,
        progress=progress,
        unknown=unknown_attempt,
        doubts=doubts(unknown_attempt),
        consents=_consents(names, progress),
        rejected=turned_down,
        asked=asked,
        failure=failure,
        drift=drift,
        drift_at=drift_at,
    )


def every_situation() -> Iterator[Situation]:
    """Yield some 420,000 situations: whatever bears on one rule is crossed with whatever may stand before it."""
    no_word = PEOPLE[0]
    # what holds a stack back, in front of everything that it could be about to do
    asked = [
        replace(one, gates=gate, upstream=up) for one, gate, up in product(ASKED, GATES.values(), UPSTREAMS.values())
    ]
    seen = [
        observed(progress, doubt, applied, failure, no_word, drift)
        for progress, doubt, applied, failure, drift in product(PROGRESS, UNKNOWNS, APPLIEDS, FAILURES, (None, DRIFT))
    ]
    for desired, one in product(asked, seen):
        yield Situation(desired, one, POLICIES[0])
    # whose word counts, and what policy makes of it
    asked = [
        replace(one, gates=GATES[gate]) for one, gate in product((ASKED[0], ASKED[1], ASKED[3]), ("none", "apply"))
    ]
    seen = [
        replace(observed(progress, doubt, applied, None, people, None), **DRIFTING[drift])
        for progress, doubt, applied, people, drift in product(
            PROGRESS[2:], (None, *UNKNOWNS[3:]), APPLIEDS[:2], PEOPLE, ("none", "drift", "ignored")
        )
    ] + [
        replace(observed(progress, None, applied, None, people, None), **DRIFTING["recurring"])
        for progress, applied, people in product(PROGRESS[2:], APPLIEDS[:2], PEOPLE)
    ]
    for desired, one, policy in product(asked, seen, POLICIES):
        yield Situation(desired, one, policy)
    # when drift is looked for
    for drift_at, applied, drift, policy, track in product(
        (0.0, NOW - 550, NOW - 100, NOW - 30, NOW - 7200),
        (*APPLIEDS, replace(APPLIED, at=NOW - 30), replace(APPLIED, at=NOW - 9000)),
        DRIFTING.values(),
        POLICIES,
        ("main", "pull/1"),
    ):
        one = observed(None, None, applied, None, no_word, None, drift_at=drift_at)
        yield Situation(DESIRED, replace(one, track=track, **drift), policy)

from __future__ import annotations

import typing
from dataclasses import replace

import pytest
from cli_values import REVISION, applied, change, proposal, text

from adapters.contract import ChangeKind, DriftItem
from orchestrator.cli import show_runs
from orchestrator.model import event as events
from orchestrator.model.door_events import ActDenied, TokenMade, TokenRevoked
from orchestrator.model.event import ApplyEnded, ApplyStarted, Asked, Converged, Event, Outcome, PlanFailed, Planned
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.intent import (
    Basis,
    CommitNote,
    Intended,
    Intent,
    Link,
    Named,
    Permit,
    PullNote,
    Purpose,
    YesNote,
)
from orchestrator.model.observed import Applying, Consent, Hold, HoldKind
from orchestrator.model.policy import Ignore
from orchestrator.model.pull import Pull
from orchestrator.model.pull_events import ButtonPressed, PullEnded, PullHeard, PullSeen, PullTrusted, TrackEnded
from orchestrator.model.stack import MAIN
from orchestrator.ports import Entry, Run
from orchestrator.telling.events import sentence
from orchestrator.telling.runs import Result, Row, result_of

ATTEMPT = Applying(number=4, run=7, proposal=proposal(), host="h1", boot_id="b", folder="/f", by="ana", started_at=1.0)
PLANNED = Planned(proposal=proposal())
ASKED = Asked(track=MAIN, proposal=3)
APPROVED = events.Approved(track=MAIN, proposal=3, consent=Consent(by="ana", at=1.0, binding="b"))
STARTED = ApplyStarted(attempt=ATTEMPT)
NOTE = CommitNote(
    id=REVISION,
    author="Ana\x1b[2J",
    email="ana@acme.example",
    committed_at=900.0,
    subject="Open the port",
    purpose=Purpose.HOTFIX,
    stated=True,
    incidents=("INC-481",),
    permits=(Permit(act="destroy", of="prod/network"),),
    people=(Named(role="reviewed", who="Bob <bob@acme.example>"),),
    links=(Link(ref="#7", closes=True),),
    runbooks=("r.md",),
)
INTENDED = Intended(
    attempt=4,
    run=7,
    intent=Intent(
        revision=REVISION,
        commits=(NOTE,),
        count=1,
        purpose=Purpose.HOTFIX,
        basis=Basis.TRAILER,
        pulls=(PullNote(number=12, author="ana", approvers=("bob",), head=REVISION),),
        approvals=(YesNote(by="cy@acme.example", at=950.0),),
    ),
)
SUCCEEDED = ApplyEnded(attempt=4, outcome=Outcome.SUCCEEDED, applied=applied())
FAILED = ApplyEnded(attempt=4, outcome=Outcome.FAILED, code="HF-2004", message="no such bucket")
UNKNOWN = ApplyEnded(attempt=4, outcome=Outcome.UNKNOWN, message="killed")
UNPLANNED = PlanFailed(track=MAIN, fingerprint="f", code="HF-2004", message="bad HCL", transient=False)


def run(ended: float | None = 1100.0) -> Run:
    return Run(
        number=7, trigger="cli", verb="apply", actor="ana@acme.example", revision=REVISION, at=1000.0, ended_at=ended
    )


def entries(*happened: tuple[str, Event]) -> list[Entry]:
    return [
        Entry(
            seq=n,
            stack=f"infra/{name}@default",
            version=n,
            run=7,
            at=1000.0 + n,
            actor="ana",
            event=event,
            chain="",
        )
        for n, (name, event) in enumerate(happened, start=1)
    ]


@pytest.mark.parametrize(
    ("happened", "ended", "result"),
    [
        ([], 1100.0, Result.SUCCESS),
        ([("a", PLANNED)], None, Result.RUNNING),
        ([("a", PLANNED)], 1100.0, Result.WAITING),
        ([("a", PLANNED), ("a", APPROVED)], 1100.0, Result.WAITING),
        ([("a", PLANNED), ("a", ASKED)], 1100.0, Result.WAITING),
        ([("a", PLANNED), ("a", STARTED), ("a", SUCCEEDED)], 1100.0, Result.SUCCESS),
        ([("a", STARTED), ("a", FAILED)], 1100.0, Result.FAILURE),
        ([("a", STARTED), ("a", UNKNOWN), ("b", UNPLANNED)], 1100.0, Result.UNKNOWN),
        ([("a", UNPLANNED), ("a", PLANNED), ("a", STARTED), ("a", SUCCEEDED)], 1100.0, Result.SUCCESS),
        ([("a", UNPLANNED), ("b", Converged(track=MAIN, applied=applied()))], 1100.0, Result.FAILURE),
    ],
)
def test_the_last_word_on_each_stack_counts_and_the_worst_of_them(happened, ended, result):
    assert result_of(run(ended), entries(*happened)) is result


def test_a_plan_is_all_that_a_run_of_plan_is_there_for():
    assert result_of(replace(run(), verb="plan"), entries(("a", PLANNED))) is Result.SUCCESS


def test_a_run_that_was_left_to_its_keeper_is_still_running():
    assert result_of(run(), entries(("a", STARTED))) is Result.RUNNING


def test_a_run_is_told_as_a_timeline_with_its_result_last():
    row = Row(run=run(), entries=entries(("a", PLANNED), ("a", STARTED), ("a", FAILED)))
    out = text(show_runs.timeline(row))
    places = [out.index(part) for part in ("run 7", "planned", "attempt 4 started on h1 by ana", "no such bucket")]
    assert places == sorted(places)
    assert out.rstrip().endswith("✗ failure")


def test_the_list_of_runs_says_who_did_what_when():
    out = text(show_runs.page([Row(run=run(), entries=entries(("a", STARTED), ("a", SUCCEEDED)))], 1000.0 + 7300))
    for part in ("7", "apply", "success", "3f2a91c", "ana@acme.example", "2 h", "1 min", "a"):
        assert part in out


EXAMPLES: list[Event] = [
    events.DriftIgnored(rule=Ignore(address="x.one", path="size", owner="ana", reason="autoscaled", until=1.0)),
    events.DriftHeeded(address="x.one", path="", by="ana"),
    events.DriftWitnessed(about=("m",), since=0.0),
    events.DriftRecurs(repairs=3, addresses=("x.one",)),
    events.RepairsResumed(by="ana", reason="the script is gone"),
    PLANNED,
    UNPLANNED,
    ASKED,
    events.Approved(track=MAIN, proposal=3, consent=Consent(by="ana", at=1.0, binding="b", reason="fine")),
    events.Rejected(track=MAIN, proposal=3, binding="b", by="ana", reason="no"),
    events.ApplyRefused(track=MAIN, fingerprint="f", code="HF-5010", message="disk", transient=True),
    STARTED,
    INTENDED,
    SUCCEEDED,
    events.AttemptDead(attempt=4, by="ana", reason="gone"),
    Converged(track=MAIN, applied=applied()),
    events.FoundStanding(applied=applied()),
    events.NotConverged(track=MAIN, fingerprint="f", message="still", pending=("r.a",)),
    events.Verified(attempt=4),
    events.DriftSeen(
        revision=REVISION, items=(DriftItem(change=change("r.a", ChangeKind.DELETE), will_be_reverted=True),)
    ),
    events.DriftGone(),
    events.DriftCheckFailed(code="HF-2004", message="no"),
    events.Held(hold=Hold(kind=HoldKind.REVISION, revision=REVISION, by="ana", reason="broken", at=1.0)),
    events.Released(by="ana", reason=""),
    events.Vanished(revision=REVISION),
    events.Returned(revision=REVISION),
    events.StateKept(sha256="s", note="before attempt 4"),
    events.SavingFailed(attempt=4, code="HF-2011", message="backend down"),
    events.LockSeen(lock_id="l"),
    events.UnlockStarted(attempt=4, lock_id="l", by="ana"),
    events.UnlockEnded(lock_id="l", by="ana"),
    events.UnlockEnded(lock_id="l", by="ana", code="HF-2004", message="no"),
    events.Moved(old="a", new="b"),
    events.Forgotten(by="ana", reason="sold"),
    events.GateSet(gate=Gate(kind=GateKind.FREEZE, why="holidays", id=2, who="ana")),
    events.GateLifted(gate=2, by="ana", reason=""),
    TokenMade(token="5f3b", name="ci", role="view", person="ana", by="root", until=1.0),
    TokenRevoked(token="5f3b", name="ci", by="root"),
    ActDenied(by="ana", what="POST /api/v1/stacks/a/b@c/apply", code="HF-4122"),
    events.FoundStanding(applied=applied()),
    PullSeen(pull=Pull(number=1, head="d" * 40)),
    PullTrusted(pull=1, commit="d" * 40, by="ana"),
    PullHeard(
        pull=1,
        remark="7",
        written_at=1.0,
        login="mallory",
        person="",
        verb="apply",
        stacks=(),
        done=False,
        outcome="nobody here knows who that is",
    ),
    ButtonPressed(delivery="x", head="d" * 40, login="ana-gh", button="apply"),
    PullEnded(pull=1),
    TrackEnded(track="pull/1"),
]


def test_every_kind_of_event_has_a_sentence():
    assert {type(event) for event in EXAMPLES} == set(typing.get_args(Event))
    for event in EXAMPLES:
        said = sentence(event)
        assert said
        assert "\n" not in said
        assert "None" not in said


def test_why_it_was_applied_is_told_with_the_run_and_hurts_no_terminal():
    row = Row(run=run(), entries=entries(("a", STARTED), ("a", INTENDED), ("a", SUCCEEDED)))
    told = 'hotfix, INC-481, closes #7, pull request #12 by ana, approved by bob, 3f2a91c "Open the port" by Ana'
    assert told in text(show_runs.timeline(row))
    assert told in " ".join(text(show_runs.page([row], 1100.0), whole=True).split())
    assert told not in text(show_runs.page([row], 1100.0))
    assert "\x1b" not in text(show_runs.timeline(row))
    (intent,) = show_runs.page([row], 1100.0).value()["runs"][0]["intents"]
    assert (intent["stack"], intent["attempt"], intent["purpose"], intent["basis"]) == ("a", 4, "hotfix", "trailer")
    assert "commits" not in intent
    (whole,) = show_runs.timeline(row).value()["intents"]
    assert whole["commits"][0]["permits"] == [{"act": "destroy", "of": "prod/network", "may_count": True}]

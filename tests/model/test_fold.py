"""What follows from each event, and what does not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from situations import APPLIED, ATTEMPT, DESIRED, DRIFT, NOW, PROPOSAL, STACK, consent

from adapters.contract import Goal
from adapters.testimony import Confidence, Testimony
from orchestrator.model import event as events
from orchestrator.model.codec import encode
from orchestrator.model.drift import parts
from orchestrator.model.event import Outcome
from orchestrator.model.fold import fold
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.observed import (
    FOLD_VERSION,
    Consent,
    Doubt,
    Hold,
    HoldKind,
    Observed,
    Phase,
    State,
    TrackView,
    UnknownAttempt,
)
from orchestrator.model.policy import Approvals, Ignore, Policy
from orchestrator.rules.consent import standing

YES = consent(PROPOSAL)
VIEW = TrackView(proposal=PROPOSAL, consents=(YES,), asked=True)
WAITING = State(version=9, tracks={"main": VIEW}, proposals=3, attempts=4)
AT_WORK = replace(WAITING, applying=ATTEMPT, attempts=5)
DOUBT = Doubt(fingerprint="f1", addresses=("x.one",))
WORD = Testimony(who="eve", at=NOW - 9, what="PutBucketTagging", source="CloudTrail", confidence=Confidence.LIKELY)
UNKNOWN = UnknownAttempt(attempt=ATTEMPT, why="gone", at=NOW, started=("x.one",), dead=True)


def after(state: State, *happened: events.Event) -> State:
    for one in happened:
        state = fold(state, one, NOW)
    return state


def ended(outcome: Outcome, **more: object) -> events.ApplyEnded:
    return events.ApplyEnded(attempt=5, outcome=outcome, **more)


def failed_plan(**more: object) -> events.PlanFailed:
    said = {"track": "main", "fingerprint": "f1", "code": "HF-2004", "message": "no", "transient": True}
    return events.PlanFailed(**(said | more))


def test_each_event_counts_one_version_up_and_dates_the_state():
    state = after(State(version=4), events.Released(by="ana", reason="on"))
    assert (state.version, state.last_event_at) == (5, NOW)


def test_a_new_plan_voids_every_word_on_the_one_before():
    seen = after(replace(WAITING, tracks={"main": replace(VIEW, rejected="b")}), events.Planned(proposal=PROPOSAL))
    assert seen.tracks["main"] == TrackView(proposal=PROPOSAL, voided=("bob",))


def test_a_plan_on_one_track_leaves_the_others_alone():
    seen = after(WAITING, events.Planned(proposal=replace(PROPOSAL, track="pull/1", number=4)))
    assert seen.tracks["main"] == VIEW
    assert seen.proposals == 4


def test_a_plan_that_could_be_made_ends_a_row_of_plans_that_could_not():
    seen = after(State(), failed_plan(), failed_plan())
    assert seen.tracks["main"].failure.count == 2
    assert after(seen, events.Planned(proposal=PROPOSAL)).tracks["main"].failure is None


def test_failures_of_other_files_are_not_added_up():
    seen = after(State(), failed_plan(), failed_plan(fingerprint="f2"))
    assert seen.tracks["main"].failure.count == 1


def test_a_failed_plan_leaves_the_proposal_and_the_words_on_it():
    assert after(WAITING, failed_plan()).tracks["main"].consents == (YES,)


@pytest.mark.parametrize("stale", [True, False])
def test_a_refused_apply_drops_its_proposal_only_where_that_no_longer_fits(stale):
    refused = events.ApplyRefused(
        track="main", fingerprint="f1", code="HF-2006", message="moved", transient=True, stale=stale
    )
    view = after(WAITING, refused).tracks["main"]
    assert (view.proposal is None, view.consents == ()) == (stale, stale)
    assert view.failure.phase is Phase.APPLY


def test_a_yes_is_added_and_takes_an_earlier_no_back():
    rejected = replace(WAITING, tracks={"main": replace(VIEW, consents=(), rejected="b")})
    view = after(rejected, events.Approved(track="main", proposal=3, consent=YES)).tracks["main"]
    assert (view.consents, view.rejected) == ((YES,), "")


def test_a_no_voids_every_yes_that_came_before_it():
    no = events.Rejected(track="main", proposal=3, binding="b", by="eve", reason="too big")
    view = after(WAITING, no).tracks["main"]
    assert (view.consents, view.rejected, view.rejected_because) == ((), "b", "eve: too big")


def test_an_attempt_that_never_started_leaves_everything_standing():
    assert after(AT_WORK, ended(Outcome.NOT_STARTED)).tracks["main"] == VIEW
    doubtful = replace(AT_WORK, unknown=UNKNOWN, doubts=(DOUBT,))
    seen = after(doubtful, ended(Outcome.NOT_STARTED))
    assert (seen.unknown, seen.doubts, seen.applying) == (UNKNOWN, (DOUBT,), None)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.STALE])
def test_a_yes_is_for_one_attempt(outcome):
    applied = replace(APPLIED, attempt=5) if outcome is Outcome.SUCCEEDED else None
    view = after(AT_WORK, ended(outcome, applied=applied)).tracks["main"]
    assert (view.proposal, view.consents, view.asked) == (None, (), False)


def test_a_late_word_about_another_attempt_changes_nothing():
    late = events.ApplyEnded(attempt=4, outcome=Outcome.FAILED)
    assert after(AT_WORK, late) == replace(AT_WORK, version=10, last_event_at=NOW)


def test_a_success_is_what_is_there_now_and_ends_failures_to_apply():
    at_work = replace(AT_WORK, applied=replace(APPLIED, revision="r0"), drift=DRIFT, drift_check_error="blind")
    failing = after(at_work, failed_plan())
    seen = after(failing, ended(Outcome.SUCCEEDED, applied=APPLIED))
    assert (seen.applied, seen.previous_revision) == (APPLIED, "r0")
    assert (seen.drift, seen.drift_check_error, seen.tracks["main"].failure) == (None, "", None)


def test_a_success_does_not_prove_that_it_converges():
    still = events.NotConverged(track="main", fingerprint="f1", message="still", pending=("x.one",))
    fresh = replace(APPLIED, verified_at=None)
    seen = after(replace(AT_WORK, applied=fresh), still, ended(Outcome.SUCCEEDED, applied=fresh), still)
    assert seen.tracks["main"].failure.count == 2
    assert seen.applied.pending == ("x.one",)


def test_failed_applies_count_on():
    seen = after(AT_WORK, ended(Outcome.FAILED, code="HF-2004", message="no"))
    again = after(replace(seen, applying=ATTEMPT), ended(Outcome.FAILED, code="HF-2004", message="no"))
    assert (again.tracks["main"].failure.count, again.tracks["main"].failure.phase) == (2, Phase.APPLY)


def test_a_tool_that_did_nothing_ends_no_doubt_about_an_older_attempt():
    doubtful = replace(AT_WORK, unknown=UNKNOWN, doubts=(DOUBT,))
    seen = after(doubtful, ended(Outcome.STALE))
    assert (seen.unknown, seen.doubts) == (UNKNOWN, (DOUBT,))


@pytest.mark.parametrize(("started", "doubted"), [(None, ("x.one",)), (("x.two",), ("x.two",)), ((), None)])
def test_an_unknown_end_doubts_what_had_begun_or_else_all_that_was_to_be_made(started, doubted):
    seen = after(AT_WORK, ended(Outcome.UNKNOWN, started=started, message="gone"))
    assert seen.unknown.attempt == ATTEMPT
    assert seen.doubts == (() if doubted is None else (Doubt(fingerprint="f1", addresses=doubted),))


def test_the_word_that_an_attempt_is_dead_counts_for_that_attempt_alone():
    undead = State(unknown=replace(UNKNOWN, dead=False), doubts=(DOUBT,))
    assert not after(undead, events.AttemptDead(attempt=ATTEMPT.number + 1)).unknown.dead
    dead = after(undead, events.AttemptDead(attempt=ATTEMPT.number, by="ana"))
    assert (dead.unknown, dead.doubts) == (UNKNOWN, (DOUBT,))
    assert after(AT_WORK, events.AttemptDead(attempt=ATTEMPT.number)).applying == ATTEMPT


def test_doubts_end_only_by_proof_or_by_a_success_that_people_accepted():
    doubtful = replace(AT_WORK, doubts=(DOUBT, replace(DOUBT, fingerprint="f9", addresses=("x.one", "x.nine"))))
    failed = after(doubtful, ended(Outcome.FAILED))
    assert failed.doubts == doubtful.doubts
    made = after(doubtful, ended(Outcome.SUCCEEDED, applied=APPLIED))
    assert made.doubts == (Doubt(fingerprint="f9", addresses=("x.nine",)),)
    other = events.Converged(track="main", applied=replace(APPLIED, fingerprint="f0"))
    assert after(doubtful, other).doubts == doubtful.doubts
    same = after(doubtful, events.Converged(track="main", applied=APPLIED))
    assert [doubt.fingerprint for doubt in same.doubts] == ["f9"]
    planned = after(doubtful, events.Planned(proposal=replace(PROPOSAL, creates=())))
    assert [doubt.fingerprint for doubt in planned.doubts] == ["f9"]
    gone = after(doubtful, events.Converged(track="main", applied=replace(APPLIED, goal=Goal.DESTROY)))
    assert gone.doubts == doubtful.doubts


def test_what_is_found_standing_takes_no_place_of_what_is_known():
    standing = events.FoundStanding(applied=replace(APPLIED, fingerprint=""))
    assert after(State(), standing).applied == standing.applied
    assert after(State(applied=APPLIED), standing).applied == APPLIED
    assert after(after(State(), events.Planned(proposal=PROPOSAL)), standing).tracks["main"].proposal == PROPOSAL


def test_drift_keeps_when_it_was_first_seen():
    seen = after(replace(WAITING, drift=replace(DRIFT, items=())), events.DriftSeen(revision="r2", items=DRIFT.items))
    assert (seen.drift.first_seen, seen.drift.items, seen.drift.revision) == (DRIFT.first_seen, DRIFT.items, "r2")
    assert after(seen, events.DriftGone()).drift is None


def test_a_look_that_failed_is_remembered_until_one_succeeds():
    blind = after(WAITING, events.DriftCheckFailed(code="HF-2004", message="blind"))
    assert blind.drift_check_error == "blind"
    for seen in (events.DriftGone(), events.DriftSeen(revision="r1", items=DRIFT.items)):
        assert after(blind, seen).drift_check_error == ""
    assert after(replace(blind, applied=APPLIED), events.Verified(attempt=4)).drift_check_error == ""


def test_a_clean_look_proves_what_was_applied_and_nothing_else():
    failing = after(replace(WAITING, applied=replace(APPLIED, pending=("x.one",))), failed_plan())
    failing = after(failing, failed_plan(track="pull/1"), failed_plan(track="main", fingerprint="f1"))
    seen = after(failing, events.Verified(attempt=4))
    assert (seen.applied.pending, seen.applied.verified_at) == ((), NOW)
    assert seen.tracks["main"].failure is None
    assert seen.tracks["pull/1"].failure is not None
    other = after(replace(WAITING, applied=APPLIED), failed_plan(fingerprint="f2"), events.Verified(attempt=4))
    assert other.tracks["main"].failure is not None


def test_a_look_that_finds_only_what_is_ignored_proves_as_much_and_goes_on_knowing_it():
    seen = after(replace(WAITING, applied=APPLIED, drift=DRIFT), events.Verified(attempt=4, ignored=True))
    assert (seen.applied.verified_at, seen.drift) == (NOW, DRIFT)


def test_holds_gone_and_back():
    hold = Hold(kind=HoldKind.REVISION, revision="r0", by="ana", reason="night", at=NOW)
    held = after(WAITING, events.Held(hold=hold))
    assert held.hold == hold
    assert after(held, events.Released(by="ana", reason="day")).hold is None
    gone = after(WAITING, events.Vanished(revision="r2"))
    assert gone.vanished_at == NOW
    assert after(gone, events.Returned(revision="r3")).vanished_at is None


def test_a_rename_moves_all_and_leaves_the_numbers():
    left = replace(AT_WORK, applying=None, applied=APPLIED, kept="sha", doubts=(DOUBT,))
    old = after(left, events.Moved(old="a", new="b", state=None))
    assert old == State(version=10, proposals=3, attempts=5, moved_to="b", last_event_at=NOW)
    new = after(State(version=2, proposals=8), events.Moved(old="a", new="b", state=left))
    assert (new.applied, new.kept, new.doubts, new.proposals, new.version) == (APPLIED, "sha", (DOUBT,), 8, 3)


def test_gates_are_no_ones_state():
    gate = Gate(kind=GateKind.FREEZE, why="release day")
    assert after(WAITING, events.GateSet(gate=gate)) == replace(WAITING, version=10, last_event_at=NOW)


#: Everything that `fold` can be told, in an order that each arm leaves its trace in.
STORY: tuple[events.Event, ...] = (
    failed_plan(),
    events.Planned(proposal=PROPOSAL),
    events.Asked(track="main", proposal=3),
    events.Rejected(track="main", proposal=3, binding="b", by="eve", reason="no"),
    events.Approved(track="main", proposal=3, consent=YES),
    events.ApplyStarted(attempt=ATTEMPT),
    ended(Outcome.UNKNOWN, message="gone", started=("x.one",)),
    events.ApplyStarted(attempt=replace(ATTEMPT, number=5)),
    ended(Outcome.SUCCEEDED, applied=replace(APPLIED, verified_at=None)),
    events.NotConverged(track="main", fingerprint="f1", message="still", pending=("x.two",)),
    events.DriftSeen(revision="r1", items=DRIFT.items),
    events.ApplyStarted(attempt=replace(ATTEMPT, number=6)),
    events.ApplyEnded(attempt=6, outcome=Outcome.SUCCEEDED, applied=APPLIED),
    events.DriftSeen(revision="r1", items=DRIFT.items),
    events.DriftWitnessed(
        about=tuple(part.mark for item in DRIFT.items for part in parts(item)), since=NOW - 60, testimonies=(WORD,)
    ),
    events.DriftIgnored(rule=Ignore(address="x.one", owner="ana", reason="known", until=NOW + 60)),
    events.DriftCheckFailed(code="HF-2004", message="blind"),
    events.StateKept(sha256="sha", note="after"),
    events.LockSeen(lock_id="lock"),
    events.Held(hold=Hold(kind=HoldKind.REVISION, revision="r0", by="ana", reason="night", at=NOW)),
    events.Vanished(revision="r2"),
)
#: Of the state that the story folds to, and the fold's version. Change both together: stored snapshots are only
#: rebuilt where the version moves.
STORY_FOLDS_TO = (6, "a5a5f95ded047cc1")


def test_a_change_of_what_is_folded_bears_a_new_version():
    digest = hashlib.sha256(json.dumps(encode(after(State(), *STORY)), sort_keys=True).encode()).hexdigest()[:16]
    assert (FOLD_VERSION, digest) == STORY_FOLDS_TO


@pytest.mark.parametrize(
    "change",
    [
        {"goal": Goal.DESTROY},
        {"fingerprint": "f2"},
        {"changes_digest": "c2"},
        {"artifact": "a2"},
        {"policy_digest": "p2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_yes_is_bound_to_all_that_would_be_done(change):
    assert replace(PROPOSAL, **change).binding(STACK) != PROPOSAL.binding(STACK)


def test_a_yes_is_bound_to_its_stack_and_not_to_the_revision_nor_the_number():
    assert PROPOSAL.binding("infra/other@prod") != PROPOSAL.binding(STACK)
    same = replace(PROPOSAL, revision="r2", number=4, run=8, made_at=NOW)
    assert same.binding(STACK) == PROPOSAL.binding(STACK)


def test_only_words_on_this_very_plan_by_people_who_may_count():
    policy = Policy(approvals=Approvals(required=1, eligible=("user:bob",), allow_author=False))
    words = (
        Consent(by="bob", at=NOW, binding="another"),
        consent(PROPOSAL, by="eve"),
        consent(PROPOSAL, by="ana"),
        consent(PROPOSAL, by="bob"),
        consent(PROPOSAL, by="bob", accepts_duplicates=True),
    )
    seen = Observed(stack=STACK, track="main", progress=PROPOSAL, consents=words)
    assert standing(DESIRED, seen, PROPOSAL, policy, NOW) == (words[-1],)

"""Nothing is changed but what enough people who may have said yes to, once, and not long ago: a machine looks for a way.

Commits, plans, words, time, teams, policies, failures and crashes come in every order. Whatever the tool is about to
change is compared with what people had in front of them, by a ledger of words that knows nothing of our own rules.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from ticking import Crash
from world import AUTO, World

from adapters.contract import Plan, Workspace
from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.acts.consent import Word, approve, reject
from orchestrator.engine.outside import Reading
from orchestrator.engine.planning import stored_plan
from orchestrator.engine.work import Worker
from orchestrator.errors import UsageError
from orchestrator.model.action import Reason
from orchestrator.model.event import Approved, Released
from orchestrator.model.observed import Consent, HoldKind, Proposal
from orchestrator.model.policy import Approvals, Group, Mode, Policy
from orchestrator.model.stack import StackKey

WEB = StackKey(source="infra", name="web")
HOUR = 3600.0
#: The files of the stack.
OWN = ("objects", "notes")
PEOPLE = ("ana", "bob", "cid", "dan")
TEAMS = {"platform": {"bob", "cid"}, "security": {"ana", "cid", "dan"}}


def asking(**approvals: Any) -> Policy:
    # Retried at once where nobody is asked again: a yes that is spent must be what stops it.
    return replace(AUTO, mode=Mode.PROPOSE, approvals=Approvals(**approvals), retries=9)


POLICIES = (
    asking(eligible=("team:platform",), groups=(Group(of=("team:security",)),), allow_author=False, valid_s=HOUR),
    asking(eligible=("team:security",), allow_author=False, valid_s=HOUR),
    asking(required=2, valid_s=HOUR),
    asking(required=1, eligible=("team:platform", "user:dan")),
)


@dataclass(frozen=True)
class Said:
    """One person's yes, with all that they had in front of them and the teams they were in."""

    by: str
    at: float
    teams: frozenset[str]
    seen: tuple[object, ...]


class Approving(RuleBasedStateMachine):
    """People, commits, time and crashes around one stack."""

    #: How often what happened, over all runs: proof that the machine is not idle.
    met: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="holdfast-machine-"))
        self.world = World(self.home, POLICIES[0])
        self.world.teams = {team: set(members) for team, members in TEAMS.items()}
        self.world.executing = self.executing
        self.objects, self.notes, self.commits = "a=1", "", 0
        #: Revision -> who wrote it and whether it touched the stack's own files.
        self.pens: dict[str, tuple[str, bool]] = {}
        #: Words that nothing has spent or taken back.
        self.words: list[Said] = []
        #: What was done that nobody let happen: to raise it there would only be one more fault that the engine contains.
        self.wrong: list[str] = []
        #: Every proposal that somebody saw, with what was in it.
        self.shown: list[tuple[Proposal, tuple[object, ...]]] = []
        self.push("ana", touched=True)

    def teardown(self) -> None:
        self.world.record.database.close()
        shutil.rmtree(self.home)

    # --- what is true, by other ways than ours

    def push(self, author: str, *, touched: bool) -> None:
        self.commits += 1
        self.world.author = author
        files = {"web/objects": self.objects, "web/notes": self.notes, "readme": str(self.commits)}
        self.world.commit(files, {"web": {"policy": self.world.policy}})
        self.pens[self.world.revision] = (author, touched)

    def contents(self, proposal: Proposal) -> tuple[object, ...]:
        """Return what a person who looks at a proposal has in front of them."""
        files, _ = self.world.history[proposal.revision]
        own = {name: files[f"web/{name}"].decode() for name in OWN}
        saved = self.world.outside.artifacts.get(proposal.artifact)
        return _bound(own, stored_plan(self.world.outside, proposal), saved, self.policy())

    def executing(self, workspace: Workspace, plan: Plan) -> None:
        """Judge what the tool is about to do; whatever came before it is spent."""
        assert plan.saved is not None
        own = {name: (workspace.folder / name).read_text() for name in OWN}
        doing = _bound(own, plan, plan.saved.read_bytes(), self.policy())
        good = [one for one in self.words if one.seen == doing and self.counts(one)]
        if not self.sit(good):
            self.wrong.append(f"nobody let it: {doing}, said: {self.words}, teams: {self.world.teams}")
        self.words.clear()
        self.met["applied"] += 1

    def policy(self) -> Policy:
        return self.world.reading().layout.stacks[WEB].policy

    def sit(self, words: list[Said]) -> bool:
        """Whether distinct people among these can take every place, tried in every order."""
        approvals = self.policy().approvals
        places = [approvals.eligible] * (approvals.required or int(not approvals.groups))
        places += [group.of for group in approvals.groups for _ in range(group.at_least)]

        def may(person: str, of: tuple[str, ...]) -> bool:
            teams = {team for said in words if said.by == person for team in said.teams & self.teams_of(person)}
            return not of or f"user:{person}" in of or any(f"team:{team}" in of for team in teams)

        people = sorted({said.by for said in words})
        return any(all(map(may, order, places)) for order in permutations(people, len(places)))

    def counts(self, said: Said) -> bool:
        approvals = self.policy().approvals
        fresh = approvals.valid_s is None or self.world.now_ - said.at < approvals.valid_s
        return fresh and (approvals.allow_author or said.by not in self.authors())

    def authors(self) -> set[str]:
        applied, order = self.world.state().applied, list(self.pens)
        since = order.index(applied.revision) + 1 if applied else 0
        return {author for author, touched in map(self.pens.__getitem__, order[since:]) if touched}

    def teams_of(self, person: str) -> frozenset[str]:
        return frozenset(team for team, members in self.world.teams.items() if person in members)

    def proposal(self) -> Proposal | None:
        view = self.world.state().tracks.get("main")
        return view.proposal if view else None

    @invariant()
    def nothing_is_done_that_nobody_let_happen(self) -> None:
        assert self.wrong == []

    # --- what happens

    @rule(author=st.sampled_from(PEOPLE), objects=st.sampled_from(["a=1", "a=2", "a=2 b=1", "b=1"]))
    def somebody_pushes(self, author: str, objects: str) -> None:
        touched = objects != self.objects
        self.objects = objects
        self.push(author, touched=touched)

    @rule(author=st.sampled_from(PEOPLE), notes=st.sampled_from(["", "todo"]))
    def somebody_changes_what_the_plan_does_not_show(self, author: str, notes: str) -> None:
        touched = notes != self.notes
        self.notes = notes
        self.push(author, touched=touched)

    @rule(policy=st.sampled_from(POLICIES))
    def policy_changes(self, policy: Policy) -> None:
        self.world.policy = policy
        self.push("eve", touched=False)

    @rule(salt=st.integers(0, 1))
    def the_tool_writes_other_plan_files(self, salt: int) -> None:
        self.world.cloud.salt = salt

    @rule()
    def somebody_tampers(self) -> None:
        for name in list(self.world.cloud.objects)[:1]:
            self.world.cloud.objects[name] = "hacked"

    @rule(seconds=st.sampled_from([60.0, 1800.0, HOUR, 90_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.sleep(seconds)

    @rule(person=st.sampled_from(PEOPLE), team=st.sampled_from(sorted(TEAMS)))
    def somebody_joins_or_leaves(self, person: str, team: str) -> None:
        self.world.teams[team] ^= {person}

    @rule(people=st.sets(st.sampled_from(PEOPLE), min_size=1))
    def people_say_yes(self, people: set[str]) -> None:
        self.settle(mode=Mode.OBSERVE)
        for person in sorted(people):
            self.say_yes(person)

    @rule(people=st.sets(st.sampled_from(PEOPLE), min_size=2))
    def people_say_yes_and_it_is_worked(self, people: set[str]) -> None:
        self.people_say_yes(people)
        self.settle()

    @rule(seconds=st.sampled_from([0.0, 1800.0, HOUR]), team=st.sampled_from(["", *sorted(TEAMS)]))
    def everybody_says_yes_and_a_team_leaves_before_it_is_worked(self, seconds: float, team: str) -> None:
        self.people_say_yes(set(PEOPLE))
        self.world.sleep(seconds)
        before = self.world.teams
        self.world.teams = {**before, **{name: set[str]() for name in [team] if name}}
        self.settle()
        self.world.teams = before

    @rule(person=st.sampled_from(PEOPLE))
    def one_person_says_yes_twice_and_it_is_worked(self, person: str) -> None:
        self.people_say_yes({person})
        self.people_say_yes({person})
        self.settle()

    @rule()
    def everybody_says_yes_and_the_attempt_fails_and_it_is_worked_again(self) -> None:
        self.people_say_yes(set(PEOPLE))
        self.an_attempt_fails()
        self.world.sleep(60.0)
        self.settle()

    def say_yes(self, person: str) -> None:
        proposal = self.proposal()
        if proposal is None:
            return
        word = Word(caller=Caller(actor=person, door="test", teams=self.world.teams_of(person)))
        approve(self.world.outside, WEB, proposal, word, run=0)
        self.shown.append((proposal, self.contents(proposal)))
        self.heard(person, self.shown[-1][1])

    def heard(self, person: str, seen: tuple[object, ...]) -> None:
        self.words.append(Said(by=person, at=self.world.now_, teams=self.teams_of(person), seen=seen))

    @precondition(lambda self: self.shown)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def a_word_on_an_earlier_plan_comes_late(self, person: str, data: st.DataObject) -> None:
        """The door refuses it; and were it in the record, taken by a door that did not know better, it binds."""
        self.comes_late(person, *data.draw(st.sampled_from(self.shown)))

    def comes_late(self, person: str, proposal: Proposal, seen: tuple[object, ...]) -> None:
        now = self.proposal()
        if now is None or now.number != proposal.number:
            with pytest.raises(UsageError):
                approve(self.world.outside, WEB, proposal, Word(caller=Caller(actor=person, door="test")), run=0)
        teams = self.world.teams_of(person)
        consent = Consent(by=person, at=self.world.now(), binding=proposal.binding(str(WEB)), teams=teams)
        said = Approved(track="main", proposal=proposal.number, consent=consent)
        self.world.record.append(str(WEB), [said], expected=self.world.state().version, run=0)
        self.heard(person, seen)

    @rule(thing=st.sampled_from(["files", "plan file", "world", "policy"]))
    def one_thing_changes_and_everybodys_words_on_what_was_before_come_late(self, thing: str) -> None:
        self.people_say_yes(set(PEOPLE))
        last = self.shown[-1:]
        if thing == "files":
            self.notes += "."
            self.push("eve", touched=True)
        elif thing == "policy":
            self.world.policy = replace(self.world.policy, retries=self.world.policy.retries + 1)
            self.push("eve", touched=False)
        elif thing == "world":
            self.somebody_tampers()
        else:
            self.world.cloud.salt += 1
        # By then every plan is too old, and made anew.
        self.world.sleep(90_000.0)
        self.settle(mode=Mode.OBSERVE)
        for proposal, seen in last:
            for person in PEOPLE:
                self.comes_late(person, proposal, seen)
        self.settle()

    @rule(person=st.sampled_from(PEOPLE))
    def somebody_says_no(self, person: str) -> None:
        proposal = self.proposal()
        if proposal is not None:
            reject(self.world.outside, WEB, proposal, Word(caller=Caller(actor=person, door="test")), run=0)
            self.words.clear()

    @rule()
    def it_is_worked(self) -> None:
        self.settle()

    @rule()
    def an_attempt_fails(self) -> None:
        self.world.cloud.fail_next = 1
        self.settle()
        self.world.cloud.fail_next = 0

    @rule(person=st.sampled_from(PEOPLE), late=st.booleans())
    def while_an_apply_is_prepared_somebody_leaves_or_an_hour_passes(self, person: str, *, late: bool) -> None:
        def meanwhile() -> None:
            self.world.meanwhile = lambda: None
            if late:
                self.world.sleep(HOUR)
            for members in self.world.teams.values():
                members.discard(person)

        self.world.meanwhile = meanwhile
        self.settle()
        self.world.meanwhile = lambda: None

    @rule()
    def a_run_that_is_told_to_stop_applies_nothing(self) -> None:
        before = self.met["applied"]
        run = self.world.record.open_run(trigger="test", verb="apply", actor="ana", revision=self.world.revision)
        reading: Reading = self.world.reading()
        Worker(self.world.outside, reading, run, cancelled=lambda: True).settle(WEB)
        assert self.met["applied"] == before

    @rule(at=st.integers(1, 120))
    def everybody_says_yes_and_the_worker_dies(self, at: int) -> None:
        self.people_say_yes(set(PEOPLE))
        self.world.effects.count, self.world.effects.crash_at = 0, at
        try:
            self.world.settle("web")
        except Crash:
            self.world.restart()
            self.met["died"] += 1
        self.world.effects.crash_at = None
        self.settle(mode=Mode.OBSERVE)

    @rule()
    def it_is_to_be_taken_down_or_built_again(self) -> None:
        state = self.world.state()
        if state.hold:
            released = Released(by="ana", reason="again")
            self.world.record.append(str(WEB), [released], expected=state.version, run=0)
        elif state.applied:
            self.world.hold("web", state.applied.revision, HoldKind.DESTROYED)

    def settle(self, **limits: Any) -> None:
        rest = self.world.settle("web", person=True, **limits).rest
        self.met[rest.reason.value] += 1
        if "expired" in rest.why or "no longer in" in rest.why:
            self.met["lapsed"] += 1


def _bound(own: dict[str, str], plan: Plan, saved: bytes, policy: Policy) -> tuple[object, ...]:
    changes = frozenset((one.address, one.kind) for one in plan.changes)
    return (plan.goal, tuple(sorted(own.items())), changes, hashlib.sha256(saved).hexdigest(), policy)


@pytest.mark.parametrize("thing", ["files", "plan file", "world", "policy"])
def test_a_word_on_what_was_before_one_thing_changed_lets_nothing_happen(thing):
    machine = Approving()
    try:
        machine.people_say_yes_and_it_is_worked(set(PEOPLE))
        machine.policy_changes(POLICIES[3])
        machine.somebody_pushes("eve", "a=1 b=1")
        before = Approving.met["applied"]
        machine.one_thing_changes_and_everybodys_words_on_what_was_before_come_late(thing)
        assert machine.proposal() is not None
        assert Approving.met["applied"] == before
        machine.people_say_yes_and_it_is_worked(set(PEOPLE))
        assert Approving.met["applied"] == before + 1
    finally:
        machine.teardown()


@pytest.mark.parametrize(("policy", "person"), [(POLICIES[2], "dan"), (POLICIES[0], "cid")], ids=["twice", "two teams"])
def test_one_person_is_one_person_however_often_they_speak_and_whatever_they_are_in(policy, person):
    machine = Approving()
    try:
        machine.policy_changes(policy)
        before = Approving.met["applied"]
        machine.one_person_says_yes_twice_and_it_is_worked(person)
        assert (Approving.met["applied"], machine.wrong) == (before, [])
    finally:
        machine.teardown()


def test_a_yes_that_is_too_old_lets_nothing_happen_before_the_apply_and_while_it_is_prepared():
    machine = Approving()
    try:
        machine.policy_changes(POLICIES[2])
        before = Approving.met["applied"]
        machine.everybody_says_yes_and_a_team_leaves_before_it_is_worked(HOUR, "")
        assert (Approving.met["applied"], machine.wrong) == (before, [])
        machine.people_say_yes(set(PEOPLE))
        machine.while_an_apply_is_prepared_somebody_leaves_or_an_hour_passes("eve", late=True)
        assert (Approving.met["applied"], machine.wrong) == (before, [])
    finally:
        machine.teardown()


def test_no_order_of_events_has_anything_applied_that_people_did_not_let_happen_once():
    Approving.met.clear()
    run_state_machine_as_test(
        Approving,
        settings=settings(
            max_examples=35,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    met = Approving.met
    least = {"applied": 20, "died": 1, "lapsed": 1, Reason.REJECTED.value: 1}
    assert {name: met[name] for name, count in least.items() if met[name] < count} == {}, met

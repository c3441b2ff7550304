"""`decide` over every kind of situation: safety, liveness, and proof that each rule is needed."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from dataclasses import replace
from itertools import islice
from types import ModuleType

import pytest
from cases import CASES
from situations import (
    NOW,
    STACK,
    every_situation,
)

from adapters.contract import Goal
from orchestrator.model.action import Apply, Ask, CheckDrift, MakePlan, Reason, Rest
from orchestrator.model.desired import Missing, Pending
from orchestrator.model.gate import Act
from orchestrator.model.observed import Applying, Proposal
from orchestrator.model.policy import DriftAnswer, Mode
from orchestrator.rules import decide as module
from orchestrator.rules.consent import needed, standing
from orchestrator.rules.drifted import recurring


def stands(situation, act):
    return any(gate.stands(act, NOW) for gate in situation.desired.gates)


def an_apply_is_always_permitted(situation, action):
    """Something bad never happens: nothing is applied that was not asked for, planned, fresh and allowed."""
    if not isinstance(action, Apply):
        return True
    desired, seen, policy = situation.desired, situation.observed, situation.policy
    proposal = seen.progress
    if not isinstance(proposal, Proposal):
        return False
    words = standing(desired, seen, proposal, policy, NOW)
    hazards = seen.hazards(proposal)
    return (
        desired.committed
        and not stands(situation, Act.APPLY)
        and not any(isinstance(one, Pending | Missing) for one in desired.upstream)
        and (proposal.fingerprint, proposal.goal, proposal.policy_digest)
        == (desired.fingerprint, desired.goal, desired.policy_digest)
        and NOW - proposal.made_at <= policy.plan_ttl_s
        and not proposal.empty
        and policy.mode is not Mode.OBSERVE
        and seen.rejected != proposal.binding(STACK)
        and (policy.delete_limit is None or proposal.counts.destructive <= policy.delete_limit)
        and len(words) >= needed(desired, seen, policy)
        and (not hazards or any(word.accepts_duplicates for word in words))
        and (seen.unknown is None or (seen.unknown.dead and proposal.looked_after == seen.unknown.attempt.number))
    )


def nothing_starts_beside_an_attempt(situation, action):
    seen = situation.observed
    busy = isinstance(seen.progress, Applying) or (seen.unknown is not None and not seen.unknown.dead)
    return not busy or isinstance(action, Rest)


def nothing_starts_behind_a_closed_gate(situation, action):
    return not stands(situation, Act.PLAN) or isinstance(action, Rest)


def nothing_is_planned_with_invented_values(situation, action):
    missing = any(isinstance(one, Pending | Missing) for one in situation.desired.upstream)
    return not missing or isinstance(action, Rest)


def drift_is_looked_for_only_where_it_means_something(situation, action):
    seen = situation.observed
    return not isinstance(action, CheckDrift) or (
        module.applied_as_asked(situation.desired, seen)
        and seen.track == "main"
        and situation.desired.goal is Goal.CONVERGE
    )


def what_was_applied_is_looked_at_in_time(situation, action):
    """Whatever waits, for people or for better times, what is there may change meanwhile."""
    desired, seen, policy = situation.desired, situation.observed, situation.policy
    due_at = module.drift_due_at(seen, policy)
    looks = module.applied_as_asked(desired, seen) and seen.track == "main" and desired.goal is Goal.CONVERGE
    if not looks or due_at is None or not isinstance(action, Rest):
        return True
    return action.until is not None and action.until <= due_at


def a_yes_is_waited_for_no_longer_than_its_plan_is_good(situation, action):
    if action.reason not in {Reason.AWAITING_APPROVAL, Reason.MAY_DUPLICATE} or not isinstance(action, Rest):
        return True
    return (
        action.until is not None and action.until <= situation.observed.progress.made_at + situation.policy.plan_ttl_s
    )


def failures_are_not_repeated_at_once(situation, action):
    failure, policy = situation.observed.failure, situation.policy
    if failure is None or failure.fingerprint != situation.desired.fingerprint:
        return True
    retry = failure.transient and failure.count <= policy.retries and failure.at + module.backoff(failure.count) <= NOW
    return retry or isinstance(action, Rest | CheckDrift)


def drift_is_not_repaired_behind_a_gate(situation, action):
    repairing = situation.observed.drift and module.settled(situation.desired, situation.observed)
    return not (repairing and stands(situation, Act.REPAIR)) or isinstance(action, Rest | CheckDrift)


def what_recurs_is_never_repaired_by_itself(situation, action):
    """Continuous repair must not hide that somebody keeps changing things."""
    seen, policy = situation.observed, situation.policy
    if not recurring(seen, policy.drift.limit) or not isinstance(action, Apply):
        return True
    return bool(standing(situation.desired, seen, seen.progress, policy, NOW))


def what_is_ignored_is_never_undone_without_a_word(situation, action):
    seen = situation.observed
    reverts = any(one.item.will_be_reverted for one in seen.ignored)
    if not reverts or not isinstance(action, Apply):
        return True
    return bool(standing(situation.desired, seen, seen.progress, situation.policy, NOW))


def people_are_asked_once_and_only_for_what_could_be_done(situation, action):
    if not isinstance(action, Ask):
        return True
    seen = situation.observed
    return (
        not seen.asked
        and situation.policy.mode is not Mode.OBSERVE
        and isinstance(seen.progress, Proposal)
        and not seen.progress.empty
        and seen.rejected != seen.progress.binding(STACK)
    )


def an_action_speaks_to_people(situation, action):
    return bool(action.why) and bool(action.reason)


def an_outdated_plan_says_what_changed(situation, action):
    if action.reason is not Reason.OUTDATED or situation.desired.goal is not situation.observed.progress.goal:
        return True
    by_policy = situation.observed.progress.policy_digest != situation.desired.policy_digest
    return ("policy" in action.why) == by_policy or situation.observed.progress.fingerprint == "f0"


def what_is_at_rest_stays_at_rest(situation, action):
    """A stack that is as asked for, with no drift known, is never planned nor applied again."""
    seen = situation.observed
    return not (module.settled(situation.desired, seen) and seen.drift is None) or isinstance(action, Rest | CheckDrift)


SAFETY = [
    an_apply_is_always_permitted,
    nothing_starts_beside_an_attempt,
    nothing_starts_behind_a_closed_gate,
    nothing_is_planned_with_invented_values,
    what_was_applied_is_looked_at_in_time,
    a_yes_is_waited_for_no_longer_than_its_plan_is_good,
    drift_is_looked_for_only_where_it_means_something,
    failures_are_not_repeated_at_once,
    drift_is_not_repaired_behind_a_gate,
    what_recurs_is_never_repaired_by_itself,
    what_is_ignored_is_never_undone_without_a_word,
    people_are_asked_once_and_only_for_what_could_be_done,
    an_action_speaks_to_people,
    an_outdated_plan_says_what_changed,
    what_is_at_rest_stays_at_rest,
]


@pytest.mark.parametrize("name", CASES)
def test_what_must_happen_does_happen(name):
    desired, seen, policy, reason = CASES[name]
    assert module.decide(desired, seen, policy, NOW).reason is reason


def test_a_stricter_answer_to_drift_never_asks_fewer_people():
    strict_first = (DriftAnswer.REPORT, DriftAnswer.PROPOSE, DriftAnswer.REPAIR)
    for situation in islice(every_situation(), 0, None, 389):
        policies = [
            replace(situation.policy, drift=replace(situation.policy.drift, answer=answer)) for answer in strict_first
        ]
        asked = [needed(situation.desired, situation.observed, policy) for policy in policies]
        assert asked == sorted(asked, reverse=True)


def broken_properties(rules: ModuleType, situations) -> Counter:
    found = Counter()
    for situation in situations:
        action = rules.decide(situation.desired, situation.observed, situation.policy, NOW)
        for holds in SAFETY:
            if not holds(situation, action):
                found[holds.__name__] += 1
    for name, (desired, seen, policy, reason) in CASES.items():
        if rules.decide(desired, seen, policy, NOW).reason is not reason:
            found[name] += 1
    return found


def test_every_situation_is_safe_and_every_action_and_reason_is_reached():
    reasons, kinds, count = set(), set(), 0
    for situation in every_situation():
        action = module.decide(situation.desired, situation.observed, situation.policy, NOW)
        for holds in SAFETY:
            assert holds(situation, action), (holds.__name__, situation, action)
        reasons.add(action.reason)
        kinds.add(type(action))
        count += 1
    assert count > 300_000
    assert kinds == {MakePlan, Ask, Apply, CheckDrift, Rest}
    assert reasons == set(Reason) - {Reason.VANISHED}


class _WithoutRule(ast.NodeTransformer):
    """Turns the n-th `if` of the module into one that never holds."""

    def __init__(self, number: int) -> None:
        self.number, self.seen, self.line = number, 0, 0

    def visit_If(self, node: ast.If) -> ast.AST:
        self.seen += 1
        if self.seen - 1 == self.number:
            self.line = node.lineno
            node.test = ast.copy_location(ast.Constant(value=False), node.test)
        self.generic_visit(node)
        return node


def _rules() -> list[int]:
    tree = ast.parse(inspect.getsource(module))
    return list(range(sum(isinstance(node, ast.If) for node in ast.walk(tree))))


def _without(number: int) -> tuple[ModuleType, int]:
    transformer = _WithoutRule(number)
    tree = ast.fix_missing_locations(transformer.visit(ast.parse(inspect.getsource(module))))
    mutant = ModuleType("mutant")
    exec(compile(tree, "mutant", "exec"), mutant.__dict__)  # noqa: S102 -- our own rules, one of them taken out
    return mutant, transformer.line


def test_a_deleted_rule_is_noticed():
    # A slice of the enumeration is enough to see a hole, and quick.
    sample = list(islice(every_situation(), 0, None, 389))
    unnoticed = []
    for number in _rules():
        mutant, line = _without(number)
        try:
            broken = broken_properties(mutant, sample)
        except (AssertionError, AttributeError):
            continue
        if not broken:
            unnoticed.append(line)
    assert not unnoticed, f"nothing notices that these rules of decide.py are gone: lines {unnoticed}"

"""Judges a stack's drift by today's policy."""

from __future__ import annotations

from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.survey import Survey
from orchestrator.model.policy import DriftAnswer, DriftPolicy
from orchestrator.model.stack import StackKey
from orchestrator.ports import Row
from orchestrator.rules.judged import Judged, judged


def judged_of(outside: Outside, reading: Reading, key: StackKey, row: Row) -> Judged:
    """Judge what ``row`` holds of a stack's drift, as of now; a stack without files has the policy of none."""
    stack = reading.layout.stacks.get(key)
    policy = stack.policy.drift if stack else DriftPolicy()
    return judged(str(key), row.state, row.looks, policy, outside.clock.now())


def is_answered(outside: Outside, reading: Reading, key: StackKey) -> bool:
    """Whether policy does more than report, and what is applied is what is asked for: a new commit is not drift."""
    asked = Survey(outside, reading).look(key)
    return asked is not None and asked.settled and asked.stack.policy.drift.answer is not DriftAnswer.REPORT

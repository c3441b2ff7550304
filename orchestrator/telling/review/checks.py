"""Stub."""

from __future__ import annotations

from orchestrator.model.review import Fare, Review
from orchestrator.model.verdict import Check, CheckConclusion


def checks(review: Review) -> tuple[Check, ...]:
    """Stub."""
    return (Check(name="holdfast", conclusion=status(review)[0], title="t", summary="s"),)


def status(review: Review) -> tuple[CheckConclusion, str]:
    """Stub."""
    fares = {part.fare for part in review.parts}
    if fares & {Fare.PLANNING, Fare.APPLYING, Fare.QUEUED, Fare.UNTRUSTED, Fare.DEFERRED}:
        return CheckConclusion.PENDING, "pending"
    if fares & {Fare.FAILED, Fare.DENIED, Fare.UNKNOWN} or review.trouble:
        return CheckConclusion.FAILURE, "failure"
    return CheckConclusion.SUCCESS, "success"

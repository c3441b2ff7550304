"""Stub."""

from __future__ import annotations

from orchestrator.model.review import Review


def marker(source: str) -> str:
    """Stub."""
    return f"<!-- holdfast:pr source={source} -->"


def comment(review: Review, *, source: str, limit: int) -> str:
    """Stub."""
    lines = [f"{p.key.short} {p.fare.value} {p.why} {p.asks} {p.approved_by} {p.voided}" for p in review.parts]
    said = [f"{a.login} {a.command} {a.done} {a.outcome}" for a in review.answers]
    return "\n".join([marker(source), review.revision, review.trouble, *lines, *said])[:limit]

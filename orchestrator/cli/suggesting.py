"""What to type next, ready to paste: stacks by name, yeses bound to the plan that was shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from orchestrator.cli.steps import NAMED, few
from orchestrator.model.stack import StackKey
from orchestrator.telling.rows import Mark, Row


class Suggesting(Protocol):
    """Where what is suggested is to be typed."""

    @property
    def is_main(self) -> bool:
        """Whether it is about the source itself, and not about files of one's own."""

    def command(self, *words: str) -> str:
        """Return a command that reaches this very place when it is typed as printed."""

    def words_of(self, run: int) -> list[str]:
        """Return the command that prints what the tools said in a run; none where no tool came to speak."""


def after_plan(place: Suggesting, rows: Sequence[Row], run: int) -> list[str]:
    """Return what to type after the plans of ``run`` were shown."""
    found = place.words_of(run) if any(row.mark is Mark.FAILED for row in rows) else []
    changing = [row for row in rows if row.mark is Mark.CHANGES]
    if changing and not place.is_main:
        return [*found, "git commit, then holdfast apply      (a plan of uncommitted files is never applied)"]
    if changing:
        found += [place.command("apply", *few(row.key.short for row in changing)), *approvals(place, changing)]
    return [*found, *_denied(place, rows)]


def after_apply(place: Suggesting, rows: Sequence[Row], run: int, declined: Collection[StackKey]) -> list[str]:
    """Return what to type after an apply; who ``declined`` a plan a moment ago is not asked to approve it."""
    marks = {row.mark for row in rows}
    if Mark.FAILED in marks:
        return [*place.words_of(run), f"holdfast show {run}"]
    if Mark.CHANGES in marks:
        return approvals(place, [row for row in rows if row.key not in declined])
    if Mark.DENIED in marks:
        return _denied(place, rows)
    unclear = [row.key.short for row in rows if row.mark in {Mark.DEFERRED, Mark.HELD, Mark.UNKNOWN}]
    if unclear:
        return ["holdfast status", place.command("explain", unclear[0])]
    return ["holdfast drift"] if Mark.APPLIED in marks else []


def approvals(place: Suggesting, rows: Sequence[Row]) -> list[str]:
    """Return the commands that say yes to exactly the plans shown, and to no other."""
    waiting = [(row.key.short, row.proposal) for row in rows if row.proposal and row.mark is Mark.CHANGES]
    runs = {proposal.run for _, proposal in waiting}
    if len(waiting) > NAMED and len(runs) == 1:
        return [place.command("approve", str(*runs))]
    return [place.command("approve", name, "--proposal", str(one.number)) for name, one in waiting[:NAMED]]


def _denied(place: Suggesting, rows: Sequence[Row]) -> list[str]:
    denied = [row.key.short for row in rows if row.mark is Mark.DENIED]
    return [f"{place.command('plan', *denied)}      plans afresh what was rejected"] if denied else []

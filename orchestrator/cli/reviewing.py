"""What a command found, as the value that comments, summaries and annotations are drawn from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.effects.workflow import workflow_of
from orchestrator.model.review import Fare, Part, Review
from orchestrator.telling.rows import Mark, Row

if TYPE_CHECKING:
    from orchestrator.cli.place import Place
    from orchestrator.model.pull import Pull
    from orchestrator.model.stack import Stack, StackKey

_FARES: dict[Mark, Fare] = {
    Mark.CHANGES: Fare.PLANNED,
    Mark.NONE: Fare.EMPTY,
    Mark.DEFERRED: Fare.DEFERRED,
    Mark.HELD: Fare.DENIED,
    Mark.DENIED: Fare.DENIED,
    Mark.FAILED: Fare.FAILED,
    Mark.APPLIED: Fare.APPLIED,
    Mark.UNKNOWN: Fare.UNKNOWN,
    Mark.LOCKED: Fare.FAILED,
}


def review_of(place: Place, rows: Sequence[Row], number: int) -> Review:
    """Return what the run ``number`` found, for reviewers: of the pull request that a build service runs us for."""
    work = workflow_of(os.environ)
    run = place.outside.record.run(number)
    began = run.at if run else place.now
    return Review(
        pull=pull_here(),
        revision=place.reading.revision.id,
        parts=parts(rows, place.stacks),
        run=number,
        planned_at=place.now,
        took_s=place.now - began,
        run_url=work.page,
        history_known=not place.forgetful,
    )


def parts(rows: Sequence[Row], stacks: Mapping[StackKey, Stack]) -> tuple[Part, ...]:
    """Return what is to be said of each stack."""
    return tuple(
        Part(
            key=row.key,
            tool=row.tool,
            fare=_FARES[row.mark],
            why="; ".join(filter(None, (*row.warnings, row.why))),
            code=row.code,
            proposal=row.proposal,
            plan=row.plan,
            path=str(stacks[row.key].path) if row.key in stacks else "",
        )
        for row in rows
    )


def pull_here() -> Pull | None:
    """Return the pull request that a run is about, None where it is about none that people can look at."""
    work = workflow_of(os.environ)
    return work.pull if work.pull is not None and work.pull.number else None

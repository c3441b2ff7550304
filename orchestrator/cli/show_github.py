"""Plans and drift in the log of a GitHub run: a group that folds for each stack, annotations, and the totals last."""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence

from rich.console import Console, RenderableType

from orchestrator.cli import show_drift, show_plan
from orchestrator.cli.reviewing import parts
from orchestrator.cli.symbols import tally
from orchestrator.model.review import Review
from orchestrator.model.verdict import Annotation, Severity
from orchestrator.telling.review.annotations import beside_lines, commands, grouped
from orchestrator.telling.rows import Mark
from orchestrator.telling.rows import Row as PlanRow

_WIDTH = 160


def plans(rows: Sequence[PlanRow]) -> str:
    """Return what a run prints of plans, or of what came of them."""
    groups = [_group(row.key.short, _sum(row), show_plan.view([row], whole=True)) for row in rows if _worth(row)]
    review = Review(pull=None, revision="", parts=parts(rows, {}))
    return "".join((*groups, commands(beside_lines(review)), f"{show_plan.totals(rows)}\n"))


def drifts(rows: Sequence[show_drift.Row], now: float) -> str:
    """Return what a run prints of drift."""
    worth = [row for row in rows if row.items or row.problem]
    groups = [_group(row.key.short, _differing(row), show_drift.view([row], now, whole=True)) for row in worth]
    said = [
        Annotation(
            severity=Severity.FAILURE if row.problem else Severity.WARNING,
            title=row.code or "holdfast drift",
            message=f"{row.key.short}: {row.problem or _differing(row)}",
        )
        for row in worth
    ]
    return "".join((*groups, commands(said), f"{show_drift.totals(rows)}\n"))


def _worth(row: PlanRow) -> bool:
    return row.mark is not Mark.NONE or bool(row.warnings)


def _sum(row: PlanRow) -> str:
    counts = " ".join(f"{sign.symbol}{number}" for sign, number in tally(row.counts))
    return counts or row.mark.value


def _differing(row: show_drift.Row) -> str:
    return "nobody knows" if row.problem else f"{len(row.items)} differ from what was applied"


def _group(name: str, said: str, view: RenderableType) -> str:
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, no_color=True, highlight=False, markup=False, emoji=False)
    console.print(view)
    # The totals of one stack are in its title, and those of all below.
    lines = [line.rstrip() for line in out.getvalue().splitlines()][:-2]
    return grouped(f"{name}  {said}", lines, secrets.token_hex(16))

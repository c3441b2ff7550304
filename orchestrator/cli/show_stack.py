"""One stack: what is proposed for it and why, and why it was last applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli import show_plan
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.intent import Intended, Intent
from orchestrator.model.stack import StackKey
from orchestrator.telling.intents import of_attempt, whole_value
from orchestrator.telling.rows import Row as PlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to say of one stack."""

    key: StackKey
    #: What is proposed and why; None where nothing is.
    row: PlanRow | None = None
    proposed: Intent | None = None
    #: Why it was last applied, None where nobody wrote that down.
    applied: Intended | None = None


def page(shown: Shown) -> Page:
    """Return it in every form."""
    proposed = whole_value(shown.proposed) if shown.proposed else None
    applied = of_attempt(shown.key.short, shown.applied, whole=True) if shown.applied else None
    return page_of(shown.key, shown.row, proposed, applied)


def page_of(
    key: StackKey, row: PlanRow | None, proposed: Mapping[str, Any] | None, applied: Mapping[str, Any] | None
) -> Page:
    """Return what is proposed, and documents such as `telling.intents` makes of why, in every form."""
    rows = [row] if row else []
    return Page(
        value=lambda: {
            **show_plan.value(rows),
            "proposed": dict(proposed) if proposed else None,
            "applied": dict(applied) if applied else None,
        },
        records=lambda: [*show_plan.page(rows).records(), *_records(key, proposed, applied)],
        view=lambda whole: Group(*_view(key, row, (proposed, applied), whole=whole)),
    )


def _records(
    key: StackKey, proposed: Mapping[str, Any] | None, applied: Mapping[str, Any] | None
) -> Iterator[tuple[str, ...]]:
    if proposed:
        yield key.short, "why", "", proposed["why"]
    if applied:
        yield key.short, "applied", f"run {applied['run']}", applied["why"]


def _view(
    key: StackKey,
    row: PlanRow | None,
    why: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None],
    *,
    whole: bool,
) -> Iterator[RenderableType]:
    proposed, applied = why
    if row:
        yield show_plan.view([row], whole=whole)
    else:
        yield Text(f"Nothing is proposed for {key.short}.", style="bold")
    if proposed:
        yield from _why("why", proposed, whole=whole)
    if applied:
        yield from _why(f"applied by attempt {applied['attempt']} in run {applied['run']}", applied, whole=whole)


def _why(heading: str, intent: Mapping[str, Any], *, whole: bool) -> Iterator[RenderableType]:
    yield Text(f"{heading}: ", style="dim").append(printable(intent["why"]))
    for note in intent["commits"] if whole else ():
        by = f"  {note['author'] or note['email']}"
        line = Text(f"  {note['id'][:7]}  {note['committed_at'] or ''}  ")
        yield line.append(printable(f"{note['subject']}{by}"))

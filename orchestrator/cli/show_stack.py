"""One stack: what is proposed for it and why, and why it was last applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from adapters.contract import Json
from orchestrator.cli import show_plan
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.intent import Intended, Intent
from orchestrator.model.moment import stamp
from orchestrator.model.stack import StackKey
from orchestrator.telling.intents import of_attempt, whole_value, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to say of one stack."""

    key: StackKey
    #: What is proposed and why; None where nothing is.
    row: show_plan.Row | None = None
    proposed: Intent | None = None
    #: Why it was last applied, None where nobody wrote that down.
    applied: Intended | None = None


def page(shown: Shown) -> Page:
    """Return it in every form."""
    rows = [shown.row] if shown.row else []
    return Page(
        value=lambda: _value(shown),
        records=lambda: [*show_plan.page(rows).records(), *_records(shown)],
        view=lambda whole: Group(*_view(shown, whole=whole)),
    )


def _value(shown: Shown) -> dict[str, Json]:
    planned = show_plan.value([shown.row] if shown.row else [])
    return {
        **planned,
        "proposed": whole_value(shown.proposed) if shown.proposed else None,
        "applied": of_attempt(shown.key.short, shown.applied, whole=True) if shown.applied else None,
    }


def _records(shown: Shown) -> Iterator[tuple[str, ...]]:
    if shown.proposed:
        yield shown.key.short, "why", "", why(shown.proposed)
    if shown.applied:
        yield shown.key.short, "applied", f"run {shown.applied.run}", why(shown.applied.intent)


def _view(shown: Shown, *, whole: bool) -> Iterator[RenderableType]:
    if shown.row:
        yield show_plan.view([shown.row], whole=whole)
    else:
        yield Text(f"Nothing is proposed for {shown.key.short}.", style="bold")
    if shown.proposed:
        yield from _why("why", shown.proposed, whole=whole)
    if shown.applied:
        heading = f"applied by attempt {shown.applied.attempt} in run {shown.applied.run}"
        yield from _why(heading, shown.applied.intent, whole=whole)


def _why(heading: str, intent: Intent, *, whole: bool) -> Iterator[RenderableType]:
    yield Text(f"{heading}: ", style="dim").append(printable(why(intent)))
    for note in intent.commits if whole else ():
        by = f"  {note.author or note.email}"
        yield Text(f"  {note.id[:7]}  {stamp(note.committed_at)}  ").append(printable(f"{note.subject}{by}"))

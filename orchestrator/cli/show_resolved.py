"""What became of an attempt that a person says is dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.event import Outcome
from orchestrator.telling.resolved import Resolved, value

__all__ = ["Resolved", "page", "page_of"]


def page(it: Resolved) -> Page:
    """Return what became of it in every form."""
    return page_of(value(it))


def page_of(it: Mapping[str, Any]) -> Page:
    """Return a document such as `telling.resolved.value` makes in every form."""
    number, outcome = it["attempt"] or 0, it["outcome"] or ""
    return Page(
        value=lambda: dict(it),
        records=lambda: [(it["stack"], str(number), outcome, it["by"], it["reason"])],
        view=lambda _: Text(printable(_words(it))),
    )


def _words(it: Mapping[str, Any]) -> str:
    if not it["attempt"]:
        return f"{it['stack']} is free: its holder counts as gone"
    ended = {
        Outcome.UNKNOWN.value: "nobody can say how it ended; the next plan looks at what is there",
        Outcome.SUCCEEDED.value: "it had succeeded",
        Outcome.FAILED.value: "it had failed",
    }
    return f"{it['stack']}: attempt {it['attempt']} counts as dead; {ended[it['outcome']]}"

"""What is here to work with, as a list of checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page

#: Older ones let a cloned repository run programs through submodules and configuration (CVE-2025-48384).
OLDEST_SAFE_GIT = (2, 43, 7)
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class Verdict(StrEnum):
    """How a check went."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


_STYLES = {Verdict.GOOD: ("✓", "green"), Verdict.WARNING: ("!", "yellow"), Verdict.BAD: ("✗", "bold red")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    found: str
    hint: str = ""


def version_in(text: str) -> tuple[int, int, int] | None:
    """Return the first version number in what a program printed."""
    found = _NUMBERS.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def git(version: tuple[int, int, int] | None) -> Check:
    """Judge the installed git; None where there is none."""
    if version is None:
        return Check(name="git", verdict=Verdict.BAD, found="not found", hint="install git: sources are read with it")
    said = ".".join(map(str, version))
    if version < OLDEST_SAFE_GIT:
        oldest = ".".join(map(str, OLDEST_SAFE_GIT))
        hint = f"{oldest} or newer closes holes that hostile repositories use"
        return Check(name="git", verdict=Verdict.WARNING, found=said, hint=hint)
    return Check(name="git", verdict=Verdict.GOOD, found=said)


def page(checks: Sequence[Check]) -> Page:
    """Return the checks in every form."""
    return Page(
        value=lambda: {
            "checks": [
                {"name": one.name, "verdict": one.verdict.value, "found": one.found, "hint": one.hint} for one in checks
            ]
        },
        records=lambda: [(one.name, one.verdict.value, one.found, one.hint) for one in checks],
        view=lambda _: _view(checks),
    )


def _view(checks: Sequence[Check]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for one in checks:
        mark, style = _STYLES[one.verdict]
        table.add_row(Text(mark, style=style), Text(one.name), Text(printable(one.found)), Text(one.hint, style="dim"))
    bad = sum(one.verdict is Verdict.BAD for one in checks)
    warnings = sum(one.verdict is Verdict.WARNING for one in checks)
    totals = f"{bad} bad, {warnings} to look at." if bad or warnings else "All is well."
    return Group(table, Text(), Text(totals, style="bold"))

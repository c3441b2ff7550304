"""Asks before anything is changed: a key press for the harmless, the stack's name for the grave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import click

from orchestrator.cli.screen import Screen
from orchestrator.errors import EXIT_WAITS, OrchestratorError, UsageError
from orchestrator.telling.rows import Row

_QUESTION = "Apply exactly this to {}?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What the person said beforehand, on the command line."""

    yes: bool = False
    #: Names given with ``--confirm``.
    confirmed: tuple[str, ...] = ()


class Asker(Protocol):
    """Where a person can be asked, and what is known of how grave a plan is."""

    @property
    def screen(self) -> Screen:
        """The terminal, or what stands in its place."""

    def gravity(self, row: Row) -> str:
        """Say what makes a plan too grave for a mere yes, empty where nothing does."""


class Unanswered(OrchestratorError):
    """What was asked for takes a yes that nobody gave."""

    code = "HF-1905"
    exit_code = EXIT_WAITS


def allowed(asker: Asker, rows: Sequence[Row], leave: Leave, *, question: str = _QUESTION) -> list[Row]:
    """Return those rows that the person lets go ahead; asks where it may.

    ``question`` is what is asked of the harmless; ``{}`` stands for their names.

    Raises UsageError (HF-1905) where a wrong name was typed.
    """
    grave = {row.key: why for row in rows if (why := asker.gravity(row))}
    granted = {row.key for row in rows if row.key in grave and _by_name(asker, row, grave[row.key], leave)}
    light = [row for row in rows if row.key not in grave]
    if light and _lightly(asker, light, leave, question):
        granted |= {row.key for row in light}
    return [row for row in rows if row.key in granted]


def words_for(asker: Asker, rows: Sequence[Row]) -> list[str]:
    """Return what a script must say beforehand so that these plans go ahead."""
    names = [row.key.short for row in rows if asker.gravity(row)]
    light = ["--yes"] if len(names) < len(rows) else []
    return light + [f"--confirm {name}" for name in names]


def _by_name(asker: Asker, row: Row, why: str, leave: Leave) -> bool:
    name = row.key.short
    if {name, row.key.name} & set(leave.confirmed):
        return True
    if not asker.screen.interactive:
        other = f"; --confirm {', '.join(leave.confirmed)} is not its name" if leave.confirmed else ""
        asker.screen.say(f"{name} {why} and asks for its name: --confirm {name}{other}")
        return False
    typed = click.prompt(f"{name} {why}. Type {name} to go ahead", default="", show_default=False, err=True)
    if typed not in {name, ""}:
        raise UsageError(f'"{typed}" is not "{name}"', code="HF-1905", hint="nothing was changed")
    return bool(typed)


def _lightly(asker: Asker, rows: Sequence[Row], leave: Leave, question: str) -> bool:
    names = ", ".join(row.key.short for row in rows)
    if leave.yes:
        return True
    if not asker.screen.interactive:
        asker.screen.say(f"{names}: nobody can be asked here; --yes says it beforehand")
        return False
    return click.confirm(question.format(names), default=False, err=True)

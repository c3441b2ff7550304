"""Asks before anything is changed: a key press for the harmless, the stack's name for the grave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from adapters.contract import Goal
from orchestrator.cli.place import Place
from orchestrator.cli.show_plan import Row
from orchestrator.errors import UsageError

PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What the person said beforehand, on the command line."""

    yes: bool = False
    #: Names given with ``--confirm``.
    confirmed: tuple[str, ...] = ()
    #: Keys (short) of the stacks whose plan was not there when the command began.
    deferred: frozenset[str] = frozenset()


def allowed(place: Place, rows: Sequence[Row], leave: Leave) -> list[Row]:
    """Return those rows that the person lets go ahead; asks where it may.

    Raises UsageError (HF-1905) where a name is asked for and nobody can type it, or a wrong one was.
    """
    grave = [row for row in rows if _is_grave(place, row)]
    granted = [row for row in grave if _by_name(place, row, leave)]
    light = [row for row in rows if row not in grave]
    if light and _lightly(place, light, leave):
        granted += light
    return [row for row in rows if row in granted]


def _is_grave(place: Place, row: Row) -> bool:
    stack = place.reading.layout.stacks.get(row.key)
    if row.backwards:
        return True
    destroys = row.proposal is not None and row.proposal.goal is Goal.DESTROY
    return destroys or (stack is not None and stack.tier == PRODUCTION)


def _by_name(place: Place, row: Row, leave: Leave) -> bool:
    if leave.confirmed:
        return row.key.short in leave.confirmed or row.key.name in leave.confirmed
    if not place.screen.interactive:
        place.screen.say(f"{row.key.short} asks for its name: --confirm {row.key.short}")
        return False
    typed = click.prompt(f"Type {row.key.short} to go ahead", default="", show_default=False, err=True)
    if typed not in {row.key.short, ""}:
        raise UsageError(f'"{typed}" is not "{row.key.short}"', code="HF-1905", hint="nothing was changed")
    return bool(typed)


def _lightly(place: Place, rows: Sequence[Row], leave: Leave) -> bool:
    names = ", ".join(row.key.short for row in rows)
    if leave.yes:
        unseen = [row for row in rows if row.key.short in leave.deferred and row.counts.destructive]
        # Nobody could have seen this plan when they said yes, and it takes something away.
        if not unseen:
            return True
        names = ", ".join(row.key.short for row in unseen)
        if all(row.key.short in leave.confirmed for row in unseen):
            return True
        place.screen.say(f"{names}: planned only now, and something would be lost; --yes does not cover that")
    if not place.screen.interactive:
        place.screen.say(f"{names}: nobody can be asked here; --yes says it beforehand")
        return False
    return click.confirm(f"Apply exactly this to {names}?", default=False, err=True)

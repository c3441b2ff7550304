"""Walks a person through the demo: every step is the real command, started as they would start it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import click

from orchestrator.cli.demo.place import Place
from orchestrator.cli.demo.repository import HAND_CHANGE, change_by_hand
from orchestrator.effects.process import attended
from orchestrator.errors import EXIT_DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command and what it is there to show."""

    says: str
    arguments: tuple[str, ...]


BEFORE: Final = (
    Step(says="A commit asks for two stacks; nothing of it is there yet.", arguments=("status",)),
    Step(says="A plan says what would be done, and changes nothing.", arguments=("plan",)),
    Step(
        says="Apply does exactly that, in order: web waits for the address range that network hands on.",
        arguments=("apply", "--yes"),
    ),
    Step(says="Applied once, there is nothing left to do: no tool is started.", arguments=("apply", "--yes")),
)
AFTER: Final = (
    Step(says="The tool is asked what is there: drift, attribute by attribute.", arguments=("drift",)),
    Step(says="Apply puts back what the commit asks for.", arguments=("apply", "--yes")),
    Step(says="And all is as it should be.", arguments=("status",)),
)


def walk(place: Place, outer: Mapping[str, str]) -> int:
    """Run every step and return 0, or the exit code of the first that failed; ``outer`` is our own environment."""
    total = len(BEFORE) + len(AFTER) + 1
    for number, step in enumerate(BEFORE, start=1):
        if code := _take(step, f"{number}/{total}", place, outer):
            return code
    _heading(f"{len(BEFORE) + 1}/{total}", "Now somebody changes an object by hand, behind the tool's back.")
    edited = change_by_hand(place.cloud)
    name, tag, before, after = HAND_CHANGE
    click.echo(f"edited {os.path.relpath(edited)}: {name} tags.{tag} {before} -> {after}")
    for number, step in enumerate(AFTER, start=len(BEFORE) + 2):
        if code := _take(step, f"{number}/{total}", place, outer):
            return code
    return EXIT_DONE


def _take(step: Step, number: str, place: Place, outer: Mapping[str, str]) -> int:
    _heading(number, step.says)
    click.secho(f"$ holdfast {shlex.join(step.arguments)}", fg="cyan")
    return attended((str(place.program), *step.arguments), cwd=place.checkout, env={**outer, **place.variables()})


def _heading(number: str, text: str) -> None:
    click.echo()
    click.secho(f"[{number}] {text}", bold=True)

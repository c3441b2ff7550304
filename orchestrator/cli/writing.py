"""Writes a stacks.yaml beside what it speaks of, and never over one that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from adapters.contract import Json
from orchestrator.cli.screen import Screen
from orchestrator.errors import UsageError

NAME = "stacks.yaml"


def root_of(directory: Path) -> Path:
    """Return the folder that holds the repository, ``directory`` itself where there is none."""
    here = directory.resolve()
    return next((place for place in (here, *here.parents) if (place / ".git").exists()), here)


class Found(NamedTuple):
    """What the file was made from, for programs and in words."""

    told: Mapping[str, Json]
    words: Sequence[str]


def deliver(screen: Screen, folder: Path, text: str, found: Found, *, dry_run: bool, force: bool) -> None:
    """Write ``text`` as the folder's stacks.yaml, or print it. Raises UsageError where one is there."""
    target = folder / NAME
    if dry_run:
        if screen.for_people:
            screen.did({}, *found.words)
            click.echo(text, nl=False)
        else:
            screen.did({**found.told, "file": str(target), "written": False, "text": text}, *text.splitlines())
        return
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", hint="--dry-run prints the new one, --force writes over it")
    target.write_text(text, encoding="utf-8")
    told: dict[str, Json] = {**found.told, "file": str(target), "written": True, "text": text}
    screen.did(told, *found.words, f"wrote {target}")
    screen.next("holdfast validate --dirty", "git add stacks.yaml && git commit", "holdfast plan")

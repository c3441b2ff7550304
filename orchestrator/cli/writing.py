"""Writes a stacks.yaml beside what it speaks of, and never over one that is there."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.screen import Screen
from orchestrator.errors import UsageError

NAME = "stacks.yaml"


def root_of(directory: Path) -> Path:
    """Return the folder that holds the repository, ``directory`` itself where there is none."""
    here = directory.resolve()
    return next((place for place in (here, *here.parents) if (place / ".git").exists()), here)


def deliver(screen: Screen, folder: Path, text: str, *, dry_run: bool, force: bool) -> None:
    """Write ``text`` as the folder's stacks.yaml, or print it. Raises UsageError where one is there."""
    target = folder / NAME
    if dry_run:
        click.echo(text, nl=False)
        return
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", hint="--dry-run prints the new one, --force writes over it")
    target.write_text(text, encoding="utf-8")
    screen.say(f"wrote {target}")
    screen.next("holdfast validate --dirty", "git add stacks.yaml && git commit", "holdfast plan")

"""Completes stack names from the configuration file alone: no record, no server, no tool."""

from __future__ import annotations

import re
from pathlib import Path

import click

from orchestrator.cli.options import wish_of

_STACKS = re.compile(r"^stacks:\s*(?:#.*)?$")
_NAME = re.compile(r"^(\s+)([\"']?)([^\s\"'#:][^\"':]*)\2\s*:")
#: A file that is larger is not read while somebody waits for a key press.
_LARGEST = 1024 * 1024


def complete_stack(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the stack names that begin with ``incomplete``; nothing where there is no file, never an error."""
    folder = wish_of(ctx).directory.resolve()
    for place in (folder, *folder.parents):
        path = place / "stacks.yaml"
        if path.is_file():
            return [name for name in _names(path) if name.startswith(incomplete)]
        if (place / ".git").exists():
            break
    return []


def _names(path: Path) -> list[str]:
    """Read the keys below ``stacks:`` line by line: a YAML library would take longer than a person's patience."""
    try:
        if path.stat().st_size > _LARGEST:
            return []
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return sorted(set(_below_stacks(lines)))


def _below_stacks(lines: list[str]) -> list[str]:
    found: list[str] = []
    indent = ""
    inside = False
    for line in lines:
        if line[:1] not in {" ", "#", ""}:
            inside = bool(_STACKS.match(line))
            continue
        key = _NAME.match(line) if inside else None
        if key:
            indent = indent or key[1]
            if key[1] == indent:
                found.append(key[3])
    return found

"""Completes words from the configuration file alone: no record, no server, no tool, no library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import click

from orchestrator.cli.options import wish_of
from orchestrator.rules.choosing import SELECTORS

_NAME = re.compile(r"^(\s+)([\"']?)([^\s\"'#:][^\"':]*)\2\s*:")
#: A file that is larger is not read while somebody waits for a key press.
_LARGEST = 1024 * 1024


def complete_stack(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the names, ``name@env`` and selectors that begin with ``incomplete``; nothing where there is no file.

    Never an error.
    """
    names = _below(_lines(ctx), "stacks")
    if "@" in incomplete:
        environments = _below(_lines(ctx), "environments")
        return _beginning(incomplete, (f"{name}@{environment}" for name in names for environment in environments))
    return _beginning(incomplete, names) or _beginning(incomplete, (f"{one}=" for one in SELECTORS if incomplete))


def complete_name(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the stack names that begin with ``incomplete``, for an option that takes a name and no selector."""
    return _beginning(incomplete, _below(_lines(ctx), "stacks"))


def complete_environment(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the environments that begin with ``incomplete``."""
    return _beginning(incomplete, _below(_lines(ctx), "environments"))


def complete_stack_or_code(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return stacks, or the error codes that begin with what looks like one."""
    if not incomplete.upper().startswith("HF-"):
        return complete_stack(ctx, parameter, incomplete)
    from orchestrator.catalogue import CODES  # noqa: PLC0415 -- a stack needs no catalogue

    return _beginning(incomplete.upper(), CODES)


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word.startswith(incomplete)})


def _lines(ctx: click.Context) -> list[str]:
    folder = wish_of(ctx).directory.resolve()
    for place in (folder, *folder.parents):
        path = place / "stacks.yaml"
        if path.is_file():
            return _read(path)
        if (place / ".git").exists():
            break
    return []


def _read(path: Path) -> list[str]:
    """Read the file line by line: a YAML library would take longer than a person's patience."""
    try:
        if path.stat().st_size > _LARGEST:
            return []
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _below(lines: list[str], heading: str) -> list[str]:
    """Return the keys directly below a key of the first level."""
    begins = re.compile(rf"^{heading}:\s*(?:#.*)?$")
    found: list[str] = []
    indent = ""
    inside = False
    for line in lines:
        if line[:1] not in {" ", "#", ""}:
            inside = bool(begins.match(line))
            continue
        key = _NAME.match(line) if inside else None
        if key:
            indent = indent or key[1]
            if key[1] == indent:
                found.append(key[3])
    return found

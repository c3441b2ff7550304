"""The stack's settings, and its three commands as values. Pure: nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from adapters.contract import Command, InvalidSettings, Json

VERBS = ("observe", "apply", "destroy")
#: The command lines, by verb.
Commands: TypeAlias = Mapping[str, tuple[str, ...]]


def read(settings: Mapping[str, Json]) -> Commands:
    """Return the stack's settings as a value. Raises InvalidSettings, naming the key."""
    for key in settings:
        if key not in {"tool", "path", "commands"}:
            raise InvalidSettings(f'command knows no setting "{key}"', hint="its one key is: commands")
    lines = settings.get("commands")
    if not isinstance(lines, dict) or set(lines) != set(VERBS):
        raise InvalidSettings("commands must name all three", hint=f"they are: {', '.join(VERBS)}")
    return {verb: _argv(verb, lines[verb]) for verb in VERBS}


def command(lines: Commands, verb: str, folder: Path, document: Path) -> Command:
    """Return the command for ``verb``; all but ``observe`` may change the world."""
    return Command(argv=(*lines[verb], str(document)), cwd=folder, mutates=verb != "observe")


def _argv(verb: str, words: Json) -> tuple[str, ...]:
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise InvalidSettings(f"commands: {verb} must be a command line", hint=f"{verb}: [python3, store.py, {verb}]")
    return tuple(str(word) for word in words)

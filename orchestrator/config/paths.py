"""Paths that configuration names: below the repository's root, or refused. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_DRIVE = re.compile(r"^[A-Za-z]:")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")


def checked_path(text: str) -> PurePosixPath:
    """Return ``text`` as a path from the repository's root. Raises ValueError with a sentence for people."""
    return _walked(_plain(text), text, PurePosixPath())


def checked_glob(text: str) -> str:
    """Return a glob below the repository's root. Raises ValueError with a sentence for people."""
    return str(_walked(_plain(text), text, PurePosixPath()))


def below(folder: PurePosixPath, text: str) -> PurePosixPath:
    """Return ``text``, written from ``folder``, as a path from the root; ``..`` may not climb out of the root.

    Raises ValueError with a sentence for people.
    """
    return _walked(_plain(text), text, folder, may_climb=True)


def _plain(text: str) -> PurePosixPath:
    if not text or text != text.strip():
        message = f'the path "{text}" is empty, or begins or ends with a blank'
        raise ValueError(message)
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in text):  # noqa: PLR2004 -- control characters
        message = "the path holds a control character"
        raise ValueError(message)
    if "\\" in text or _DRIVE.match(text):
        message = f'the path "{text}" is written as on Windows: use forward slashes, from the repository\'s root'
        raise ValueError(message)
    if text.startswith(("/", "~")) or _SCHEME.match(text):
        message = f'the path "{text}" leaves the repository: write it from the repository\'s root'
        raise ValueError(message)
    return PurePosixPath(text)


def _walked(path: PurePosixPath, text: str, start: PurePosixPath, *, may_climb: bool = False) -> PurePosixPath:
    parts = list(start.parts)
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif not may_climb:
            message = f'the path "{text}" holds "..": write it from the repository\'s root'
            raise ValueError(message)
        elif not parts:
            message = f'the path "{text}" leaves the repository'
            raise ValueError(message)
        else:
            parts.pop()
    if any(part.lower() in {".git", ".terraform"} for part in parts):
        message = f'the path "{text}" lies in a folder that belongs to a tool'
        raise ValueError(message)
    return PurePosixPath(*parts)

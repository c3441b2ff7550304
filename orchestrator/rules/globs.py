"""Which paths a glob of ``watch:`` means. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

_WILD: Final = "*?["


def matches(path: PurePosixPath, glob: str) -> bool:
    """Whether ``glob`` means ``path``: a file or a folder by name, or wildcards part by part.

    ``*`` stays within one part of a path; ``**`` stands for any number of folders, none among them.
    """
    pattern = PurePosixPath(glob).parts
    if not is_wild(glob):
        return path.parts[: len(pattern)] == pattern
    return _fits(path.parts, pattern)


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def is_wild(glob: str) -> bool:
    """Whether a glob holds a wildcard."""
    return any(sign in glob for sign in _WILD)


def fixed_folder(glob: str) -> PurePosixPath:
    """Return the folder that everything lies below which a glob can mean; of a plain name, that name."""
    fixed = []
    for part in PurePosixPath(glob).parts:
        if is_wild(part):
            break
        fixed.append(part)
    return PurePosixPath(*fixed)

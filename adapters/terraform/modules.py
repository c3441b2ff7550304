"""The modules that ``init`` fetched: code that no revision holds and that no lock file of the tool speaks of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


def digest(scratch: Path) -> str:
    """Return a hex SHA-256 over every fetched module, empty where there is none."""
    folder = scratch / "terraform" / "modules"
    found = sorted(_files(folder))
    if not found:
        return ""
    whole = hashlib.sha256()
    for path in found:
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        whole.update(b"%d %d %d " % (path.is_symlink(), len(name), len(content)))
        whole.update(name + content)
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        # What git notes for itself differs from clone to clone, and the tool reads none of it.
        folders[:] = [name for name in folders if name != ".git"]
        here = Path(inside)
        yield from (here / name for name in files)
        yield from (here / name for name in folders if (here / name).is_symlink())

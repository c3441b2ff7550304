"""Folders of revisions on disk: read-only, shared by every stack and environment that reads them, named by tree id.

A cache: each folder can be made again from Git objects at any time. What is read from it is checked against its
object id, so that a file lost to a crash or altered by somebody is made anew instead of being handed out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from orchestrator.ports import FileMode, RevisionTree, TreeEntry

#: Seconds after which a folder that nobody laid out any more is removed.
_UNUSED: Final = 14 * 86400.0
#: Stands for the file where a place is a file and no folder.
_FILE: Final = "file"
_SHA1_HEX: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder or file of a revision, with everything that is stored at or below it."""

    path: PurePosixPath
    #: Equal ids, equal files.
    id: str
    entries: tuple[TreeEntry, ...]

    def name(self, entry: TreeEntry) -> str:
        """Return where an entry lies below the place."""
        return _FILE if entry.path == self.path else str(entry.path.relative_to(self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeCache:
    """The folders below ``<home>/trees``. Safe to share between processes."""

    folder: Path

    def read(self, place: Place, tree: RevisionTree, wanted: Sequence[TreeEntry]) -> dict[str, bytes]:
        """Return the bytes (of a link: its target) of some of a place's entries, by path."""
        home = self.folder / place.id
        if not home.is_dir():
            self._publish(place, tree)
        with suppress(OSError):
            os.utime(home)
        found = {str(entry.path): stored_bytes(home / place.name(entry), entry) for entry in wanted}
        if all(digest(found[str(entry.path)], entry.id) == entry.id for entry in wanted):
            return {path: content for path, content in found.items() if content is not None}
        _remove(home)
        contents = tree.contents([entry.id for entry in wanted])
        return {str(entry.path): contents[entry.id] for entry in wanted}

    def _publish(self, place: Place, tree: RevisionTree) -> None:
        """Make the whole folder beside its place and move it there at once."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget_unused()
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
        contents = tree.contents([entry.id for entry in place.entries])
        for entry in place.entries:
            path = fresh / place.name(entry)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, entry, contents[entry.id], writable=False)
        for folder, _, _ in os.walk(fresh, topdown=False):
            os.chmod(folder, 0o500)  # noqa: PTH101 -- a folder's name as os.walk gives it
        try:
            fresh.rename(self.folder / place.id)
        except OSError:
            # Somebody was faster; what they made is the same.
            _remove(fresh)

    def _forget_unused(self) -> None:
        limit = time.time() - _UNUSED
        for old in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if old.stat().st_mtime < limit:
                    _remove(old)


def write_file(path: Path, entry: TreeEntry, content: bytes, *, writable: bool) -> None:
    """Write one entry where nothing lies: never through a link, byte by byte as stored, executable or not."""
    if entry.mode is FileMode.LINK:
        path.symlink_to(os.fsdecode(content))
        return
    mode = (0o600 if writable else 0o400) | (0o100 if entry.mode is FileMode.EXECUTABLE else 0)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def stored_bytes(path: Path, entry: TreeEntry) -> bytes | None:
    """Return what lies at ``path`` as git would store it, None where nothing of the entry's kind does."""
    try:
        if entry.mode is FileMode.LINK:
            return os.fsencode(path.readlink())
        return None if path.is_symlink() else path.read_bytes()
    except OSError:
        return None


def digest(content: bytes | None, like: str) -> str:
    """Return the Git object id of a blob, in the notation of the id ``like``; empty for no content."""
    if content is None:
        return ""
    algorithm = hashlib.sha256 if len(like) > _SHA1_HEX else hashlib.sha1
    return algorithm(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _remove(folder: Path) -> None:
    for inside, _, _ in os.walk(folder):
        with suppress(OSError):
            os.chmod(inside, 0o700)  # noqa: PTH101 -- a folder's name as os.walk gives it
    shutil.rmtree(folder, ignore_errors=True)

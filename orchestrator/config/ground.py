"""What a layout stands on: enough to see that another revision has the same one, without reading any YAML.

Most commits change what stacks are made of, not which stacks there are. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import cast

from adapters.contract import Json
from orchestrator.ports import FileMode, RevisionTree

_ROOT = PurePosixPath()


def ground(
    tree: RevisionTree, read: Iterable[PurePosixPath], folders: Collection[PurePosixPath], *, discovers: bool
) -> dict[str, Json]:
    """Return what a layout stands on.

    That is the files and folders ``read``, whether each stack's folder is there, and, where stacks are also
    discovered, the names of all files that lie in no stack's folder.
    """
    return {
        "read": {str(path): tree.id_of(path) for path in read},
        "folders": {str(path): is_folder(path, tree) for path in folders},
        "names": _names(tree, {str(path) for path in folders}) if discovers else "",
    }


def stands(body: Mapping[str, Json], tree: RevisionTree) -> bool:
    """Whether ``tree`` has the ground that ``body`` describes."""
    read, folders = cast("dict[str, str]", body["read"]), cast("dict[str, bool]", body["folders"])
    return (
        all(tree.id_of(PurePosixPath(path)) == was for path, was in read.items())
        and all(is_folder(PurePosixPath(path), tree) == was for path, was in folders.items())
        and (not body["names"] or body["names"] == _names(tree, folders.keys()))
    )


def is_folder(path: PurePosixPath, tree: RevisionTree) -> bool:
    """Whether a folder lies at ``path``: something lies there, and is no file."""
    first = next(iter(tree.entries(path)), None)
    is_file = first is not None and first.path == path and first.mode in {FileMode.FILE, FileMode.EXECUTABLE}
    return bool(tree.id_of(path)) and not is_file


def _names(tree: RevisionTree, folders: Collection[str]) -> str:
    outside = [name for name in map(str, tree.files(_ROOT)) if not below(name, folders)]
    return hashlib.sha256("\0".join(outside).encode("utf-8", "surrogateescape")).hexdigest()


def below(path: str, folders: Collection[str]) -> bool:
    """Whether ``path`` is one of ``folders`` or lies below one."""
    if "." in folders or path in folders:
        return True
    return any(path[: at.start()] in folders for at in re.finditer("/", path))

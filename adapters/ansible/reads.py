"""Which files outside its own folder a stack reads. Pure: works on a tree, without a checkout."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from adapters.ansible.settings import Settings
from adapters.contract import Tree

#: A path that leads upwards, as imports, variable files and roles are written.
_UPWARDS: Final = re.compile(r"(?<![\w/.])((?:\.\./)+[\w.@+-][\w./@+-]*)")
_READ: Final = (".yml", ".yaml", ".json", ".ini", ".cfg")
#: What Ansible reads beside an inventory and beside a playbook.
_BESIDE: Final = ("group_vars", "host_vars", "roles", "library", "filter_plugins", "templates", "files")


def outside(tree: Tree, settings: Settings) -> frozenset[PurePosixPath]:
    """Return what the settings name, what lies beside it, and every upward path that the stack's files write."""
    found = set(settings.files)
    for file in (settings.playbook, *(PurePosixPath(item) for item in settings.inventory if "," not in item)):
        if not file.is_relative_to(settings.path):
            found |= {file.parent / name for name in _BESIDE}
    waiting, seen = [settings.path, *found], set[PurePosixPath]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        for path in _upwards(tree, folder, settings.path):
            found.add(path)
            waiting.append(path)
    there = (path for path in found if any(True for _ in tree.files(path)) or _is_file(tree, path))
    return frozenset(path for path in there if not path.is_relative_to(settings.path))


def _upwards(tree: Tree, under: PurePosixPath, root: PurePosixPath) -> Iterator[PurePosixPath]:
    files = [*tree.files(under), *([under] if _is_file(tree, under) else [])]
    for file in files:
        if file.suffix not in _READ:
            continue
        for written in _UPWARDS.findall(tree.read(file).decode("utf-8", "replace")):
            # From the file's own folder, or from the playbook's: Ansible looks in both.
            for start in {file.parent, root}:
                path = posixpath.normpath(posixpath.join(str(start), written))
                if not path.startswith(("/", "..")) and path != ".":
                    yield PurePosixPath(path)


def _is_file(tree: Tree, path: PurePosixPath) -> bool:
    try:
        tree.read(path)
    except (FileNotFoundError, IsADirectoryError):
        return False
    return True

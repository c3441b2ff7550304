"""Finds stacks from the files themselves: which folders are roots, and which tool drives them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from orchestrator.config.ground import below
from orchestrator.ports import RevisionTree

ROOT: Final = PurePosixPath()
#: First match wins. OpenTofu reads *.tf, too, so its own marks come first.
_MARKS: Final = (
    ("opentofu", (".opentofu-version", "*.tofu", "*.tofu.json")),
    ("terraform", ("*.tf", "*.tf.json")),
    ("ansible", ("site.yml", "site.yaml", "ansible.cfg")),
    ("puppet", ("Puppetfile", "environment.conf")),
    ("chef", ("Policyfile.rb",)),
    ("arm", ("*.bicep", "azuredeploy.json")),
    ("cloudformation", ("template.yaml", "template.yml", "template.json")),
)
_HCL: Final = (".tf", ".tofu")
#: Folders that by custom hold parts of stacks, or stacks that nobody applies.
_NO_ROOTS: Final = frozenset({"modules", "module", "examples", "example", "test", "tests", "node_modules"})
# Read as text: a full parse of every file of a large repository would cost more than everything else.
_ROOT_BLOCK = re.compile(r'^\s*(?:backend\s+"|provider\s+"|cloud\s*\{)', re.MULTILINE)
_LOCAL_MODULE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}/[^"]*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Found:
    """A folder that looks like a stack."""

    path: PurePosixPath
    tool: str


def tool_of(names: Collection[str]) -> str:
    """Return the tool that the file names of one folder speak of, empty where they do not."""
    for tool, patterns in _MARKS:
        if any(fnmatchcase(name, pattern) for name in names for pattern in patterns):
            return tool
    return ""


def tool_at(path: PurePosixPath, tree: RevisionTree) -> str:
    """Return the tool that the files directly in ``path`` speak of."""
    return tool_of([file.name for file in tree.files(path) if file.parent == path])


@dataclass(slots=True)
class Discovery:
    """Looks through trees; remembers what it read by the ids of folders."""

    _root_blocks: dict[str, bool] = field(default_factory=dict)
    _modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Whether the last look met a folder that could have been a stack: then contents counted, not only names.
    undecided: bool = False

    def find(
        self, tree: RevisionTree, declared: Collection[PurePosixPath], tools: Collection[str]
    ) -> tuple[Found, ...]:
        """Return each undeclared root driven by one of ``tools``, sorted by path."""
        self.undecided = False
        every = folders(tree)
        taken = {str(path) for path in declared}
        found = []
        unclear = []
        for folder, names in every.items():
            tool = tool_of(names)
            if tool not in tools or below(folder, taken):
                continue
            self.undecided = True
            if tool not in {"terraform", "opentofu"} or self._has_root_block(folder, names, tree):
                found.append(Found(path=PurePosixPath(folder), tool=tool))
            else:
                unclear.append(Found(path=PurePosixPath(folder), tool=tool))
        if unclear:
            # Only now is it worth reading who uses whom.
            used = self._used_modules(every, tree)
            found += [one for one in unclear if str(one.path) not in used]
        return tuple(sorted(found))

    def _has_root_block(self, folder: str, names: Collection[str], tree: RevisionTree) -> bool:
        key = tree.id_of(PurePosixPath(folder))
        if key not in self._root_blocks:
            texts = _texts(folder, names, tree)
            self._root_blocks[key] = any(_ROOT_BLOCK.search(text) for text in texts)
        return self._root_blocks[key]

    def _used_modules(self, folders: dict[str, list[str]], tree: RevisionTree) -> set[str]:
        found: set[str] = set()
        for folder, names in folders.items():
            if not any(name.endswith(_HCL) for name in names):
                continue
            key = tree.id_of(PurePosixPath(folder))
            if key not in self._modules:
                texts = _texts(folder, names, tree)
                self._modules[key] = tuple(source for text in texts for source in _LOCAL_MODULE.findall(text))
            found |= {posixpath.normpath(posixpath.join(folder, source)) for source in self._modules[key]}
        return found


def _texts(folder: str, names: Iterable[str], tree: RevisionTree) -> Iterator[str]:
    for name in names:
        if name.endswith(_HCL):
            yield tree.read(PurePosixPath(folder) / name).decode(errors="replace")


def folders(tree: RevisionTree) -> dict[str, list[str]]:
    """Return the file names of each folder that may be a root; hidden folders and modules left out."""
    found: dict[str, list[str]] = {}
    for path in map(str, tree.files(ROOT)):
        folder, name = posixpath.split(path)
        found.setdefault(folder or ".", []).append(name)
    return {folder: names for folder, names in sorted(found.items()) if not _holds_no_root(folder)}


def _holds_no_root(folder: str) -> bool:
    return folder != "." and any(part in _NO_ROOTS or part.startswith(".") for part in folder.split("/"))

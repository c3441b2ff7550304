"""A tree in memory, and the short way from files to a layout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pytest

from orchestrator.config.load import StackFiles
from orchestrator.config.operator import Operator
from orchestrator.errors import ConfigError
from orchestrator.model.source import Revision, Source, SourceKind
from orchestrator.ports import FileMode, Layout, TreeEntry

SOURCE = Source(id="infra", kind=SourceKind.DIRECTORY, location="/nowhere")
REVISION = Revision(source="infra", id="0" * 40, tree="")


class MemoryTree:
    """The files of one revision; counts what is read."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.contents = {
            PurePosixPath(path): text.encode() if isinstance(text, str) else text for path, text in files.items()
        }
        self.ids = {path: hashlib.sha256(content).hexdigest() for path, content in self.contents.items()}
        below: dict[PurePosixPath, list[str]] = {}
        for path, id_ in sorted(self.ids.items()):
            for folder in path.parents:
                below.setdefault(folder, []).append(f"{path.relative_to(folder)} {id_}")
        self.ids |= {folder: hashlib.sha256("\n".join(lines).encode()).hexdigest() for folder, lines in below.items()}
        self.reads: list[str] = []

    def files(self, under: PurePosixPath) -> Iterable[PurePosixPath]:
        start = () if under == PurePosixPath() else under.parts
        return (path for path in sorted(self.contents) if path != under and path.parts[: len(start)] == start)

    def entries(self, under: PurePosixPath) -> Iterable[TreeEntry]:
        at = [under] if under in self.contents else []
        return (TreeEntry(path=path, mode=FileMode.FILE, id=self.ids[path]) for path in (*at, *self.files(under)))

    def read(self, path: PurePosixPath) -> bytes:
        self.reads.append(str(path))
        if path not in self.contents:
            raise FileNotFoundError(str(path))
        return self.contents[path]

    def id_of(self, path: PurePosixPath) -> str:
        return self.ids.get(path, "")


class Reading:
    """What came of reading: a layout or its errors, each as ``where code``."""

    def __init__(self, files: Mapping[str, str | bytes], **parts: object) -> None:
        self.tree = MemoryTree(files)
        self.error: ConfigError | None = None
        self.layout = Layout(project="", stacks={})
        try:
            self.layout = StackFiles(**parts).at(SOURCE, REVISION, self.tree)
        except ConfigError as error:
            self.error = error

    @property
    def errors(self) -> list[ConfigError]:
        return [self.error, *self.error.others] if self.error else []

    @property
    def told(self) -> list[str]:
        return [f"{error.where} {error.code}" for error in self.errors]

    @property
    def messages(self) -> str:
        return "\n".join(error.message for error in self.errors)

    def stack(self, short: str):
        assert not self.error, [f"{error.where} {error.message}" for error in self.errors]
        return next(stack for key, stack in self.layout.stacks.items() if key.short == short)


@pytest.fixture
def read_files():
    """Read a whole set of files."""
    return Reading


@pytest.fixture
def read_text():
    """Read one stacks.yaml, with no other file beside it."""

    def read(text: str | bytes, operator: Operator | None = None, **parts: object) -> Reading:
        return Reading({"stacks.yaml": text}, operator=operator or Operator(), **parts)

    return read


@pytest.fixture
def tree_of():
    """Make a tree of files."""
    return MemoryTree


@pytest.fixture
def memory_tree() -> type[MemoryTree]:
    """The class of trees in memory."""
    return MemoryTree

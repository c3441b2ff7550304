"""A plain folder as a source: its revision is the SHA-256 tree id of its content, as git computes it.

The content is kept in a bare repository of ours, so that an earlier revision can be read, compared and pinned as
any other. Bytes go in as they are: attributes and filters of the folder are switched off, and nothing of ours is
written into it. The index remembers each file's stat, so that an unchanged file is not read again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Final

from orchestrator.effects.git import QUICK, Git, Run, git_environment
from orchestrator.errors import SourceError, SourceGone, SourceUnreachable

#: Folders and files that are a tool's own and never part of what is desired.
_IGNORED_FOLDERS: Final = frozenset({".git", ".terraform"})
_IGNORED_FILES: Final = ("*.tfstate", "*.tfstate.*", ".git")
_AS_THEY_ARE: Final = "* -text -eol -crlf -ident -filter -working-tree-encoding\n"


def is_desired(path: PurePath) -> bool:
    """Whether a path of the folder is part of what is desired, and no tool's own."""
    own = any(fnmatchcase(path.name, pattern) for pattern in _IGNORED_FILES)
    return not (own or _IGNORED_FOLDERS.intersection(path.parts))


def to_nobody(words: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryMirror:
    """Keeps a folder's content under ``<home>/sources/<id>/``."""

    folder: Path
    directory: Path
    outer: Mapping[str, str]
    run: Run
    #: Is told how far a large folder is taken in.
    tell: Callable[[str], None] = to_nobody
    #: So many files that were not there before, or so many bytes of them, are worth a word.
    many: int = 5_000
    large: int = 200_000_000

    @property
    def git(self) -> Git:
        """The repository that keeps the content."""
        return Git(folder=self.folder / "mirror.git", env=git_environment(self.outer), run=self.run)

    def keep(self, *, known: bool = True) -> str:
        """Take in the folder as it is now and return its tree id; ``known`` says that it held something before.

        Raises SourceUnreachable where the folder is gone (HF-3001) or holds nothing (HF-3005).
        """
        self._make()
        seen = list(self._files())
        if not seen:
            raise SourceGone(
                f"folder {self.directory} holds no file",
                code="HF-3005",
                hint="nothing is destroyed because of it; put the files back, or name another folder"
                if known
                else "holdfast demo shows the whole way; holdfast init begins where Terraform files lie",
            )
        indexed = {*filter(None, self._index("ls-files", "-z").split(b"\0"))}
        self._take_in(sorted({*seen, *indexed}), [path for path in seen if path not in indexed])
        return self._index("write-tree").decode().strip()

    def _take_in(self, paths: Sequence[bytes], fresh: Sequence[bytes]) -> None:
        """Digest what changed, a part at a time: of a large folder people are told its size and how far it is."""
        size = sum(self._size(path) for path in fresh)
        told = len(fresh) >= self.many or size >= self.large
        if told:
            self.tell(f"taking in the folder {self.directory}: {len(fresh)} new files, {size / 1e6:.0f} MB")
        done = 0
        while done < len(paths):
            part = paths[done : done + self.many]
            self._index("update-index", "-z", "--add", "--remove", "--stdin", stdin=b"\0".join(part) + b"\0")
            done += len(part)
            if told and done < len(paths):
                self.tell(f"  {done} of {len(paths)} files are taken in")

    def _size(self, path: bytes) -> int:
        try:
            return os.lstat(os.path.join(os.fsencode(self.directory), path)).st_size  # noqa: PTH118 -- a name of bytes
        except OSError:
            # Gone meanwhile: git says so where it matters.
            return 0

    def _make(self) -> None:
        repository = self.git.folder
        if (repository / "info" / "attributes").exists():
            return
        repository.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.git.tell("init", "--bare", "--quiet", "--template=", "--object-format=sha256")
        (repository / "info").mkdir(exist_ok=True)
        (repository / "info" / "attributes").write_text(_AS_THEY_ARE)

    def _index(self, *args: str, stdin: bytes = b"") -> bytes:
        env = {**self.git.env, "GIT_DIR": str(self.git.folder), "GIT_WORK_TREE": str(self.directory)}
        result = self.run(["git", *args], env=env, cwd=self.directory, stdin=stdin, timeout=10 * QUICK)
        if result.exit_code != 0:
            said = result.stderr.decode("utf-8", "replace").strip().splitlines()
            raise SourceError(
                f"folder {self.directory} cannot be read: {said[0] if said else 'git says nothing'}",
                code="HF-3001",
                hint="check the permissions of the file named",
            )
        return result.stdout

    def _files(self) -> Iterator[bytes]:
        """Yield each file and link, relative to the folder; folders that are links are links."""
        root = os.fsencode(self.directory)
        waiting = [root]
        while waiting:
            folder = waiting.pop()
            for entry in self._scan(folder):
                name = os.fsdecode(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    if name not in _IGNORED_FOLDERS:
                        waiting.append(entry.path)
                elif (entry.is_symlink() or entry.is_file()) and not any(fnmatchcase(name, p) for p in _IGNORED_FILES):
                    yield entry.path[len(root) + 1 :]

    def _scan(self, folder: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(folder) as found:
                return list(found)
        except OSError as failure:
            raise SourceUnreachable(
                f"folder {os.fsdecode(folder)} cannot be read: {failure.strerror}",
                hint="the last good revision stays in force; put the folder back or mend its permissions",
            ) from failure

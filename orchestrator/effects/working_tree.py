"""A checkout on this machine: who works in it, what it is a checkout of, and its files as they lie there.

Nothing is ever written into it: an index of our own stands in for its index, and new objects go into the mirror.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.contract import Result
from orchestrator.effects.git import QUICK, Run, git_environment, last_line
from orchestrator.effects.location import normalised
from orchestrator.errors import SourceError
from orchestrator.model.source import Revision, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTree:
    """One checkout."""

    root: Path
    #: The folder that all worktrees of the repository share, ``…/.git``.
    common: Path
    #: This worktree's own git folder.
    git_folder: Path
    outer: Mapping[str, str]
    run: Run

    @classmethod
    def find(cls, directory: Path, outer: Mapping[str, str], run: Run) -> WorkingTree | None:
        """Return the checkout that ``directory`` lies in, None where it lies in none."""
        argv = ["git", "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir", "--git-dir"]
        result = run(argv, env=git_environment(outer, own=True), cwd=directory, timeout=QUICK)
        if result.exit_code != 0:
            if b"dubious ownership" in result.stderr:
                raise SourceError(
                    f"{directory} lies in a checkout that belongs to somebody else",
                    code="HF-3003",
                    hint="git config --global --add safe.directory says that you trust it",
                )
            return None
        root, common, git_folder = (Path(line) for line in result.stdout.decode().splitlines())
        return cls(root=root, common=common, git_folder=git_folder, outer=outer, run=run)

    def commit(self, name: str = "HEAD") -> str:
        """Return the commit that a name stands for in this checkout (``HEAD~1``, ``@{1.day.ago}``), empty for none."""
        argv = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self._ask(*argv).stdout.decode().strip()

    def roots(self) -> frozenset[str]:
        """Return the commits that the history at HEAD begins with."""
        return frozenset(self._ask("rev-list", "--max-parents=0", "HEAD").stdout.decode().split())

    def email(self) -> str:
        """Return the e-mail address that the person's commits bear, empty where git knows none."""
        return email_in(self.root, self.outer, self.run)

    def branch(self) -> str:
        """Return the branch that is checked out, empty where HEAD stands on none."""
        return self._ask("symbolic-ref", "--quiet", "--short", "HEAD").stdout.decode("utf-8", "replace").strip()

    def identity(self) -> str:
        """Return what every clone of the repository shares: its origin, else the folder that its worktrees share."""
        origin = self._ask("config", "remote.origin.url").stdout.decode("utf-8", "replace").strip()
        return normalised(origin) if origin else str(self.common)

    def is_dirty(self) -> bool:
        """Whether a tracked file differs from HEAD, or one lies there that is neither tracked nor ignored."""
        said = self._ask("status", "--porcelain", "--untracked-files=normal", settings=self._no_filters())
        return bool(said.stdout.strip())

    def revision(self, source: Source, objects: Path) -> Revision:
        """Return the files as they lie there as a revision that is in no commit; new objects go to ``objects``.

        Tracked files with their edits and files that are neither tracked nor ignored. Raises SourceError.
        """
        with tempfile.TemporaryDirectory(prefix="holdfast-index-") as folder:
            index = Path(folder) / "index"
            if (self.git_folder / "index").exists():
                shutil.copyfile(self.git_folder / "index", index)
            # The mirror's objects alone: what lies only in the checkout's own (a staged file) must be written too.
            extra = {"GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(objects)}
            settings = self._no_filters()
            # Back to HEAD, keeping what the index knows of unchanged files, so that these are not read again.
            start = ("--reset", "HEAD") if self.commit() else ("--empty",)
            self._tell("read-tree", *start, extra=extra, settings=settings)
            self._tell("add", "--all", "--", ".", extra=extra, settings=settings)
            # A file that changed within the second of its entry is read once more here, through its filter.
            tree = self._tell("write-tree", extra=extra, settings=settings).strip()
        return Revision(
            source=source.id,
            id=tree,
            tree=tree,
            email=self.email(),
            message="working tree, not committed",
            committed=False,
        )

    def _no_filters(self) -> dict[str, str]:
        """Return the settings that keep git from running the programs through which the repository filters files."""
        said = self._ask("config", "-z", "--name-only", "--get-regexp", r"^filter\.").stdout
        keys = (key.removeprefix("filter.").rpartition(".")[0] for key in os.fsdecode(said).split("\0") if key)
        off = {"clean": "", "smudge": "", "process": "", "required": "false"}
        return {f"filter.{name}.{key}": value for name in sorted({*keys}) for key, value in off.items()}

    def _ask(
        self, *args: str, extra: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None
    ) -> Result:
        env = {**git_environment(self.outer, own=True, settings=settings), **(extra or {})}
        return self.run(["git", *args], env=env, cwd=self.root, timeout=QUICK)

    def _tell(
        self, *args: str, extra: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None
    ) -> str:
        result = self._ask(*args, extra=extra, settings=settings)
        if result.exit_code != 0:
            raise SourceError(
                f"the working tree cannot be read: {last_line(result.stderr)}",
                code="HF-3008",
                hint="git status says more; without --dirty the last commit is used",
            )
        return result.stdout.decode().strip()


def email_in(directory: Path, outer: Mapping[str, str], run: Run) -> str:
    """Return the e-mail address that commits made in ``directory`` would bear, empty where git knows none."""
    argv = ["git", "config", "user.email"]
    result = run(argv, env=git_environment(outer, own=True), cwd=directory, timeout=QUICK)
    return result.stdout.decode("utf-8", "replace").strip()

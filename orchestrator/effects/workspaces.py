"""Lays a revision's files out for one stack: a private, writable copy at one fixed path, filled from the tree cache.

Only what the stack reads is laid out, links only where they stay inside the repository. Laying out again what lies
there already costs a stat for each file and reads none.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from adapters.contract import Input, PlanStale, Workspace
from orchestrator.effects import liveness
from orchestrator.effects.lineage import Lineage, holds_files
from orchestrator.effects.tree_cache import Place, TreeCache, digest, stored_bytes, write_file
from orchestrator.effects.tree_rules import check, may_stay
from orchestrator.errors import NotStarted, RecordError, RevisionRejected
from orchestrator.model.stack import GOING_DOWN, MAIN, Stack, StackKey
from orchestrator.ports import RevisionTree, Stray


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidWorkspaces:
    """`ports.Workspaces` under Holdfast's ``home`` on this host."""

    home: Path
    lineage: Lineage

    @contextmanager
    def lay(
        self,
        stack: Stack,
        tree: RevisionTree,
        *,
        outside: frozenset[PurePosixPath],
        inputs: Mapping[str, Input],
        run: int,  # noqa: ARG002 -- the port's: other implementations lay out by run
        track: str,
    ) -> Iterator[Workspace]:
        """Lay out and yield; the private folder is removed at the end.

        For whoever holds the stack. Raises ForbiddenFile, RevisionRejected.
        """
        places = _places(stack, tree, outside)
        place, kept = self._place(stack.key), self._kept(stack.key)
        # Planning runs code: a working tree's must not leave anything where main's apply would find and run it.
        scratch = place / ("scratch" if track in {MAIN, GOING_DOWN} else "scratch-aside")
        try:
            for folder in (place.parent, kept.parent, place, kept, place / "root", scratch):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.lineage.leave()
            for left in place.glob("private-*"):
                # Whoever laid it out is dead, and so is its tool: the stack is ours.
                shutil.rmtree(left, ignore_errors=True)
            _bring(place, places, tree, TreeCache(folder=self.home / "trees"))
        except OSError as failure:
            raise NotStarted(
                f"the files of {stack.key.short} cannot be laid out in {place}: {failure.strerror}",
                code="HF-3018",
                hint="free some space, or mend the permissions of that folder",
            ) from failure
        # Named after us, so that others can tell when we are gone.
        private = Path(tempfile.mkdtemp(prefix=f"private-{liveness.owner()}-", dir=place))
        try:
            yield Workspace(
                root=place / "root",
                path=stack.path,
                scratch=scratch,
                private=private,
                kept=kept,
                stack=str(stack.key),
                environment=stack.key.environment,
                inputs=inputs,
            )
        finally:
            shutil.rmtree(private, ignore_errors=True)

    def sweep(self, in_use: Callable[[], Collection[StackKey]]) -> None:
        """Remove what workers that were killed left of private folders: inputs hold secrets.

        ``in_use`` names the stacks whose tool may still read there without its worker.
        """
        left = [
            path
            for path in (self.home / "work").glob("*/private-*-*-*-*")
            if liveness.orphaned(path.name.removeprefix("private-").rpartition("-")[0])
        ]
        kept = {_safe(key) for key in in_use()} if left else set()
        for path in left:
            if path.parent.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def verify(self, workspace: Workspace, stack: Stack, tree: RevisionTree, *, beside: Collection[Path]) -> None:
        """Digest the tracked files again, just before an apply.

        Raises PlanStale where one was altered, or where something lies beside them that a tool would read and that is
        not ``beside`` them by right.
        """
        laid: dict[str, list[object]] = json.loads((self._place(stack.key) / "laid.json").read_bytes())
        lying = frozenset(map(str, _lying(workspace.root)))
        for name in laid:
            entry = next(iter(tree.entries(PurePosixPath(name))), None)
            there = stored_bytes(workspace.root / name, entry) if entry and name in lying else None
            if entry is None or digest(there, entry.id) != entry.id:
                raise _altered(f"{name} was altered after it was laid out")
        allowed = {str(path.relative_to(workspace.root)) for path in beside if path.is_relative_to(workspace.root)}
        for name in sorted(lying - laid.keys() - allowed):
            if not _stays(workspace.root, PurePosixPath(name), same_files=True):
                raise _altered(f"{name} was added after the files were laid out")

    def move(self, old: StackKey, new: StackKey) -> None:
        """Take over the kept state of ``old`` under the name ``new``. Doing it again changes nothing."""
        before, after = self._kept(old), self._kept(new)
        if not before.exists() or not holds_files(before):
            return
        if after.exists():
            if holds_files(after):
                raise RecordError(
                    f"{old.short} and {new.short} both hold kept state",
                    code="HF-4012",
                    hint=f"holdfast outputs {new.short} shows what it has; destroy one of the two first",
                )
            shutil.rmtree(after)
        after.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before.rename(after)

    def strays(self, source: str) -> Mapping[str, Stray]:
        """Return, by ``name@environment``, what is kept for the repository under other ids than ``source``."""
        return self.lineage.strays() if source == self.lineage.source else {}

    def free_bytes(self) -> int:
        """Return the free space where workspaces and state live."""
        return shutil.disk_usage(self.home).free

    def _place(self, key: StackKey) -> Path:
        return self.home / "work" / _safe(key)

    def _kept(self, key: StackKey) -> Path:
        return self.home / "state" / _safe(key)


def _safe(key: StackKey) -> str:
    """Return a key as one folder's name: ``infra%2Fweb@prod``."""
    return quote(str(key), safe="@")


def _places(stack: Stack, tree: RevisionTree, outside: frozenset[PurePosixPath]) -> list[Place]:
    """Return every place to lay out. Raises ForbiddenFile, RevisionRejected."""
    paths = {place: None for top in (stack.path, *sorted(outside)) for place in (top, *sorted(tree.reached(top)))}
    places = [Place(path=path, id=tree.id_of(path), entries=tuple(tree.entries(path))) for path in paths]
    for place in places:
        for entry in place.entries:
            check(entry)
    if not places[0].entries:
        raise RevisionRejected(
            f"stack {stack.key.short}: there is no file in {stack.path}",
            code="HF-3017",
            hint="mend the stack's path; an empty folder is never taken for a wish to destroy",
        )
    return places


def _bring(folder: Path, places: list[Place], tree: RevisionTree, cache: TreeCache) -> None:
    """Make ``folder/root`` hold what ``places`` hold; ``folder/laid.json`` remembers it with each file's stat."""
    root, marker = folder / "root", folder / "laid.json"
    wanted = {str(entry.path): entry for place in places for entry in place.entries}
    laid = _read_marker(marker)
    same_files = {name: body[0] for name, body in laid.items()} == {name: entry.id for name, entry in wanted.items()}
    _sweep(root, frozenset(wanted), same_files=same_files)
    missing = {name for name, entry in wanted.items() if laid.get(name) != [entry.id, *_stat(root / name)]}
    if same_files and not missing:
        return
    for place in places:
        needed = [entry for entry in place.entries if str(entry.path) in missing]
        for name, content in (cache.read(place, tree, needed) if needed else {}).items():
            _make_room(root, root / name)
            write_file(root / name, wanted[name], content, writable=True)
    body = {name: [entry.id, *_stat(root / name)] for name, entry in wanted.items()}
    fresh = marker.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(body))
    fresh.replace(marker)


def _read_marker(marker: Path) -> dict[str, list[object]]:
    try:
        found = json.loads(marker.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _stat(path: Path) -> list[object]:
    """Return what changes whenever a file does: nobody can set its ctime."""
    try:
        found = path.lstat()
    except OSError:
        return []
    return [found.st_mode, found.st_size, found.st_ctime_ns, found.st_ino]


def _lying(root: Path) -> Iterator[PurePosixPath]:
    """Yield each file and link below ``root``; a link to a folder is a link."""
    for inside, folders, files in os.walk(root):
        here = PurePosixPath(os.path.relpath(inside, root))
        yield from (here / name for name in files)
        yield from (here / name for name in folders if os.path.islink(os.path.join(inside, name)))  # noqa: PTH114, PTH118


def _stays(root: Path, path: PurePosixPath, *, same_files: bool) -> bool:
    """Whether what a tool left may stay; a link never does, whatever it is called: it may lead to code."""
    return may_stay(path, same_files=same_files) and not (root / path).is_symlink()


def _sweep(root: Path, wanted: frozenset[str], *, same_files: bool) -> None:
    """Remove what neither belongs there nor may stay, and the folders that are empty then."""
    for path in list(_lying(root)):
        if str(path) not in wanted and not _stays(root, path, same_files=same_files):
            (root / path).unlink()
    needed = {str(parent) for name in wanted for parent in PurePosixPath(name).parents}
    for inside, _, _ in os.walk(root, topdown=False):
        if os.path.relpath(inside, root) not in needed and not os.listdir(inside):  # noqa: PTH208 -- as os.walk names it
            os.rmdir(inside)  # noqa: PTH106 -- likewise


def _altered(what: str) -> PlanStale:
    return PlanStale(what, hint="nothing was applied; run it again from the commit")


def _make_room(root: Path, path: Path) -> None:
    """Have nothing lie at ``path``, and real folders above it."""
    for parent in reversed(path.relative_to(root).parents):
        folder = root / parent
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        folder.mkdir(mode=0o700, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)

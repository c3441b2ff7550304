"""The files of one revision, read from a bare repository without a checkout.

One ``git ls-tree`` names everything, or one ``git diff-tree`` where a tree beside it is known already; from then on
ids are compared in memory, and contents come from ``git cat-file --batch``, many in one go. Paths are bytes to git:
names that are not UTF-8 survive.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from orchestrator.effects.git import Git
from orchestrator.effects.tree_links import ROOT, Links, follow, sort_links, within
from orchestrator.errors import RevisionRejected, SourceError
from orchestrator.ports import FileMode, RevisionTree, TreeEntry

#: Objects asked for in one ``cat-file``: bounds what is held in memory at once.
_BATCH: Final = 1024
#: Files around one that is read and not in memory that come with it: at first, and at most.
_AHEAD: Final = (128, 4096)
#: Blobs above this size in bytes are not kept in memory once they were handed out.
_KEPT_SIZE: Final = 256 * 1024
_TREE: Final = "040000"
_REGULAR: Final = frozenset({FileMode.FILE, FileMode.EXECUTABLE})


@dataclass(slots=True, kw_only=True)
class Blobs:
    """Contents by id, shared by all trees of a repository; forgets everything when it grows too large."""

    git: Git
    #: Bytes held before the memory is emptied.
    limit: int = 32 * 1024 * 1024
    _kept: dict[str, bytes] = field(default_factory=dict)
    _size: int = 0

    def get(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of each id. Raises SourceError where one is missing."""
        wanted = dict.fromkeys(ids)
        found = {id_: self._kept[id_] for id_ in wanted if id_ in self._kept}
        missing = [id_ for id_ in wanted if id_ not in found]
        for start in range(0, len(missing), _BATCH):
            for id_, content in self._read(missing[start : start + _BATCH]):
                found[id_] = content
                self._keep(id_, content)
        return found

    def holds(self, id_: str) -> bool:
        """Whether a content is in memory."""
        return id_ in self._kept

    def _read(self, ids: list[str]) -> Iterator[tuple[str, bytes]]:
        output = self.git.tell("cat-file", "--batch", stdin="".join(f"{id_}\n" for id_ in ids).encode())
        at = 0
        for id_ in ids:
            end = output.find(b"\n", at)
            head = output[at:end].split()
            if len(head) != 3:  # noqa: PLR2004 - "<id> <type> <size>"; two words say that it is missing
                raise SourceError(
                    f"object {id_[:12]} is missing from {self.git.folder}",
                    code="HF-3007",
                    hint="git fsck in that folder says more; once removed it is fetched anew",
                )
            size = int(head[2])
            yield id_, output[end + 1 : end + 1 + size]
            at = end + size + 2

    def _keep(self, id_: str, content: bytes) -> None:
        if len(content) > _KEPT_SIZE:
            return
        if self._size + len(content) > self.limit:
            self._kept.clear()
            self._size = 0
        self._kept[id_] = content
        self._size += len(content)


@dataclass(slots=True)
class ReadAhead:
    """How much to read along: twice as much each time, so that few processes serve a walk over all files."""

    files: int = _AHEAD[0]

    def next(self) -> int:
        """Return how many files around one to read with it now."""
        files, self.files = self.files, min(2 * self.files, _AHEAD[1])
        return files


@dataclass(frozen=True, kw_only=True)
class GitTree:
    """One revision's files. Implements ``RevisionTree``."""

    #: Path -> mode and id of everything below the root, in git's order of paths.
    listed: Mapping[str, tuple[str, str]]
    root_id: str
    blobs: Blobs
    #: Root id of a tree beside this one -> the files that differ, where that is known.
    apart: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ahead: ReadAhead = field(default_factory=ReadAhead)
    #: Paths made so far, shared with the trees that came of this one: to make thousands takes its time.
    made: dict[str, PurePosixPath] = field(default_factory=dict)

    def files(self, under: PurePosixPath) -> Iterator[PurePosixPath]:
        """Yield each regular file below ``under``, and each link to one."""
        for path in self._below(str(under)):
            mode, _ = self.listed[path]
            if mode in _REGULAR or (mode == FileMode.LINK and self._leads_to_file(path)):
                yield self.made.get(path) or self.made.setdefault(path, PurePosixPath(path))

    def read(self, path: PurePosixPath) -> bytes:
        """Return a file's bytes, through links. Raises FileNotFoundError."""
        place = follow(str(path), self._targets) or ""
        mode, id_ = self.listed.get(place, ("", ""))
        if mode not in _REGULAR:
            raise FileNotFoundError(str(path))
        beside = [] if self.blobs.holds(id_) else self._beside(place)
        return self.blobs.get([id_, *beside])[id_]

    def id_of(self, path: PurePosixPath) -> str:
        """Return the id at ``path``; where links lead out of it, one that covers what they lead to."""
        name = str(path)
        own = self._stored_id(name)
        reached = self._links.reach(name)
        if not reached:
            return own
        parts = [own, *sorted(f"{place}={self._stored_id(place)}" for place in reached)]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def changed(self, other: RevisionTree) -> frozenset[PurePosixPath]:
        """Return each file that differs, and each link that leads to one."""
        if not isinstance(other, GitTree):
            raise TypeError(type(other).__name__)
        differing = self._apart_from(other)
        led: set[str] = set()
        for links in (self._links, other._links):  # noqa: SLF001 - the same class
            for link in links.leads:
                places = links.reach(link)
                if any(within(path, place) for place in places for path in differing):
                    led.add(link)
        return frozenset(map(PurePosixPath, differing | led))

    def entries(self, under: PurePosixPath) -> Iterator[TreeEntry]:
        """Yield what is stored at or below ``under``, links not followed."""
        name = str(under)
        at = [name] if name in self.listed else []
        for path in (*at, *self._below(name)):
            mode, id_ = self.listed[path]
            if mode != _TREE:
                yield TreeEntry(path=PurePosixPath(path), mode=FileMode(mode), id=id_)

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Return the stored bytes by id."""
        return self.blobs.get(ids)

    def reached(self, under: PurePosixPath) -> frozenset[PurePosixPath]:
        """Return each place outside ``under`` that links lead to. Raises RevisionRejected (HF-3014) for an escape."""
        name = str(under)
        self._refuse_two_faces()
        places = self._links.reach(name)
        for folder in (name, *sorted(places)):
            link = self._links.refused_below(folder)
            if link is not None:
                raise RevisionRejected(
                    f"{link} is a link to {self._links.refused[link]}, which leaves the repository or goes in a circle",
                    code="HF-3014",
                    where=f"{link}:1",
                    hint="replace the link by the file itself, or by a link that stays inside",
                )
        return frozenset(map(PurePosixPath, places))

    def _refuse_two_faces(self) -> None:
        """Refuse a crafted tree with a link and a folder of one name: files of the folder would go through the link."""
        for link in self._targets:
            if next(iter(self._below(link)), None) is not None:
                raise RevisionRejected(
                    f"the repository holds {link!r} as a link and as a folder at once",
                    code="HF-3014",
                    where=f"{link}:1",
                    hint="no git client makes such a tree by itself: find out who did",
                )

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(self.listed)

    @cached_property
    def _targets(self) -> dict[str, str]:
        ids = {path: id_ for path, (mode, id_) in self.listed.items() if mode == FileMode.LINK}
        stored = self.blobs.get(ids.values())
        return {path: os.fsdecode(stored[id_]) for path, id_ in ids.items()}

    @cached_property
    def _links(self) -> Links:
        return sort_links(self._targets)

    def _stored_id(self, name: str) -> str:
        return self.root_id if name == ROOT else self.listed.get(name, ("", ""))[1]

    def _leads_to_file(self, link: str) -> bool:
        return self.listed.get(self._links.leads.get(link, ""), ("", ""))[0] in _REGULAR

    def _below(self, name: str) -> Iterable[str]:
        if name == ROOT:
            return self._paths
        # "0" is the character after "/": everything between the two is below the folder.
        return self._paths[bisect_left(self._paths, f"{name}/") : bisect_left(self._paths, f"{name}0")]

    def _apart_from(self, other: GitTree) -> frozenset[str]:
        known = self.apart.get(other.root_id) or other.apart.get(self.root_id)
        if known is not None:
            return known
        return frozenset(path for path, (mode, _) in self.listed.items() ^ other.listed.items() if mode != _TREE)

    def _beside(self, path: str) -> list[str]:
        """Ids of the files of the same kind from the same folder on: who reads one mostly reads them all."""
        folder, name = posixpath.split(path)
        suffix = posixpath.splitext(name)[1]
        start = bisect_left(self._paths, f"{folder}/" if folder else "")
        around = ((other, *self.listed[other]) for other in self._paths[start : start + self.ahead.next()])
        return [id_ for other, mode, id_ in around if mode == FileMode.FILE and other.endswith(suffix)]


def read_tree(git: Git, tree: str, blobs: Blobs, near: GitTree | None = None) -> GitTree:
    """List one tree by its full id. Raises SourceError (HF-3007) where it is not in the repository.

    ``near`` is another tree of the repository: then only what differs from it is listed.
    """
    if near is not None:
        said = git.ask("diff-tree", "-r", "-t", "-z", "--no-renames", near.root_id, tree)
        # Where the other tree is gone from the repository, this one may still be there.
        if said.exit_code == 0:
            return _moved_on(near, tree, os.fsdecode(said.stdout))
    output = git.tell("ls-tree", "-r", "-t", "-z", "--full-tree", tree)
    listed = {}
    # Names that are no UTF-8 become lone surrogates here, and their own bytes again on disk.
    for record in os.fsdecode(output).split("\0")[:-1]:
        head, _, path = record.partition("\t")
        mode, _, id_ = head.split(" ")
        listed[path] = (_known_mode(mode), id_)
    return GitTree(listed=listed, root_id=tree, blobs=blobs)


def _moved_on(near: GitTree, tree: str, said: str) -> GitTree:
    """Return ``tree`` as ``near`` with the differences that diff-tree said (git-diff-tree(1), raw output)."""
    records = said.split("\0")[:-1]
    gone: dict[str, str] = {}
    come: dict[str, tuple[str, str]] = {}
    for head, path in zip(records[::2], records[1::2], strict=True):
        before, after, _, id_, status = head.removeprefix(":").split(" ")
        if status != "A":
            gone[path] = before
        if status != "D":
            come[path] = (_known_mode(after), id_)
    listed = {**near.listed}
    for path in gone.keys() - come.keys():
        del listed[path]
    listed |= come
    modes = (*gone.items(), *((path, mode) for path, (mode, _) in come.items()))
    differing = frozenset(path for path, mode in modes if mode != _TREE and near.listed.get(path) != listed.get(path))
    # Names that were given up long ago are forgotten in the end.
    made = near.made if len(near.made) <= 2 * len(listed) else {}
    return GitTree(listed=listed, root_id=tree, blobs=near.blobs, apart={near.root_id: differing}, made=made)


def _known_mode(mode: str) -> str:
    """Old repositories hold files with other permission bits: git itself reads only the executable one."""
    return FileMode.FILE if mode == "100664" else mode

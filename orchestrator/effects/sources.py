"""Desired state as it is versioned: Git repositories and plain folders, each through a bare repository of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from orchestrator.effects.directory import DirectoryMirror, to_nobody
from orchestrator.effects.git import QUICK, Git, Run, git_environment
from orchestrator.effects.git_commits import covered
from orchestrator.effects.git_history import (
    PINS,
    authors,
    descends,
    describe,
    lacking,
    part_of_any_ref,
    pinned,
    resolve,
)
from orchestrator.effects.git_merge import merged
from orchestrator.effects.git_tree import Blobs, GitTree, read_tree
from orchestrator.effects.location import Location, Transport, check_ref, is_abbreviated, is_commit, locate
from orchestrator.effects.mirror import REMOTE_HEAD, Mirror, gone
from orchestrator.effects.signatures import Signers
from orchestrator.errors import ForgeError, NoSuchRevision, RevisionRejected, SourceGone, SourceUnreachable
from orchestrator.model.commit import Commit, Covered
from orchestrator.model.source import Revision, Source, SourceKind, Verify
from orchestrator.ports import RevisionTree, Secrets

#: The id of a tree that holds nothing, in SHA-1 and in SHA-256.
_EMPTY: Final = frozenset(
    {
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    }
)
#: Where commits are kept that a ref of the remote leads to which is no branch and no tag.
BROUGHT: Final = "refs/holdfast/brought/"
#: The trailer that counts only where it is signed, and so many signatures are looked at for one question.
PERMIT: Final = "holdfast-allow"
_MOST_CHECKED: Final = 20
#: Trees kept in memory: a service compares the newest with the one before, drift looks at applied ones.
_KEPT: Final = 8


def no_app(_: Source) -> str:
    """Return no token: nobody is there who could ask for one."""
    return ""


@dataclass(slots=True, kw_only=True)
class VersionedSources:
    """`ports.Sources` under Holdfast's ``home`` on this host. Safe to share between threads."""

    home: Path
    #: Our own environment, of which git sees an allow-list.
    outer: Mapping[str, str]
    run: Run
    secrets: Secrets
    #: Return the token that a source's GitHub App is given. Raises ForgeError.
    app_token: Callable[[Source], str] = no_app
    #: Is told how far a large folder is taken in.
    tell: Callable[[str], None] = to_nobody
    _trees: dict[tuple[str, str], GitTree] = field(default_factory=dict)
    _blobs: dict[str, Blobs] = field(default_factory=dict)
    _pinned: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def read(self, source: Source, *, last: str = "") -> Revision:
        """Fetch and return the newest revision. Raises SourceUnreachable, RevisionRejected, SourceError."""
        if source.kind is SourceKind.DIRECTORY:
            tree = self._directory(source).keep(known=bool(last))
            return Revision(source=source.id, id=tree, tree=tree)
        location = locate(source.location)
        check_ref(source.ref)
        mirror = self._mirror(source, location)
        try:
            revision = self._newest(source, mirror)
        except SourceUnreachable as error:
            if not last and error.code == "HF-3004" and location.transport is Transport.FILE and not source.ref:
                raise _no_commit_yet(source) from error
            raise
        self._check_descent(source, mirror, revision.id, last)
        return self._accepted(source, mirror.git, revision)

    def objects(self, source: Source) -> Path:
        """Return the folder of the mirror's objects; all that the HEAD of a checkout leads to is among them.

        Judges nothing of what HEAD holds. Raises SourceUnreachable.
        """
        mirror = self._mirror(source, locate(source.location))
        head = self._head(source, mirror.location)
        if not head:
            mirror.make(self._object_format(mirror.location.path))
        elif not mirror.holds(head):
            mirror.fetch("", wanted=head)
        return mirror.git.folder / "objects"

    def revision(self, source: Source, revision: str) -> Revision:
        """Return one revision by its full or abbreviated id, tag or branch. Raises SourceError (HF-3006)."""
        if source.kind is SourceKind.DIRECTORY:
            if self._git(source).ask("cat-file", "-e", f"{revision}^{{tree}}").exit_code:
                raise _unknown(source, revision)
            return Revision(source=source.id, id=revision, tree=revision)
        check_ref(revision)
        mirror = self._mirror(source, locate(source.location))
        # An id never changes its meaning, a name may at any time.
        commit = resolve(mirror.git, revision) if mirror.exists and is_abbreviated(revision) else None
        # A fetch that is under way brings commits before the ref that leads to them.
        if commit is None or not self._belongs(source, mirror.git, commit):
            mirror.fetch(self._token(source))
            commit = resolve(mirror.git, revision)
        found = describe(mirror.git, source.id, commit) if commit else None
        if found is None:
            raise _unknown(source, revision)
        self._check_belonging(source, mirror.git, found.id)
        return self._accepted(source, mirror.git, found)

    def tree(self, source: Source, revision: str) -> RevisionTree:
        """Return the files of a revision that was read before, or of a tree by its id."""
        key = (source.id, revision)
        with self._lock:
            found = self._trees.pop(key, None)
            if found is None:
                git = self._git(source)
                blobs = self._blobs.setdefault(source.id, Blobs(git=git))
                tree = git.tell("rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}").decode().strip()
                near = next((kept for (id_, _), kept in reversed(self._trees.items()) if id_ == source.id), None)
                found = read_tree(git, tree, blobs, near)
            while len(self._trees) >= _KEPT:
                del self._trees[next(iter(self._trees))]
            self._trees[key] = found
            return found

    def lacking(self, source: Source, revision: str, other: str) -> int | None:
        """Return how many commits that led to ``other`` are not in ``revision``, None where nobody can tell."""
        if source.kind is SourceKind.DIRECTORY or revision == other:
            return 0
        mirror = self._mirror(source, locate(source.location))
        found = lacking(mirror.git, revision, other)
        return None if found and mirror.shallow else found

    def authors(self, source: Source, revision: str, since: str, paths: Iterable[PurePosixPath]) -> frozenset[str]:
        """Return the e-mails of who wrote what came to ``paths`` on the way from ``since``; empty means all of it."""
        if source.kind is SourceKind.DIRECTORY:
            return frozenset()
        return authors(self._git(source), revision, since, paths)

    def commits(self, source: Source, revision: str, since: str, paths: Iterable[PurePosixPath]) -> Covered:
        """Return the commits that brought something to ``paths`` on the way from ``since``, the newest of them."""
        if source.kind is SourceKind.DIRECTORY:
            return Covered()
        git = self._git(source)
        found = covered(git, revision, since, paths)
        return replace(found, commits=self._vouched(source, git, found.commits))

    def _vouched(self, source: Source, git: Git, commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
        """Return ``commits`` with whether a signer signed them, where one of them asks for what only that permits."""
        asking = [one.id for one in commits if any(key.lower() == PERMIT for key, _ in one.trailers)]
        if not asking or not source.signers:
            return commits
        signers = Signers(folder=self._folder(source), files=source.signers, run=self.run)
        asked = asking[:_MOST_CHECKED]
        verdicts = {id_: signers.vouch(git, id_) for id_ in asked}
        return tuple(replace(one, verified=verdicts.get(one.id)) for one in commits)

    def bring(self, source: Source, refs: Mapping[str, str]) -> None:
        """Fetch commits that no branch of the source leads to, by the ref of the remote that does.

        Raises SourceUnreachable, and RevisionRejected (HF-3013) where a ref leads to another commit than was said.
        """
        mirror = self._mirror(source, locate(source.location))
        lacking = {ref: commit for ref, commit in refs.items() if not mirror.holds(commit)}
        if not lacking:
            return
        ours = {check_ref(ref): f"{BROUGHT}{ref.removeprefix('refs/')}" for ref in lacking}
        mirror.bring(self._token(source), ours)
        for ref, commit in lacking.items():
            found = resolve(mirror.git, ours[ref])
            if found != commit and not mirror.holds(commit):
                raise RevisionRejected(
                    f"{ref} of source {source.id} leads to {found[:7] if found else 'nothing'}, not to {commit[:7]}",
                    code="HF-3013",
                    hint="it was pushed to meanwhile: it is looked at again",
                )

    def merged(self, source: Source, base: str, head: str) -> Revision:
        """Return what ``base`` would be with ``head`` merged into it. Raises RevisionRejected, SourceError."""
        git = self._git(source)
        proposed = describe(git, source.id, head)
        if proposed is None:
            raise _unknown(source, head)
        self._accepted(source, git, proposed)
        commit = merged(git, base, head)
        found = describe(git, source.id, commit)
        if found is None:
            raise _unknown(source, commit)
        # A merge of ours is nobody's to sign: what it is made of was looked at.
        return found if commit != proposed.id else self._accepted(source, git, found)

    def pin(self, source: Source, revision: str, name: str) -> None:
        """Keep a revision even when its ref moves away (``refs/holdfast/keep/<name>``)."""
        ref = f"{PINS}{check_ref(name)}"
        git = self._git(source)
        with self._lock:
            there = (git.folder / ref).exists() or (source.id, name) in self._pinned
            if not there or name != revision:
                git.tell("update-ref", ref, revision)
            self._pinned.add((source.id, name))

    def _newest(self, source: Source, mirror: Mirror) -> Revision:
        """Return what the source's ref stands for now; fetches unless the mirror has it already."""
        here = self._head(source, mirror.location)
        found = describe(mirror.git, source.id, here) if here and mirror.holds(here) else None
        if found is not None:
            return found
        mirror.fetch(self._token(source), wanted=here)
        # Another clone may fetch into the same mirror meanwhile: what this one's HEAD named is what counts.
        found = describe(mirror.git, source.id, here) if here else None
        if found is None:
            commit = resolve(mirror.git, source.ref or REMOTE_HEAD)
            found = describe(mirror.git, source.id, commit) if commit else None
        if found is None:
            raise gone(source, f"there is no {source.ref or 'HEAD'} in it")
        if is_commit(source.ref) and not (part_of_any_ref(mirror.git, found.id) or pinned(mirror.git, found.id)):
            raise RevisionRejected(
                f"commit {found.short} belongs to no branch or tag of source {source.id}",
                code="HF-3013",
                hint="name a commit of one of its branches: this one may come from a fork",
            )
        return found

    def _head(self, source: Source, location: Location) -> str:
        """Return the commit at HEAD of a repository on this machine, empty where something else is followed."""
        if location.transport is not Transport.FILE or source.ref:
            return ""
        path = location.path
        if not path.is_dir():
            raise SourceUnreachable(
                f"source {source.id}: there is no folder {path}", hint="the last good revision stays in force"
            )
        # A folder above it that happens to be a checkout is not what was meant.
        env = {**git_environment(self.outer, own=True), "GIT_CEILING_DIRECTORIES": str(path.parent)}
        argv = ["git", "rev-parse", "--verify", "--quiet", "HEAD^{commit}"]
        return self.run(argv, env=env, cwd=path, timeout=QUICK).stdout.decode().strip()

    def _object_format(self, checkout: Path) -> str:
        argv = ["git", "rev-parse", "--show-object-format"]
        found = self.run(argv, env=git_environment(self.outer, own=True), cwd=checkout, timeout=QUICK)
        return found.stdout.decode().strip()

    def _check_descent(self, source: Source, mirror: Mirror, commit: str, last: str) -> None:
        if not last or last == commit or source.allow_rewrite or is_commit(source.ref):
            return
        if not descends(mirror.git, commit, last):
            accept = "the last good revision stays in force; allow_rewrite: true accepts such a revision"
            deepen = "the clone is shallow and may only lack the commits between: git fetch --unshallow"
            raise RevisionRejected(
                f"source {source.id}: {commit[:7]} does not descend from {last[:7]}: its history was rewritten",
                code="HF-3011",
                hint=deepen if mirror.shallow else accept,
            )

    def _belongs(self, source: Source, git: Git, commit: str) -> bool:
        """Whether the source's own ref leads to a commit, or it was accepted before and pinned."""
        if not source.ref or is_commit(source.ref):
            return True
        tip = resolve(git, source.ref)
        return bool(tip and descends(git, tip, commit)) or pinned(git, commit)

    def _check_belonging(self, source: Source, git: Git, commit: str) -> None:
        if self._belongs(source, git, commit):
            return
        raise RevisionRejected(
            f"commit {commit[:7]} is not part of {source.ref} of source {source.id}",
            code="HF-3013",
            hint=f"name a commit of {source.ref}, or merge this one into it",
        )

    def _accepted(self, source: Source, git: Git, revision: Revision) -> Revision:
        if revision.tree in _EMPTY:
            raise SourceGone(
                f"source {source.id} holds no file at {revision.short}",
                code="HF-3005",
                hint="nothing is destroyed because of it; restore the files, or name another ref",
            )
        if source.verify is Verify.SIGNED:
            Signers(folder=self._folder(source), files=source.signers, run=self.run).check(git, revision.id)
            return replace(revision, verified=True)
        return revision

    def _token(self, source: Source) -> str:
        if source.app:
            try:
                return self.app_token(source)
            except ForgeError as error:
                code = "" if error.transient else "HF-3003"
                raise SourceUnreachable(f"source {source.id}: {error.message}", code=code, hint=error.hint) from error
        return self.secrets.get(source.token_secret).value if source.token_secret else ""

    def _folder(self, source: Source) -> Path:
        return self.home / "sources" / source.id

    def _mirror(self, source: Source, location: Location) -> Mirror:
        return Mirror(folder=self._folder(source), source=source, location=location, outer=self.outer, run=self.run)

    def _directory(self, source: Source) -> DirectoryMirror:
        return DirectoryMirror(
            folder=self._folder(source),
            directory=Path(source.location),
            outer=self.outer,
            run=self.run,
            tell=self.tell,
        )

    def _git(self, source: Source) -> Git:
        return Git(folder=self._folder(source) / "mirror.git", env=git_environment(self.outer), run=self.run)


def _no_commit_yet(source: Source) -> SourceGone:
    return SourceGone(
        f"source {source.id}: there is no commit in it yet",
        hint="git add -A && git commit; until then holdfast plan --dirty looks at the files as they are",
    )


def _unknown(source: Source, revision: str) -> NoSuchRevision:
    return NoSuchRevision(
        f"source {source.id} has no revision {revision}",
        hint="name a commit, a tag or a branch of it; git log shows them",
    )

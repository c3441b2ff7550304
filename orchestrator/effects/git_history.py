"""Commits and refs of a mirror: what a name stands for, what a commit says, what descends from what."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from orchestrator.effects.git import Git, last_line
from orchestrator.effects.location import is_abbreviated, is_commit
from orchestrator.errors import RevisionRejected, SourceError
from orchestrator.model.source import Revision

# %x00 cannot occur in a commit's text, %x1e and %x1f do not in practice.
_FORMAT: Final = (
    "%H%x00%T%x00%an%x00%ae%x00%at%x00%B%x00%(trailers:only=true,unfold=true,separator=%x1e,key_value_separator=%x1f)"
)
_FIELDS: Final = 7

#: Where the revisions that must not be lost are kept.
PINS: Final = "refs/holdfast/keep/"


def describe(git: Git, source: str, commit: str) -> Revision | None:
    """Return what a commit says of itself, None where the mirror does not hold it."""
    result = git.ask("log", "-1", "--encoding=UTF-8", f"--format={_FORMAT}", commit, "--")
    if result.exit_code != 0:
        return None
    fields = result.stdout.decode("utf-8", "replace").rstrip("\n").split("\0")
    if len(fields) != _FIELDS:
        raise SourceError(f"commit {commit[:12]} cannot be read", code="HF-3007")
    id_, tree, author, email, at, message, trailers = fields
    return Revision(
        source=source,
        id=id_,
        tree=tree,
        author=author,
        email=email,
        at=float(at or 0),
        message=message.rstrip("\n"),
        trailers=_trailers(trailers),
    )


def _trailers(text: str) -> dict[str, str]:
    """Read ``key␟value`` records; a key given twice has its values joined by a comma."""
    found: dict[str, str] = {}
    for record in filter(None, text.split("\x1e")):
        key, _, value = record.partition("\x1f")
        found[key.strip()] = f"{found[key.strip()]}, {value.strip()}" if key.strip() in found else value.strip()
    return found


def descends(git: Git, newer: str, older: str) -> bool:
    """Whether ``newer`` has ``older`` among its ancestors; False where ``older`` is not there at all."""
    return git.ask("merge-base", "--is-ancestor", older, newer).exit_code == 0


def lacking(git: Git, revision: str, other: str) -> int | None:
    """Return how many commits that led to ``other`` are not in ``revision``, None where one of the two is not there."""
    found = git.ask("rev-list", "--count", "--end-of-options", other, f"^{revision}")
    return int(found.stdout) if found.exit_code == 0 else None


def authors(git: Git, revision: str, since: str, paths: Iterable[PurePosixPath]) -> frozenset[str]:
    """Return the e-mails of the authors of all commits up to ``revision`` that touch ``paths``, those of ``since`` not.

    Of all of them where ``since`` is empty or unknown to the mirror. Raises SourceError.
    """
    # Where whole branches came to nothing in the end, who wrote them is asked, too.
    argv = ["log", "--full-history", "--format=%ae", "--end-of-options", revision]
    known = [f"^{since}"] if since and commit_of(git, since) else []
    text = git.tell(*argv, *known, "--", *within(paths))
    return frozenset(filter(None, text.decode("utf-8", "replace").split("\n")))


def within(paths: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """Return what limits a walk to ``paths``; nothing where one of them is the repository's own folder."""
    wanted = sorted(set(paths))
    return tuple(f":(top,literal){path}" for path in wanted) if all(path.parts for path in wanted) else ()


def part_of_any_ref(git: Git, commit: str) -> bool:
    """Whether a branch or a tag of the source leads to ``commit``."""
    found = git.ask("for-each-ref", "--count=1", "--contains", commit, "refs/heads/", "refs/tags/")
    return bool(found.stdout.strip())


def pinned(git: Git, commit: str) -> bool:
    """Whether a pin of ours names exactly ``commit``."""
    return bool(git.ask("for-each-ref", "--count=1", "--points-at", commit, PINS).stdout.strip())


def resolve(git: Git, name: str) -> str | None:
    """Return the commit that a branch, a tag or a full or abbreviated id stands for, None where nothing does.

    Raises RevisionRejected (HF-3012) where the name stands for two things.
    """
    if name.startswith("refs/"):
        return commit_of(git, name)
    named = {ref: commit_of(git, ref) for ref in (f"refs/heads/{name}", f"refs/tags/{name}")}
    found = {ref: commit for ref, commit in named.items() if commit}
    if found and is_commit(name):
        raise _ambiguous(name, f"{next(iter(found))} is named like a commit id")
    if len(found) > 1:
        raise _ambiguous(name, "there are a branch and a tag of that name")
    if found:
        return next(iter(found.values()))
    return commit_of(git, name) if is_abbreviated(name) else None


def commit_of(git: Git, name: str) -> str | None:
    """Return the commit that a name of git's own stands for. Raises RevisionRejected where it stands for two."""
    result = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if result.exit_code != 0 and b"ambiguous" in result.stderr:
        raise _ambiguous(name, last_line(result.stderr))
    return result.stdout.decode().strip() if result.exit_code == 0 else None


def _ambiguous(name: str, why: str) -> RevisionRejected:
    return RevisionRejected(
        f"ref {name!r} is ambiguous: {why}",
        code="HF-3012",
        hint="say refs/heads/… or refs/tags/…, or give the full commit id",
    )

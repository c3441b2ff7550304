"""What the commits say that a revision brings to some paths: bounded, whatever their authors wrote into them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from orchestrator.effects.git import Git
from orchestrator.effects.git_history import commit_of, within
from orchestrator.errors import SourceError
from orchestrator.model.commit import Commit, Covered

#: So many commits are read of however many there are, the newest.
MOST: Final = 200
#: Bytes of a commit whose message is read. Nobody writes so much by hand.
LONGEST: Final = 65_536

_FORMAT: Final = (
    "%H%x00%P%x00%an%x00%ae%x00%at%x00%ct%x00%B%x00"
    "%(trailers:only=true,unfold=true,separator=%x1e,key_value_separator=%x1f)"
)
_FIELDS: Final = 8
#: A merge is among them only where it brought what it shows: then its message names the pull request.
_WALK: Final = ("rev-list", "--full-history", "--show-pulls")


def covered(git: Git, revision: str, since: str, paths: Iterable[PurePosixPath]) -> Covered:
    """Return the commits on the way from ``since`` to ``revision`` that touch ``paths``.

    Where ``since`` is empty or not at hand nobody can tell which of all there are belong to it: then those that the
    last change brought, be it one commit or a merge of many. Raises SourceError.
    """
    limits = within(paths)
    whole = bool(since and commit_of(git, since))
    if whole:
        ids = _listed(git.tell(*_WALK, "--end-of-options", revision, f"^{since}", "--", *limits))
    else:
        ids = _last_change(git, revision, limits)
    return Covered(commits=_read(git, ids[:MOST]), count=len(ids), whole=whole)


def _last_change(git: Git, revision: str, limits: Sequence[str]) -> list[str]:
    argv = ("rev-list", "--first-parent", "--max-count=1", "--end-of-options", revision, "--", *limits)
    newest = _listed(git.tell(*argv))
    before = commit_of(git, f"{newest[0]}^1") if newest else None
    if before is None:
        return newest
    return _listed(git.tell(*_WALK, "--end-of-options", newest[0], f"^{before}", "--", *limits))


def _listed(output: bytes) -> list[str]:
    return output.decode("ascii", "replace").split()


def _read(git: Git, ids: Sequence[str]) -> tuple[Commit, ...]:
    """Return what commits say; of one that is too long only that it is."""
    asked = "".join(f"{id_}\n" for id_ in ids).encode()
    sizes = git.tell("cat-file", "--batch-check=%(objectsize)", stdin=asked).decode("ascii", "replace").splitlines()
    if len(sizes) != len(ids) or not all(map(str.isdecimal, sizes)):
        raise _unreadable()
    long = {id_: int(size) for id_, size in zip(ids, sizes, strict=True) if int(size) > LONGEST}
    short = "".join(f"{id_}\n" for id_ in ids if id_ not in long).encode()
    argv = ("log", "--no-walk=unsorted", "--stdin", "-z", "--encoding=UTF-8", f"--format={_FORMAT}")
    fields = git.tell(*argv, stdin=short).decode("utf-8", "replace").split("\0")[:-1] if short else []
    if len(fields) % _FIELDS:
        raise _unreadable()
    found = {one.id: one for one in map(_made, zip(*[iter(fields)] * _FIELDS, strict=True))}
    return tuple(found[id_] if id_ in found else Commit(id=id_, too_long=long.get(id_, 0)) for id_ in ids)


def _made(fields: tuple[str, ...]) -> Commit:
    id_, parents, author, email, written, committed, message, trailers = fields
    return Commit(
        id=id_.strip(),
        author=author,
        email=email,
        written_at=float(written or 0),
        committed_at=float(committed or 0),
        message=message.rstrip("\n"),
        trailers=tuple(map(_pair, filter(None, trailers.split("\x1e")))),
        parents=len(parents.split()),
    )


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("\x1f")
    return key.strip(), value.strip()


def _unreadable() -> SourceError:
    return SourceError("what the commits say cannot be read", code="HF-3007")

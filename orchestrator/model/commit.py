"""Commits as a source knows them: what one says of itself, and those that an apply brings with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit. What it says is its author's word and nobody else's."""

    id: str
    author: str = ""
    email: str = ""
    #: Author's and committer's time, seconds since the epoch: they differ where it was rebased, squashed or amended.
    written_at: float = 0.0
    committed_at: float = 0.0
    #: Empty where it was not read.
    message: str = ""
    #: As git reads them, in order; a key may come more than once.
    trailers: tuple[tuple[str, str], ...] = ()
    #: How many commits it follows: more than one for a merge.
    parents: int = 1
    #: Bytes of the whole commit where that is more than anybody wrote by hand, and its message was not read.
    too_long: int = 0
    #: Whether one of the source's signers signed it; None where nobody looked.
    verified: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """The commits on the way from one revision to another that touch some paths."""

    #: The newest of them, the newest first.
    commits: tuple[Commit, ...] = ()
    #: How many there are.
    count: int = 0
    #: Whether the earlier revision was at hand. Where it was not, these are what the last change brought.
    whole: bool = True

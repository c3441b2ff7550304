"""Why an apply was made: what its commits, its pull request and people said of it. Kept with the attempt, for reports.

Trailers are somebody's word and taken as such; what is only read out of a subject is a hint and says that it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Purpose(StrEnum):
    """What a change is for, in the words of the trailer ``Deploy-Intent``."""

    ROUTINE = "routine"
    HOTFIX = "hotfix"
    ROLLBACK = "rollback"


class Basis(StrEnum):
    """How a purpose is known; the surest last."""

    #: Nobody says anything: it is taken for routine.
    SILENCE = "silence"
    #: Read out of a subject (``revert: …``, ``hotfix: …``).
    HINT = "hint"
    #: It goes back to a revision that the applied one contains.
    HISTORY = "history"
    #: The trailer of a commit says so.
    TRAILER = "trailer"
    #: Somebody ran ``holdfast rollback``.
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody whom a commit names. A claim of its author: it stands for nobody's yes."""

    #: ``co-authored``, ``reviewed`` or ``signed-off``.
    role: str
    #: ``Bob <bob@example.org>``.
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An issue that a commit speaks of."""

    #: ``#12``, ``owner/repo#12``, a URL, or ``ABC-12``.
    ref: str
    #: Whether it says that the issue is done with: ``Fixes``, ``Closes``, ``Resolves``.
    closes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A one-time permit that a commit asks for: ``Holdfast-Allow: destroy(prod/network)``. Nothing acts on it."""

    act: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitNote:
    """What one commit says of why it was made. Texts are cut to length and hold no control characters."""

    id: str
    author: str = ""
    email: str = ""
    #: Committer's time, and the author's where it is another one; seconds since the epoch.
    committed_at: float = 0.0
    written_at: float = 0.0
    subject: str = ""
    merge: bool = False
    #: Of a subject in the form of Conventional Commits 1.0: ``fix``, and ``api`` of ``fix(api): …``.
    type: str = ""
    scope: str = ""
    breaking: bool = False
    #: Commits that it says it takes back.
    reverts: tuple[str, ...] = ()
    #: None where it says nothing of that; ``stated`` where its trailer does, and else it is a hint.
    purpose: Purpose | None = None
    stated: bool = False
    #: What else stands in ``Deploy-Intent``.
    strange: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    permits: tuple[Permit, ...] = ()
    people: tuple[Named, ...] = ()
    links: tuple[Link, ...] = ()
    #: Number of the pull request that its words name, 0 where they name none. A hint.
    pull: int = 0
    #: Whether one of the source's signers signed it; None where nobody looked.
    verified: bool | None = None
    #: Why not everything that it says was read; empty where all was.
    unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullNote:
    """The pull request that brought a change."""

    number: int
    title: str = ""
    url: str = ""
    #: Logins at the forge.
    author: str = ""
    approvers: tuple[str, ...] = ()
    #: Seconds since the epoch, 0 where nobody knows.
    merged_at: float = 0.0
    #: The commits that it proposed and that it became; empty where only a commit's words name it.
    head: str = ""
    merged_as: str = ""

    @property
    def known(self) -> bool:
        """Whether the forge says so, and not only a commit's words."""
        return bool(self.head or self.merged_as)


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNote:
    """Somebody's yes to exactly what was applied."""

    by: str
    at: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Why one apply was made."""

    revision: str
    #: The revision that was applied before, empty where none was.
    since: str = ""
    #: Whether ``since`` was at hand; where not, the commits are those of the last change alone.
    whole: bool = True
    #: The newest commits that it brought and that touch what the stack reads, the newest first, and how many there are.
    commits: tuple[CommitNote, ...] = ()
    count: int = 0
    #: Commits of ``since`` that ``revision`` has not: it takes them back.
    undone: int = 0
    purpose: Purpose = Purpose.ROUTINE
    basis: Basis = Basis.SILENCE
    #: Whether it puts back drift.
    repairs: bool = False
    pulls: tuple[PullNote, ...] = ()
    approvals: tuple[YesNote, ...] = ()
    by: str = ""
    #: What the run was asked for, and how: ``apply`` by ``cli``.
    verb: str = ""
    trigger: str = ""
    #: Why the commits could not be read; empty where they were.
    unread: str = ""

    @property
    def incidents(self) -> tuple[str, ...]:
        """Every incident that its commits name."""
        return tuple(dict.fromkeys(one for note in self.commits for one in note.incidents))

    @property
    def runbooks(self) -> tuple[str, ...]:
        """Every runbook that its commits name."""
        return tuple(dict.fromkeys(one for note in self.commits for one in note.runbooks))

    @property
    def strange(self) -> tuple[str, ...]:
        """Words of ``Deploy-Intent`` that mean nothing here."""
        return tuple(dict.fromkeys(one for note in self.commits for one in note.strange))

    @property
    def links(self) -> tuple[Link, ...]:
        """Every issue once; closed where one of the commits says so."""
        found: dict[str, Link] = {}
        for link in (link for note in self.commits for link in note.links):
            if link.ref not in found or link.closes:
                found[link.ref] = link
        return tuple(found.values())

    @property
    def authors(self) -> tuple[str, ...]:
        """E-mails of who wrote the commits; merges are nobody's work."""
        return tuple(dict.fromkeys(note.email for note in self.commits if note.email and not note.merge))

    def counts(self, note: CommitNote) -> bool:
        """Whether a permit of a commit may count: a signer signed it, or people approved of exactly it at the forge.

        What a merge or a squash says was written after they approved.
        """
        approved = {pull.head for pull in self.pulls if pull.approvers and pull.head}
        return bool(note.verified) or note.id in approved


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """Why an attempt was made, as it was known when it began. Written together with its start."""

    attempt: int
    #: The run that it belongs to.
    run: int
    intent: Intent
    kind: Literal["intended"] = "intended"

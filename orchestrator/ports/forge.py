"""Where pull requests live: GitHub, GitLab, Gitea or Forgejo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.model.pull import Candidate, Pull, Remark
from orchestrator.model.verdict import Check, CheckConclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeTraits:
    """What a forge can do."""

    #: Whether it knows check runs with annotations and buttons; where not, a check is told as a commit status.
    checks: bool
    #: The longest comment, in characters.
    comment_limit: int


class Forge(Protocol):
    """One repository at its forge, spoken to with the source's own rights.

    Every call is bounded in time and in tries. Raises ForgeError: HF-4700 where it says what cannot be meant, HF-4702
    where it does not let us, HF-4704 where what was asked for is not there; and as ForgeAway HF-4701 where it does not
    answer, HF-4703 where it has us wait (with ``until``, before which it is not asked). What ended in ForgeAway may
    have been done: to say it again does no more.
    """

    @property
    def traits(self) -> ForgeTraits:
        """What it can do."""
        ...

    def pulls(self, base: str) -> tuple[Pull, ...]:
        """Return every open pull request into the branch ``base``, by number."""
        ...

    def pull(self, number: int) -> Pull:
        """Return one, open or not."""
        ...

    def remarks(self, since: float) -> tuple[Remark, ...]:
        """Return what was written or changed below any pull request from ``since`` on, by when it was changed.

        ``since`` is in seconds since the epoch: the greatest ``changed_at`` of the last look, which is then seen again.
        What begins with `pull.MARK` is our own and is left out. Of very much, the rest comes with the next look.
        """
        ...

    def approvers(self, number: int, head: str) -> tuple[str, ...]:
        """Return the logins of who approves of a pull request at the forge itself, for exactly this commit, sorted."""
        ...

    def candidates(self, base: str) -> tuple[Candidate, ...]:
        """Return what the merge queue of a branch tries out now; nothing where the forge has no queue."""
        ...

    def say(self, number: int, body: str, *, marker: str, known: str = "") -> str:
        """Put the one comment that begins with ``marker``, itself a `pull.MARK` and more, there; returns its id.

        ``known`` is the id that it had last time: it is changed in place. Where it is gone, or none is known, a comment
        of our own with the marker is looked for, and a new one is written where there is none. Raises ForgeError
        (HF-4706), before anything is sent, where it is longer than ``traits.comment_limit``.
        """
        ...

    def check(self, head: str, check: Check, *, known: str = "") -> str:
        """Put a check on a commit, the one of id ``known`` anew where that is told; returns its id.

        A forge that has no checks is told of a commit status of the same name, and ``known`` is returned. What is too
        long is cut, annotations at the hundredth and buttons at the third.
        """
        ...

    def status(self, head: str, *, name: str, conclusion: CheckConclusion, title: str, url: str) -> None:
        """Set the commit status ``name``, which branch protection can ask for."""
        ...

    def thumb(self, remark: Remark) -> None:
        """Show whoever wrote ``remark`` that it was read: a reaction, where the forge has those."""
        ...


class Forges(Protocol):
    """The forge of each source that has one."""

    def of(self, source: str) -> Forge | None:
        """Return it, None where the operator names none. Raises ForgeError where its credentials cannot be had."""
        ...

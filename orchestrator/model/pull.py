"""A pull request as its forge knows it, and what people write below it. GitLab calls it a merge request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_TRACK: Final = "pull/"

#: What every comment of ours begins with, and each marker: our own words are never read as somebody's.
MARK: Final = "<!-- holdfast:"


class PullState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One pull request. Logins are those of the forge: what they may do here, the operator says."""

    number: int
    title: str = ""
    #: The page that people open.
    url: str = ""
    #: Login of who opened it.
    author: str = ""
    #: Branch that it asks to be merged into.
    base: str = ""
    #: Commit id that it proposes, and the branch that this is the tip of.
    head: str = ""
    branch: str = ""
    #: Full name of the ref at the repository itself that leads to ``head``: what a fork proposes has no branch there.
    ref: str = ""
    #: Whether its commits lie in somebody else's repository: a fork.
    fork: bool = False
    draft: bool = False
    state: PullState = PullState.OPEN
    #: The commit that it became on its base, empty until it is merged.
    merged_as: str = ""
    #: When that was, seconds since the epoch; 0 where nobody knows.
    merged_at: float = 0.0
    #: Logins of who approved of exactly ``head`` at the forge; asked once it is merged.
    approvers: tuple[str, ...] = ()

    @property
    def track(self) -> str:
        """The track that follows it: proposals and yeses are kept per track."""
        return track_of(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody wrote below a pull request."""

    #: The forge's own id of it.
    id: str
    pull: int
    #: Login of who wrote it.
    by: str
    text: str
    #: Seconds since the epoch at which it was written.
    at: float
    #: When it was last changed, in seconds since the epoch: where the next look begins.
    changed_at: float = 0.0
    #: Whether it was changed after it was written: the words are perhaps not those of ``by``.
    edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a merge queue tries out: pull requests put together on top of their base."""

    #: Commit id that checks are to be reported on.
    head: str
    #: Full name of the queue's own ref.
    ref: str
    #: The pull request that it was made for, 0 where the name does not tell.
    pull: int = 0


def track_of(number: int) -> str:
    """Return the track that follows a pull request."""
    return f"{_TRACK}{number}"


def number_of(track: str) -> int:
    """Return the pull request that a track follows, 0 where it follows none."""
    rest = track.removeprefix(_TRACK)
    return int(rest) if rest != track and rest.isdecimal() else 0

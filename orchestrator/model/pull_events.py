"""What can happen to the pull requests of a source. On a stream of their own, one for all of a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.model.pull import Pull


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSeen:
    """A pull request is not as it was when it was last looked at: it is new, was pushed to, merged, closed."""

    pull: Pull
    kind: Literal["pull_seen"] = "pull_seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullTrusted:
    """Somebody with the right to plan says that exactly this commit of a fork may run here."""

    pull: int
    commit: str
    by: str
    kind: Literal["pull_trusted"] = "pull_trusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullHeard:
    """A command below a pull request was read, and this is what came of it: that it was ignored, too."""

    pull: int
    #: The forge's id of the remark, by which it is never heard twice.
    remark: str
    #: When it was written, seconds since the epoch.
    written_at: float
    login: str
    #: Who that is here; empty where the operator says of nobody.
    person: str
    verb: str
    #: Full keys of the stacks that it was about.
    stacks: tuple[str, ...]
    #: Whether it was done.
    done: bool
    #: What came of it, in a sentence.
    outcome: str
    kind: Literal["pull_heard"] = "pull_heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed:
    """Somebody pressed a button of a check, as the forge's signed word says: no list of the forge tells of it later."""

    #: The forge's name of the delivery, by which it is never done twice.
    delivery: str
    #: The commit that the check is on.
    head: str
    login: str
    #: Which button: ``apply``, ``replan``, ``discard``.
    button: str
    kind: Literal["button_pressed"] = "button_pressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullEnded:
    """Nothing more is to be done or said about a pull request."""

    pull: int
    kind: Literal["pull_ended"] = "pull_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackEnded:
    """A track of a stack is over, its proposal and yeses with it. On the stack's own stream."""

    track: str
    kind: Literal["track_ended"] = "track_ended"

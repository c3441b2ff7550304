"""What is said of a change to whoever reviews it: checks, annotations, buttons. Values, no forge's own words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckConclusion(StrEnum):
    """How a check ended. GitHub's words; the other forges' are poorer."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    #: A person is asked for something.
    ACTION_REQUIRED = "action_required"
    NEUTRAL = "neutral"


class Severity(StrEnum):
    """How bad an annotation is; in this order they are shown."""

    FAILURE = "failure"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One thing to say about one line of a file."""

    severity: Severity
    title: str
    message: str
    #: From the repository's root; empty where it is about no file.
    file: str = ""
    #: From 1; 0 where it is about no line.
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One thing that a reader of a check can have done. At GitHub 20, 40 and 20 characters, three at most."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a commit."""

    #: ``holdfast / prod``.
    name: str
    conclusion: CheckConclusion
    title: str
    #: Markdown, 65,535 characters at most.
    summary: str
    url: str = ""
    annotations: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """The one word on a commit that the protection of a branch can ask for."""

    name: str
    #: Pending, success or failure.
    conclusion: CheckConclusion
    #: 140 characters at most.
    title: str

"""What is known of a change that people review: each stack that it touches, and how it fares.

Readers of the record make one; comments, checks, summaries and annotations are drawn from it, and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.contract import Plan, Problem
from orchestrator.model.observed import Proposal
from orchestrator.model.pull import Pull
from orchestrator.model.stack import StackKey


class Fare(StrEnum):
    """How one stack of a change fares."""

    #: Its plan is not made yet.
    PLANNING = "planning"
    #: It would change something; ``why`` says what it waits for, where it waits.
    PLANNED = "planned"
    #: A plan that would change nothing.
    EMPTY = "empty"
    #: It waits for the output of another stack, which this change alters too: no plan is invented.
    DEFERRED = "deferred"
    #: Another pull request has it.
    QUEUED = "queued"
    #: Nobody with the right has said yet that this commit may run here.
    UNTRUSTED = "untrusted"
    #: A rule forbids it: a gate, a limit, a window.
    DENIED = "denied"
    FAILED = "failed"
    APPLYING = "applying"
    APPLIED = "applied"
    #: An attempt of it ended, and nobody knows how.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stack of a change."""

    key: StackKey
    tool: str
    fare: Fare
    #: One sentence, without a secret: what it waits for, why it failed.
    why: str = ""
    #: The error's code where it failed or was denied, ``HF-2003``.
    code: str = ""
    proposal: Proposal | None = None
    #: The plan as people may see it: masked. None where there is none.
    plan: Plan | None = None
    #: Page of its plan, empty where nobody serves one.
    url: str = ""
    #: Folder of the stack from the repository's root.
    path: str = ""
    problems: tuple[Problem, ...] = ()
    #: Who said yes to exactly this proposal.
    approved_by: tuple[str, ...] = ()
    #: Whose yes is still asked for, in words that go on a sentence: ``1 approval from platform``. Empty for nobody's.
    asks: str = ""
    #: Whether the yes of an earlier commit does not hold any more: what it would do has changed.
    voided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an edit of stacks.yaml changes in effect, of one stack."""

    key: StackKey
    #: ``apply``, ``approvals.required``, ``path``, ...; empty where a whole stack comes (no ``before``) or goes.
    setting: str
    before: str
    after: str
    where: str = ""
    #: Whether it takes effect: policy is the protected branch's until the change is merged.
    only_after_merge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a command that somebody wrote below a pull request."""

    login: str
    #: The command as we read it: ``approve web@prod``.
    command: str
    done: bool
    outcome: str
    #: When it was written, seconds since the epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A change with all its stacks."""

    #: None where it is no pull request: a push, a schedule, a person's own look.
    pull: Pull | None
    #: The commit that was planned.
    revision: str
    #: Upstreams first.
    parts: tuple[Part, ...] = ()
    edits: tuple[Edit, ...] = ()
    #: What is wrong with the change as a whole: its configuration cannot be read, it conflicts. With its code.
    trouble: str = ""
    code: str = ""
    problems: tuple[Problem, ...] = ()
    run: int = 0
    #: Runs that planned it before, newest first.
    earlier: tuple[int, ...] = ()
    #: Seconds since the epoch; 0 while it is planned.
    planned_at: float = 0.0
    took_s: float = 0.0
    #: How a run's page is called, with ``{run}`` in it; empty where nobody serves one.
    run_url: str = ""
    #: Whether what happened before can be known here: without a lasting record it cannot.
    history_known: bool = True
    #: ``merge`` or ``comment``: what has it applied. What is shown to people follows it: commands, buttons, the status.
    apply_on: str = "merge"
    #: What came of the last commands, oldest first.
    answers: tuple[Answer, ...] = ()

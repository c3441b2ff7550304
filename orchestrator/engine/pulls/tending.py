"""Works a stack on the track of a pull request: plans it, and applies nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.books import Books
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.resting import rest_of
from orchestrator.engine.survey import Survey
from orchestrator.engine.work import VANISHED, Limits, Worker
from orchestrator.model.action import Action, Rest
from orchestrator.model.policy import Mode
from orchestrator.model.pull import PullState, number_of
from orchestrator.model.stack import StackKey
from orchestrator.ports import Due, Run
from orchestrator.rules.pace import again_of_a_pull

#: Nothing of a pull request is applied from its own track, whatever policy says, and drift is the base's affair.
LIMITS = Limits(mode=Mode.OBSERVE, drift=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of working one stack of a pull request."""

    next: Due
    rest: Rest | None = None
    did: tuple[Action, ...] = ()


def tend(
    post: Post,
    due: Due,
    base: Reading,
    books: Books,
    proposed: Proposed,
    settle: Callable[[Reading, StackKey], tuple[Rest, tuple[Action, ...]]],
) -> Tried:
    """Work what is due on a pull request's track to rest; ``settle`` opens the run and does the work.

    Raises OrchestratorError, AdapterError.
    """
    key = StackKey.parse(due.stack)
    one = books.read(post.source.id).pulls.get(number_of(due.track))
    never = replace(due, at=float("inf"), why="the pull request is over")
    if one is None or one.pull.state is not PullState.OPEN:
        return Tried(next=never)
    if not one.may_run:
        return Tried(next=replace(never, why="nobody has let this commit of a fork be planned"))
    reading = proposed.read(post.outside, post.source, base, one.pull).reading
    if key not in reading.touched or key not in reading.layout.stacks:
        return Tried(next=replace(never, why="the pull request does not touch it"))
    now, survey = post.outside.clock.now(), Survey(post.outside, reading)
    asked = survey.look(key)
    did: tuple[Action, ...] = ()
    rest = rest_of(asked, now, LIMITS.allow(asked.stack.policy)) if asked else VANISHED
    survey.keep()
    if rest is None:
        rest, did = settle(reading, key)
    at, priority = again_of_a_pull(due.stack, rest, now)
    return Tried(next=replace(due, at=at, priority=priority, why=rest.why), rest=rest, did=did)


def worker(post: Post, reading: Reading, run: Run, cancelled: Callable[[], bool]) -> Worker:
    """Return who works the stacks of a pull request."""
    return Worker(post.outside, reading, run, limits=LIMITS, cancelled=cancelled)

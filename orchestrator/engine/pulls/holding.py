"""Applies before the merge: a stack is held at what the merge would make, until the pull request is merged or closed.

The loop of the source's own ref does the rest. It takes over the plan that was approved, applies it, looks for drift at
it, and goes on with its own ref once the hold is gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.acts.holds import Holding, Target
from orchestrator.engine.acts.words import NO_RUN, append, nudge
from orchestrator.engine.merges import note_merge
from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.model.event import Event, Released
from orchestrator.model.observed import HoldKind, State
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.stack import StackKey


def because(pull: Pull) -> str:
    """Return the reason that a hold of a pull request bears; by it the hold is known."""
    return f"pull request #{pull.number} is applied before it is merged"


def hold(post: Post, pull: Pull, reading: Reading, keys: Iterable[StackKey], caller: Caller) -> None:
    """Hold stacks at what ``pull`` would make of them. Raises Conflict, SourceError."""
    target = Target(kind=HoldKind.REVISION, revision=reading.revision.id, reason=because(pull))
    holding = Holding(outside=post.outside, source=post.source, caller=caller, targets=dict.fromkeys(keys, target))
    for key in holding.targets:
        note_merge(post.outside, key, reading, ref=pull.ref, head=pull.head)
    holding.hold()
    for key in holding.targets:
        nudge(post.outside, key, target.reason)


def release(post: Post, pull: Pull, keys: Iterable[StackKey]) -> None:
    """Let every stack follow its source again that ``pull`` holds. Raises Conflict."""
    reason = "it is merged" if pull.state is PullState.MERGED else "it was closed and not merged"

    def released(_: State) -> Event:
        return Released(by=f"pull request #{pull.number}", reason=reason)

    for key in sorted(keys):
        if held_by(pull, post.outside.record.row(str(key)).state):
            append(post.outside, key, released, run=NO_RUN)
            nudge(post.outside, key, reason)


def held_by(pull: Pull, state: State) -> bool:
    """Whether a stack is held for a pull request."""
    return state.hold is not None and state.hold.reason == because(pull)

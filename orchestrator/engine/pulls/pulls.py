"""All that is done about the pull requests of one source, in one place for the loops of the service."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.books import Books
from orchestrator.engine.pulls.desk import Desk
from orchestrator.engine.pulls.looking import Looked, PullWatcher
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.pulls.telling import Teller
from orchestrator.engine.pulls.tending import Tried, tend
from orchestrator.model.action import Action, Rest
from orchestrator.model.pull import PullState
from orchestrator.model.stack import StackKey
from orchestrator.ports import Due


class Pulls:
    """The pull requests of one source. Looks and words are for one thread at a time, work for any number."""

    def __init__(self, post: Post, desk: Desk) -> None:
        """Nothing is known yet."""
        self.post = post
        self._books, self._proposed = Books(post.outside.record), Proposed()
        self._watcher = PullWatcher(post, desk, self._books, self._proposed)
        self._teller = Teller(post, desk, self._books, self._proposed)

    def look(self, base: Reading) -> Looked:
        """Ask the forge what has become of them."""
        return self._watcher.look(base)

    def tell(self, base: Reading) -> float | None:
        """Tell reviewers what is new; returns when to do so next, None where a nudge will say. Raises ForgeError."""
        return self._teller.tell(base)

    def tend(
        self, due: Due, base: Reading, settle: Callable[[Reading, StackKey], tuple[Rest, tuple[Action, ...]]]
    ) -> Tried:
        """Work one stack of one of them. Raises OrchestratorError, AdapterError."""
        return tend(self.post, due, base, self._books, self._proposed, settle)

    def concerned(self, key: StackKey) -> bool:
        """Whether reviewers wait to hear what becomes of a stack on the source's own track."""
        pulls = self._books.read(self.post.source.id).pulls.values()
        return any(one.pull.state is not PullState.OPEN or str(key) in one.wished for one in pulls)

"""Asks the forge of one source what has become of its pull requests, and what people wrote below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.books import Books
from orchestrator.engine.pulls.desk import LOOK, TELL, Desk, row_of_pulls
from orchestrator.engine.pulls.hearing import Hearing
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.pulls.queueing import note_queue
from orchestrator.errors import ForgeError
from orchestrator.model.event import Event
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.pull_events import PullSeen
from orchestrator.ports import Due
from orchestrator.rules.pace import PLAN, jittered

#: What was written so long before the last look is read once more: clocks differ, and lists lag behind.
_AGAIN_S: Final = 300.0
#: The longest wait after looks that came to nothing, in seconds.
_MOST_S: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of one look at a forge."""

    #: When to look again, seconds since the epoch.
    at: float
    open: int = 0
    #: Pull requests that are not as they were, and commands that were heard.
    moved: int = 0
    heard: int = 0
    code: str = ""
    message: str = ""


class PullWatcher:
    """Follows the pull requests of one source for the service."""

    def __init__(self, post: Post, desk: Desk, books: Books, proposed: Proposed) -> None:
        """Nothing is asked yet."""
        self.post = post
        self._desk = desk
        self._books = books
        self._hearing = Hearing(post, desk, books, proposed)
        self._failures = 0
        #: What came of the last look at a forge that has us wait.
        self._silent = Looked(at=0.0)
        #: Until when all that was written is known here.
        self._read_until = 0.0

    def look(self, base: Reading) -> Looked:
        """Look once; ``base`` is the newest reading of the source. What is wrong with the forge is no error here."""
        outside, source = self.post.outside, self.post.source.id
        now = outside.clock.now()
        if now < self._silent.at:
            return self._silent
        try:
            open_ = self._desk.forge.pulls(self._desk.base)
            changes = list(self._changes(open_))
            self._books.write(source, changes)
            note_queue(self.post, self._desk.forge.candidates(self._desk.base))
            heard, last = self._hearing.hear(base, self._since(now))
        except ForgeError as error:
            self._failures += 1
            wait = min(_MOST_S, self._desk.every_s * 2.0 ** min(self._failures - 1, 10))
            at = max(error.until, now + jittered(wait, f"{source} {now}"))
            # A knock is no reason to ask a forge that has said when it may be asked.
            looked = Looked(at=at, code=error.code, message=error.message)
            self._silent = looked if error.until else self._silent
            return looked
        self._failures, self._read_until = 0, min(last or now, now)
        outside.agenda.nudge(
            Due(stack=row_of_pulls(source), track=TELL, at=now, why="the forge was asked", priority=PLAN)
        )
        return Looked(
            at=now + jittered(self._desk.every_s, f"{source} {now}"),
            open=len(open_),
            moved=len(changes),
            heard=heard,
        )

    def _since(self, now: float) -> float:
        """Return from when on remarks are read: what was written while nobody looked is not lost."""
        book = self._books.read(self.post.source.id)
        known = [one.since for one in book.pulls.values()]
        # Of what another host has heard since we looked last nothing is heard again, however long ago that is.
        return (max(self._read_until, book.heard_until) or min(known, default=now)) - _AGAIN_S

    def _changes(self, open_: tuple[Pull, ...]) -> Iterator[Event]:
        """Yield what is not as it was in the book."""
        book = self._books.read(self.post.source.id)
        for pull in open_:
            known = book.pulls.get(pull.number)
            if known is None or known.pull != pull:
                yield PullSeen(pull=pull)
        there = {pull.number for pull in open_}
        for number, one in sorted(book.pulls.items()):
            if number not in there and one.pull.state is PullState.OPEN:
                yield PullSeen(pull=self._gone(one.pull))

    def _gone(self, pull: Pull) -> Pull:
        """Return what became of a pull request that is open no more, or asks to be merged elsewhere now."""
        try:
            found = self._desk.forge.pull(pull.number)
        except ForgeError as error:
            if error.code != "HF-4704":
                raise
            return replace(pull, state=PullState.CLOSED)
        if found.state is PullState.MERGED:
            # Nobody's yes at the forge changes any more, and whoever asks later why it was applied finds it here.
            return replace(found, approvers=self._approvers(found))
        elsewhere = found.state is PullState.OPEN
        # Nothing of it is for this source any more.
        return replace(found, state=PullState.CLOSED) if elsewhere else found

    def _approvers(self, pull: Pull) -> tuple[str, ...]:
        try:
            return self._desk.forge.approvers(pull.number, pull.head)
        except ForgeError as error:
            # What the forge does not let us know we say nothing of; what it cannot tell now is asked again.
            if error.code not in {"HF-4702", "HF-4704"}:
                raise
            return ()


def due_of_pulls(source: str, at: float, why: str) -> Due:
    """Return the row that has a source's forge asked at ``at`` (seconds since the epoch)."""
    return Due(stack=row_of_pulls(source), track=LOOK, at=at, why=why, priority=0)

"""The service's one loop: takes what is due from the agenda and has it worked, as much at once as is allowed.

Nothing here decides what is done to a stack, and nothing waits for one: a source that hangs or a tool that takes
hours costs its own place and no other's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.engine.post import LOOKING, Post, Posts, row_of, source_of
from orchestrator.engine.pulls.desk import source_of_pulls
from orchestrator.engine.pulls.looking import due_of_pulls
from orchestrator.engine.pulls.rounds import see_to
from orchestrator.engine.tending import Halt, Tended, Tender
from orchestrator.engine.watching import Sight, Watcher
from orchestrator.errors import OrchestratorError
from orchestrator.model.action import Action
from orchestrator.model.stack import StackKey
from orchestrator.model.workers import Workers
from orchestrator.ports import Agenda, Clock, Due, Journal, Level
from orchestrator.rules.limits import admits
from orchestrator.rules.pace import ALONE_S, WHY_POISON, is_poison

#: The longest that the loop waits before it shows that it is alive, in seconds.
_BEAT_S: Final = 1.0
#: The wait after the agenda itself could not be reached, in seconds.
_DEAF_S: Final = 1.0
#: How long at most something due waits for a place before it is looked whether there is one, in seconds.
_PLACE_S: Final = 0.2
#: So many sources are looked at side by side.
_WATCHERS: Final = 4
#: Seconds that what is stopped gets to end in, once applies were interrupted.
LAST_S: Final = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """One thing that is being worked on."""

    due: Due
    since: float
    run: int = 0
    #: What is being done about it, ``look`` before anything is.
    doing: str = "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the loop fares."""

    #: Seconds since the epoch at which it last went round.
    at: float
    working: tuple[Working, ...]
    #: Whether the agenda could be reached then.
    hears: bool
    draining: bool = False


class Dispatch:
    """Runs the loop. Made once for the life of the process."""

    def __init__(self, posts: Posts, agenda: Agenda, clock: Clock, journal: Journal) -> None:
        """``agenda`` is every post's."""
        self._posts, self._agenda, self._clock, self._journal = posts, agenda, clock, journal
        self._lock = threading.Lock()
        self._freed = threading.Event()
        self._gone = threading.Event()
        self._working: dict[str, Working] = {}
        self._watchers: dict[str, Watcher] = {}
        self._hears = True
        self._draining = False
        #: Whether something that is due was refused a place since the last round began.
        self._refused = False
        self._round_at = clock.now()
        self.workers = Workers()

    @property
    def pulse(self) -> Pulse:
        """How the loop fares now."""
        with self._lock:
            working = tuple(self._working.values())
        return Pulse(at=self._round_at, working=working, hears=self._hears, draining=self._draining)

    def notice(self, key: StackKey, action: Action, run: int) -> None:
        """Take note of what is being done about a stack."""
        with self._lock:
            name = str(key)
            if name in self._working:
                self._working[name] = replace(self._working[name], run=run, doing=type(action).__name__)
        self._journal.say(Level.INFO, "doing", stack=key.short, source=key.source, run=run, why=action.why)

    def nudge(self, source: str, why: str) -> None:
        """Have a source looked at now. Raises OrchestratorError."""
        self._agenda.nudge(Due(stack=row_of(source), track="", at=self._clock.now(), why=why, priority=0))

    def begin(self) -> None:
        """Have every source looked at now. Raises OrchestratorError."""
        now = self._clock.now()
        posts = self._posts.every()
        self._agenda.nudge(
            *(Due(stack=row_of(post.source.id), track="", at=now, why="the service began") for post in posts),
            *(due_of_pulls(post.source.id, now, "the service began") for post in posts if post.desk),
        )

    def run(self, tender: Tender, stopping: threading.Event, beat: Callable[[], None]) -> None:
        """Work until ``stopping`` is set. ``beat`` is called each time round, at least once a second or so."""
        while not stopping.is_set():
            self._round_at = self._clock.now()
            beat()
            sources, stacks = self._split()
            # With a place for no stack, thousands of them that are due are not looked through again and again.
            crowded = len(stacks) >= self.workers.count
            if crowded and len(sources) >= _WATCHERS:
                self._freed.wait(_BEAT_S)
                self._freed.clear()
                continue
            self._refused = crowded
            self._see_to_left(tender)
            try:
                due = self._agenda.take(self._clock.now(), self._admits, within=LOOKING if crowded else "")
                self._hears = True
            except OrchestratorError as error:
                if self._hears:
                    self._journal.say(Level.ERROR, "the agenda cannot be reached", code=error.code, why=error.message)
                self._hears = False
                stopping.wait(_DEAF_S)
                continue
            if due is not None:
                self._start(due, tender)
            elif self._refused:
                # Something is due and has to wait for a place: the agenda would say so again and again.
                self._freed.wait(_PLACE_S)
                self._freed.clear()
            else:
                self._agenda.wait(_BEAT_S)

    def _see_to_left(self, tender: Tender) -> None:
        """Begin with what only this host can see to, beside what the agenda hands out."""
        for due in tender.left(self._clock.now()):
            if self._admits(due):
                self._start(due, tender)

    def drain(self, halt: Halt, grace_s: float, beat: Callable[[], None]) -> bool:
        """Let what is at work end: applies within ``grace_s`` seconds, all else at once; True where all of it has.

        What goes on after that is left to its keepers, and to whoever comes next.
        """
        self._draining = True
        halt.soften()
        if not self._ended_within(grace_s, beat, halt):
            self._journal.say(Level.WARNING, "the grace time is over: what runs is interrupted once")
            halt.harden()
        ended = self._ended_within(LAST_S, beat, None)
        self._gone.set()
        return ended

    def _ended_within(self, seconds: float, beat: Callable[[], None], halt: Halt | None) -> bool:
        until = self._clock.now() + seconds
        while self.pulse.working and self._clock.now() < until:
            if halt is not None and halt.wanted(applying=True):
                return False
            self._round_at = self._clock.now()
            beat()
            self._freed.wait(min(_BEAT_S, seconds))
            self._freed.clear()
        return not self.pulse.working

    def _split(self) -> tuple[list[Due], list[Due]]:
        with self._lock:
            dues = [one.due for one in self._working.values()]
        return [due for due in dues if _watches(due)], [due for due in dues if not _watches(due)]

    def _admits(self, due: Due) -> bool:
        sources, stacks = self._split()
        if any(due.stack == one.stack for one in (*sources, *stacks)):
            # What is begun with here is not begun with again before it has left its place.
            self._refused = True
            return False
        admitted = len(sources) < _WATCHERS if _watches(due) else admits(self.workers, due, stacks)
        self._refused |= not admitted
        return admitted

    def _start(self, due: Due, tender: Tender) -> None:
        with self._lock:
            self._working[due.stack] = Working(due=due, since=self._clock.now())
        work = self._see_to_pulls if source_of_pulls(due.stack) else self._look if source_of(due.stack) else self._tend
        thread = threading.Thread(target=self._guarded, args=(work, due, tender), name=due.stack, daemon=True)
        thread.start()

    def _guarded(self, work: Callable[[Due, Tender], Due], due: Due, tender: Tender) -> None:
        try:
            self._give_back(work(due, tender))
        finally:
            with self._lock:
                self._working.pop(due.stack, None)
            self._freed.set()

    def _tend(self, due: Due, tender: Tender) -> Due:
        tended = tender.tend(due)
        self._tell(tended)
        return tended.next

    def _look(self, due: Due, tender: Tender) -> Due:
        name = source_of(due.stack)
        post = self._posts.get(name)
        if post is None:
            return replace(due, at=float("inf"), why="no source of that name is served")
        if is_poison(due):
            self._journal.say(Level.ERROR, "a source is left alone for a while", source=name, why=WHY_POISON)
            return replace(due, at=self._clock.now() + ALONE_S, why=WHY_POISON)
        try:
            before = tender.newest(post) if post.desk else None
            sight, keys, at = self._watcher(post).look()
            if post.desk and (before is None or sight.revision != before.revision.id):
                tender.tell_of_pulls(post, f"its base is at {sight.revision[:7]}")
        except Exception as error:  # noqa: BLE001 -- one source's trouble is not the others'
            self._journal.say(
                Level.ERROR, "a look at a source broke", source=name, why=f"{type(error).__name__}: {error}"
            )
            return replace(due, at=self._clock.now() + post.source.every_s, why="the last look broke")
        self._tell_sight(sight, len(keys))
        return replace(due, at=at, why=sight.message or f"read at {sight.revision[:7]}")

    def _see_to_pulls(self, due: Due, tender: Tender) -> Due:
        return see_to(due, self._posts, tender, self._clock, self._journal)

    def _watcher(self, post: Post) -> Watcher:
        with self._lock:
            found = self._watchers.get(post.source.id)
            if found is None or found.post is not post:
                found = self._watchers[post.source.id] = Watcher(post)
            return found

    def _give_back(self, due: Due) -> None:
        """Give the row back, however long the agenda is out of reach: nobody else may take it while we live."""
        while True:
            try:
                return self._agenda.rest(due)
            except OrchestratorError:
                if self._gone.wait(_DEAF_S):
                    return None

    def _tell(self, tended: Tended) -> None:
        about: Mapping[str, object] = {"stack": tended.due.stack, "run": tended.run}
        if tended.trouble:
            self._journal.say(Level.WARNING, "put off", why=tended.trouble, **about)
        elif tended.run and tended.rest:
            self._journal.say(Level.INFO, "at rest", reason=tended.rest.reason.value, why=tended.rest.why, **about)

    def _tell_sight(self, sight: Sight, due: int) -> None:
        if sight.silent:
            level = Level.ERROR if sight.failures > 1 else Level.WARNING
            self._journal.say(level, "a source cannot be read", source=sight.source, code=sight.code, why=sight.message)
        elif due:
            self._journal.say(Level.INFO, "read", source=sight.source, revision=sight.revision[:7], due=due)


def _watches(due: Due) -> bool:
    """Whether a row has somebody asked what is new, and works no stack."""
    return bool(source_of(due.stack) or source_of_pulls(due.stack))

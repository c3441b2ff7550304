"""Works one stack that is due, on the service's own behalf, and says when it is due next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from adapters.contract import AdapterError
from orchestrator.engine.newest import Newest
from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post, Posts
from orchestrator.engine.pulls.desk import TELL, row_of_pulls
from orchestrator.engine.pulls.pulls import Pulls
from orchestrator.engine.pulls.tending import worker as pull_worker
from orchestrator.engine.recovery import recover_gone
from orchestrator.engine.resting import next_look, rest_of
from orchestrator.engine.survey import Survey
from orchestrator.engine.waking import wake_readers
from orchestrator.engine.watch import NO_RUN
from orchestrator.engine.work import VANISHED, Worker
from orchestrator.errors import Conflict, OrchestratorError
from orchestrator.model.action import Action, Apply, Reason, Rest
from orchestrator.model.gate import ALL_ACTS, Gate, GateKind
from orchestrator.model.stack import MAIN, StackKey, is_foreign
from orchestrator.ports import Due, Run
from orchestrator.rules.order import readers
from orchestrator.rules.pace import ALONE_S, ANYWAY_S, PLAN, WHY_POISON, is_poison, jittered

#: Seconds after which a stack is tried again that somebody else holds.
_HELD_S: Final = 5.0
#: The wait after something went wrong that is no failure of the stack's own: the record, the source, ourselves.
_TROUBLE_S: Final = (15.0, 900.0)
#: For so long what a secret store has answered counts, in seconds.
_STORES_S: Final = 60.0
#: For so long after it came due a stack with its plan lets others be planned first, in seconds.
_GIVES_WAY_S: Final = 60.0
#: What the service's runs are recorded under.
ACTOR: Final = "holdfast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What came of one look at a stack."""

    due: Due
    #: When it is due next.
    next: Due
    #: Where it came to rest; None where something kept us from finding out.
    rest: Rest | None = None
    #: What was done on the way, in order.
    did: tuple[Action, ...] = ()
    run: int = 0
    trouble: str = ""


class Halt:
    """How far work is to be ended: not at all, but for applies, or all of it."""

    def __init__(self) -> None:
        """Nothing is to be ended yet."""
        self._soft, self._hard = threading.Event(), threading.Event()

    def soften(self) -> None:
        """Have everything end that changes nothing; applies go on."""
        self._soft.set()

    def harden(self) -> None:
        """Have applies stopped, too: each gets its one interrupt."""
        self._soft.set()
        self._hard.set()

    def wanted(self, *, applying: bool) -> bool:
        """Whether what is at work is to be ended."""
        return self._hard.is_set() or (self._soft.is_set() and not applying)


class Tender:
    """Works stacks of whatever source is served. Safe to share between threads."""

    def __init__(
        self,
        posts: Posts,
        halt: Halt,
        on_action: Callable[[StackKey, Action, int], None] = lambda *_: None,
    ) -> None:
        """``on_action`` is told of each stack, what is done about it and in which run."""
        self._posts, self._halt, self._on_action = posts, halt, on_action
        self._lock = threading.Lock()
        self._newest = Newest()
        self._after: dict[int, tuple[object, Mapping[StackKey, frozenset[StackKey]]]] = {}
        self._pulls: dict[str, Pulls] = {}
        self._stores_asked_at = 0.0
        #: How often in a row something went wrong with a stack on a track that was no failure of its own.
        self._troubles: dict[tuple[str, str], int] = {}
        #: Stacks with an attempt that this host can tell of better than others, and when to see to each next.
        self._left: dict[str, float] = {}

    def recall(self) -> None:
        """Find the attempts that were left behind on this host: no other one may know how they ended.

        Raises OrchestratorError.
        """
        for post in self._posts.every():
            for row in post.outside.record.rows(post.source.id):
                unknown = row.state.unknown
                attempt = row.state.applying or (unknown.attempt if unknown and not unknown.dead else None)
                if attempt and not post.outside.attempts.doubt(attempt):
                    self._leave(row.key, 0.0)

    def left(self, now: float) -> Sequence[Due]:
        """Return what this host has to see to by itself, whoever the agenda would give it to."""
        with self._lock:
            found = [stack for stack, at in self._left.items() if at <= now]
        return [Due(stack=one, track=MAIN, at=now, why="an attempt was left on this host", priority=0) for one in found]

    def _note_left(self, found: Tended) -> None:
        """Forget what was left of a stack, unless nobody came to know how it ended."""
        if found.due.track != MAIN:
            # Whoever plans a pull request has not looked for it.
            return
        known = found.rest is not None and found.rest.reason is not Reason.APPLYING
        with self._lock:
            if known:
                self._left.pop(found.due.stack, None)
            elif found.due.stack in self._left:
                self._left[found.due.stack] = found.next.at

    def _leave(self, stack: str, at: float) -> None:
        with self._lock:
            self._left[stack] = at

    def tend(self, due: Due) -> Tended:
        """Work what is due to rest. Whatever goes wrong costs this stack a wait, and the others nothing."""
        try:
            found = self._tend(due)
        except Conflict as held:
            return self._put_off(due, held.message, _HELD_S)
        except (OrchestratorError, AdapterError) as error:
            return self._put_off(due, f"{error.code} {error.message}", self._wait(due))
        except Exception as error:  # noqa: BLE001 -- the stack waits, and the others do not
            return self._put_off(due, f"{type(error).__name__}: {error}", self._wait(due))
        with self._lock:
            self._troubles.pop((due.stack, due.track), None)
        self._note_left(found)
        return found

    def _tend(self, due: Due) -> Tended:
        key = StackKey.parse(due.stack)
        post = self._posts.get(key.source)
        reading = self._newest.of(post) if post else None
        now = post.outside.clock.now() if post else due.at
        if post is not None:
            self._ask_stores_anew(post, now)
        if post is not None and reading is not None and is_foreign(due.track):
            if is_poison(due):
                # The stack itself goes on: a proposal that ends whoever plans it stops nothing but itself.
                return Tended(due=due, next=replace(due, at=now + ALONE_S, why=WHY_POISON), trouble=WHY_POISON)
            return self._tend_pull(post, reading, due)
        if post is None or reading is None or due.track != MAIN:
            # Whoever reads its source first has it looked at.
            return Tended(due=due, next=replace(due, at=now + ANYWAY_S, why="its source is not read yet"))
        if is_poison(due):
            return self._leave_alone(post, due, now)
        survey = Survey(post.outside, reading)
        asked = survey.look(key)
        if asked is None:
            with post.outside.agenda.hold(due.stack):
                # What is still at work for it outlives its files.
                recover_gone(post.outside, post.source, key)
            return self._rests(due, VANISHED, now)
        survey.keep()
        rest = rest_of(asked, now)
        if rest is not None:
            # A stack at rest costs a look: no run is opened, and nothing appended.
            return self._rests(due, rest, now)
        return self._work(post, survey, due, key)

    def _tend_pull(self, post: Post, base: Reading, due: Due) -> Tended:
        pulls = self.pulls(post)
        if pulls is None:
            return Tended(due=due, next=replace(due, at=float("inf"), why="nobody follows its pull requests"))
        run = 0

        def settle(reading: Reading, key: StackKey) -> tuple[Rest, tuple[Action, ...]]:
            nonlocal run
            with self._run(post, reading, verb="plan") as opened:
                run = opened.number

                def on_action(of: StackKey, action: Action) -> None:
                    self._on_action(of, action, opened.number)

                def cancelled() -> bool:
                    return self._halt.wanted(applying=False) or post.outside.running.asked_to_stop(opened.number)

                worker = pull_worker(post, reading, opened, cancelled)
                settled = worker.settle(key, on_action=on_action)
            return settled.rest, settled.did

        tried = pulls.tend(due, base, settle)
        self.tell_of_pulls(post, f"{due.track}: {StackKey.parse(due.stack).short}")
        return Tended(due=due, next=tried.next, rest=tried.rest, did=tried.did, run=run)

    def pulls(self, post: Post) -> Pulls | None:
        """Return what sees to the pull requests of a source, None where nobody asked for that."""
        if post.desk is None:
            return None
        with self._lock:
            found = self._pulls.get(post.source.id)
            if found is None or found.post is not post:
                found = self._pulls[post.source.id] = Pulls(post, post.desk)
            return found

    def newest(self, post: Post) -> Reading | None:
        """Return the newest reading of a source, None where it was never read. Raises OrchestratorError."""
        return self._newest.of(post)

    @staticmethod
    def tell_of_pulls(post: Post, why: str) -> None:
        """Have the pull requests of a source seen to: something that they depend on moved. Raises OrchestratorError."""
        now = post.outside.clock.now()
        post.outside.agenda.nudge(Due(stack=row_of_pulls(post.source.id), track=TELL, at=now, why=why, priority=PLAN))

    def _leave_alone(self, post: Post, due: Due, now: float) -> Tended:
        """Close a gate before a stack that ends whatever process works on it; it opens by itself, or by ``resume``."""
        gate = Gate(
            kind=GateKind.SUSPENSION,
            why=f"{WHY_POISON}; holdfast resume ends the wait",
            selector=due.stack,
            stops=ALL_ACTS,
            until=now + ALONE_S,
            who=ACTOR,
        )
        post.outside.record.set_gate(gate, run=NO_RUN)
        return Tended(due=due, next=replace(due, at=now + ALONE_S, why=gate.why), trouble=gate.why)

    def _work(self, post: Post, survey: Survey, due: Due, key: StackKey) -> Tended:
        reading = survey.reading
        with self._run(post, reading) as run:
            applying = threading.Event()

            def on_action(of: StackKey, action: Action) -> None:
                (applying.set if isinstance(action, Apply) else applying.clear)()
                if applying.is_set():
                    # Should we lose sight of it, it is for us to find out what came of it.
                    self._leave(str(of), float("inf"))
                self._on_action(of, action, run.number)

            def cancelled() -> bool:
                return self._halt.wanted(applying=applying.is_set()) or post.outside.running.asked_to_stop(run.number)

            def gives_way() -> bool:
                # Who pushes a commit wants to see first what it would do, to every stack that it touches: applies that
                # policy alone asks for come after those plans. One that a person said yes to, or that others wait
                # for, goes on at once, and so does whatever has been due for long: plans may take their time, and many.
                waited = post.outside.clock.now() - due.at
                return (
                    waited < _GIVES_WAY_S
                    and not self._readers(reading).get(key)
                    and post.outside.agenda.others_wait(due)
                )

            worker = Worker(post.outside, reading, run, cancelled=cancelled, gives_way=gives_way)
            settled = worker.settle(key, on_action=on_action, seen=survey)
        now = post.outside.clock.now()
        # Even where nothing was left to do: what was found of an attempt may be what others wait for.
        wake_readers(post.outside, self._readers(reading), [key], but=())
        if (pulls := self.pulls(post)) is not None and (settled.did or pulls.concerned(key)):
            # Other pull requests on the same stack are planned against what it has become.
            self.tell_of_pulls(post, f"{key.short} moved")
        return replace(self._rests(due, settled.rest, now), did=settled.did, run=run.number)

    @contextmanager
    def _run(self, post: Post, reading: Reading, verb: str = "reconcile") -> Iterator[Run]:
        record = post.outside.record
        run = record.open_run(trigger="service", verb=verb, actor=ACTOR, revision=reading.revision.id)
        try:
            with post.outside.running.working(run.number):
                yield run
        finally:
            record.close_run(run.number)
            post.outside.running.over(run.number)

    def _readers(self, reading: Reading) -> Mapping[StackKey, frozenset[StackKey]]:
        layout = reading.layout
        with self._lock:
            kept = self._after.get(id(layout))
            if kept is None or kept[0] is not layout:
                self._after = {id(layout): (layout, readers(layout.stacks)), **dict(list(self._after.items())[:15])}
            return self._after[id(layout)][1]

    def _ask_stores_anew(self, post: Post, now: float) -> None:
        """Have the secret stores asked again from time to time: somebody may have put another value there."""
        with self._lock:
            stale = now - self._stores_asked_at > _STORES_S
            self._stores_asked_at = now if stale else self._stores_asked_at
        if stale:
            post.outside.secrets.forget()

    def forget(self) -> None:
        """Read every source anew: what the operator says of them may have changed."""
        self._newest.forget()
        with self._lock:
            # Those of a source that is served no more would be kept for ever, with all that it ever proposed.
            self._pulls.clear()

    @staticmethod
    def _rests(due: Due, rest: Rest, now: float) -> Tended:
        return Tended(due=due, next=next_look(due, rest, now), rest=rest)

    def _wait(self, due: Due) -> float:
        with self._lock:
            row = (due.stack, due.track)
            count = self._troubles[row] = self._troubles.get(row, 0) + 1
        first, most = _TROUBLE_S
        return min(most, first * 2.0 ** min(count - 1, 20))

    def _put_off(self, due: Due, trouble: str, wait_s: float) -> Tended:
        key = due.stack.partition("/")[0]
        post = self._posts.get(key)
        now = post.outside.clock.now() if post else due.at
        at = now + jittered(wait_s, f"{due.stack} {now}")
        put_off = Tended(due=due, next=replace(due, at=at, why=trouble), trouble=trouble)
        self._note_left(put_off)
        return put_off

"""Works one stack from due to rest: read, decide, perform, append, again. The only such loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NoReturn, TypeVar, assert_never

from adapters.contract import AdapterError, Drifts, Handle
from orchestrator.engine.applying import apply, refuse
from orchestrator.engine.carrying import carry
from orchestrator.engine.drifting import check_drift, could_not_look
from orchestrator.engine.endings import close, unknown
from orchestrator.engine.faults import fault_of, trace
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.people import left
from orchestrator.engine.planning import failed, make_plan
from orchestrator.engine.recovery import at_work, prove_dead, recover, sign_of
from orchestrator.engine.station import Case
from orchestrator.engine.survey import Asked, Survey
from orchestrator.errors import Conflict, ExecutionError, OrchestratorError
from orchestrator.model.action import Action, Apply, Ask, CheckDrift, MakePlan, Reason, Rest
from orchestrator.model.event import Asked as AskedPeople
from orchestrator.model.observed import Observed, Proposal, TrackView
from orchestrator.model.policy import DriftAnswer, Mode, Policy
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run, ShellNeeds
from orchestrator.rules.decide import decide
from orchestrator.rules.drifted import weigh

_T = TypeVar("_T")

#: More rounds than any stack needs: a loop that does not come to rest is a fault of ours.
_MOST_ROUNDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far one call may go, and on whose behalf. The service uses the defaults."""

    #: Narrows the policy's mode: OBSERVE plans and stops.
    mode: Mode = Mode.AUTO
    #: A person asked: drift is answered by a proposal at least, and failures before now do not count.
    person: bool = False
    #: Whether due drift checks are run.
    drift: bool = True
    #: Whether a plan that somebody said no to is made afresh.
    afresh: bool = False

    def allow(self, policy: Policy) -> Policy:
        """Return what is allowed of ``policy`` within these limits."""
        drift = policy.drift
        if self.person:
            # That it keeps coming back is for the loop to stop at, not for who has come to see to it.
            answer = DriftAnswer.PROPOSE if drift.answer is DriftAnswer.REPORT else drift.answer
            drift = replace(drift, answer=answer, limit=None)
        if not self.drift:
            drift = replace(drift, every_s=0.0)
        return replace(policy, mode=min(policy.mode, self.mode), drift=drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Where a stack came to rest."""

    key: StackKey
    rest: Rest
    #: As it was when it came to rest; None where the stack is in no source any more.
    asked: Asked | None
    #: What was done on the way, in order.
    did: tuple[Action, ...] = ()


class Worker:
    """Works stacks of one reading, one at a time and each under its hold."""

    def __init__(
        self,
        outside: Outside,
        reading: Reading,
        run: Run,
        *,
        limits: Limits | None = None,
        cancelled: Callable[[], bool] | None = None,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        """``cancelled`` is asked while tools run: once it says yes they are stopped.

        ``gives_way`` is asked once a plan was made that policy applies by itself: where it says yes the stack is left
        with its plan, to be applied when its turn comes again.
        """
        self._outside = outside
        self._reading = reading
        self._run = run
        self._limits = limits or Limits()
        self._cancelled = cancelled
        self._gives_way = gives_way
        self._begun_at = outside.clock.now()
        #: When the end of an earlier run's attempt was found: to a person that failure is from before, too.
        self._found_at: dict[StackKey, float] = {}

    def settle(
        self,
        key: StackKey,
        *,
        on_action: Callable[[StackKey, Action], None] | None = None,
        seen: Survey | None = None,
    ) -> Settled:
        """Work the stack until there is nothing to do, and say why there is not.

        ``seen`` is a survey that has just looked at the stack: what has moved since is found out by who appends.
        Raises Conflict (HF-4203) where somebody else holds it, StateUnsaved where an attempt could not save its state.
        """
        did: list[Action] = []
        with self._outside.agenda.hold(str(key)):
            for _ in range(_MOST_ROUNDS):
                survey, seen = seen or Survey(self._outside, self._reading), None
                asked = self._look(survey, key)
                if asked is None:
                    return Settled(key=key, rest=VANISHED, asked=None, did=tuple(did))
                case = self._case(asked)
                if asked.state.applying and not self._recover(case):
                    return Settled(key=key, rest=self._at_work(asked), asked=asked, did=tuple(did))
                if asked.state.applying and asked.state.applying.run != self._run.number:
                    self._found_at[key] = self._outside.clock.now()
                if asked.state.applying or self._prove_dead(asked):
                    continue
                action = self._next(asked, did)
                if on_action:
                    on_action(key, action)
                if isinstance(action, Rest):
                    return Settled(key=key, rest=action, asked=asked, did=tuple(did))
                did.append(action)
                self._perform(case, action, survey.gates_version)
        message = f"{key.short} does not come to rest: {', '.join(action.reason for action in did[-4:])}"
        raise OrchestratorError(message, code="HF-9001", hint="report it; nothing more was started")

    def check_drift(self, key: StackKey) -> Drifts | None:
        """Look for drift now, whatever is due; None where the tool could not look.

        Raises ExecutionError where the stack was never applied, Conflict where it is held or at work.
        """
        with self._outside.agenda.hold(str(key)):
            asked = self._look(Survey(self._outside, self._reading), key)
            if asked is None:
                raise Conflict(f"{key.short} is no longer in its source", code="HF-4011")
            case = self._case(asked)
            if asked.state.applying:
                if not self._recover(case):
                    raise at_work(self._outside, key, asked.state.applying)
                asked = self._look(Survey(self._outside, self._reading), key) or asked
            case = self._case(asked)
            return self._contained(key, lambda: check_drift(case), lambda fault: could_not_look(case, fault))

    def decision(self, asked: Asked) -> Action:
        """Return what would be done next, doing nothing."""
        asked = self._as_asked(asked)
        return decide(
            asked.desired, self._seen(asked), self._limits.allow(asked.stack.policy), self._outside.clock.now()
        )

    def _next(self, asked: Asked, did: Sequence[Action]) -> Action:
        action = self.decision(asked)
        if isinstance(action, Rest):
            return action
        if self._cancelled is not None and self._cancelled():
            # What would be next is for whoever comes next.
            return _told_to_stop(asked)
        planned_now = bool(did) and isinstance(did[-1], MakePlan)
        if planned_now and action.reason is Reason.AUTOMATIC and self._gives_way():
            return Rest(reason=Reason.DEFERRED, why=_LATER, until=self._outside.clock.now())
        return action

    def _case(self, asked: Asked) -> Case:
        return Case(outside=self._outside, today=self._reading, asked=asked, run=self._run, cancelled=self._cancelled)

    def _as_asked(self, asked: Asked) -> Asked:
        """Have what one look saw count at once where a person asks: they have seen it themselves."""
        if not self._limits.person:
            return asked
        policy = replace(asked.stack.policy.drift, confirm=1)
        seen = weigh(asked.observed, asked.state, asked.row.looks, policy, self._outside.clock.now())
        return replace(asked, observed=seen)

    def _seen(self, asked: Asked) -> Observed:
        seen, failure = asked.observed, asked.observed.failure
        seen = replace(seen, left=left(self._outside.people, seen.consents))
        before = self._found_at.get(asked.stack.key, self._begun_at)
        if self._limits.person and failure and failure.at < before:
            seen = replace(seen, failure=None)
        plan = seen.progress
        if self._limits.afresh and isinstance(plan, Proposal) and plan.made_at < self._begun_at:
            no = seen.rejected == plan.binding(seen.stack)
            seen = replace(seen, progress=None) if no else seen
        return seen

    def _contained(self, key: StackKey, work: Callable[[], _T], otherwise: Callable[[OrchestratorError], _T]) -> _T:
        return contained(self._outside, self._run, key, work, otherwise)

    def _look(self, survey: Survey, key: StackKey) -> Asked | None:
        asked = self._contained(key, lambda: survey.look(key), raised)
        return self._as_asked(asked) if asked else None

    def _recover(self, case: Case) -> bool:
        return self._contained(case.asked.stack.key, lambda: recover(case), lambda fault: _give_up(case, fault))

    def _at_work(self, asked: Asked) -> Rest:
        attempt = asked.state.applying
        why = sign_of(self._outside, asked.stack.key, attempt).why if attempt else "it is being applied"
        return Rest(reason=Reason.APPLYING, why=why)

    def _prove_dead(self, asked: Asked) -> bool:
        unknown, key = asked.state.unknown, asked.stack.key
        if unknown is None or unknown.dead:
            return False
        return self._contained(key, lambda: prove_dead(self._outside, key), raised)

    def _perform(self, case: Case, action: MakePlan | Ask | Apply | CheckDrift, gates_version: int) -> None:
        def perform() -> None:
            match action:
                case MakePlan():
                    self._plan(case)
                case Ask():
                    _ask(case)
                case Apply():
                    self._apply(case, gates_version)
                case CheckDrift():
                    check_drift(case)
                case _:
                    assert_never(action)

        try:
            self._contained(case.asked.stack.key, perform, lambda fault: _record(case, action, fault))
        except Conflict as error:
            # Somebody wrote to the stack meanwhile (an approval, a gate): look again. A lost hold is no such thing.
            if error.code not in {"HF-4200", "HF-4202", "HF-4207"}:
                raise

    def _plan(self, case: Case) -> None:
        # Who said yes on a pull request said it to that very plan. Who asks for a plan now wants to see a new one.
        if self._limits.person or not carry(case):
            make_plan(case)

    def _apply(self, case: Case, gates_version: int) -> None:
        try:
            apply(case, gates_version, lambda: self.decision(case.asked))
        except ExecutionError:
            # Of an attempt that has begun only recovery may speak, and it can at once.
            if not self._ended(case.asked.stack.key):
                raise

    def _ended(self, key: StackKey) -> bool:
        """Settle the attempt that we lost sight of, if one has begun; False where nothing came of it."""
        asked = Survey(self._outside, self._reading).look(key)
        if asked is None or not asked.state.applying or not self._recover(self._case(asked)):
            return False
        state = self._outside.record.row(str(key)).state
        # An attempt that never started leaves its proposal standing.
        return state.tracks.get(self._reading.track, TrackView()).proposal is None


def contained(
    outside: Outside, run: Run, key: StackKey, work: Callable[[], _T], otherwise: Callable[[OrchestratorError], _T]
) -> _T:
    """Do ``work`` for one stack; what nobody foresaw is told in the run's log, and handed to ``otherwise`` as a fault.

    An adapter may be anybody's: what is wrong with one stack's must not cost the others what came of them.
    """
    try:
        return work()
    except (AdapterError, OrchestratorError):
        raise
    except Exception as error:  # noqa: BLE001 -- the only one that goes on: a stack fails here, and no more than it
        needs = ShellNeeds(stack=str(key), run=run.number, credentials={}, secrets=(), timeout_s=0.0)
        outside.shells.open(needs).report(trace(error))
        return otherwise(fault_of(error, run.number))


def raised(fault: OrchestratorError) -> NoReturn:
    """Raise a fault of which nothing can be recorded."""
    raise fault


def _record(case: Case, action: MakePlan | Ask | Apply | CheckDrift, fault: OrchestratorError) -> None:
    match action:
        case MakePlan():
            event = failed(case, fault)
            case.outside.record.append(case.key, [event], expected=case.asked.state.version, run=case.run.number)
        case Apply() if case.outside.record.row(case.key).state.applying is None:
            refuse(case, fault)
        case Apply():
            # Of an attempt that has begun only recovery may speak: it does so in the next round.
            return
        case CheckDrift():
            could_not_look(case, fault)
        case Ask():
            raise fault
        case _:
            assert_never(action)


def _give_up(case: Case, fault: OrchestratorError) -> bool:
    """Record that nobody can say how an attempt ended whose remains the adapter cannot even look at."""
    attempt = case.asked.state.applying
    look = attempt and case.outside.attempts.look(attempt)
    if attempt is None or (isinstance(look, Handle) and look.alive):
        raise fault
    dead = case.outside.attempts.kill(attempt)
    close(case, attempt, [unknown(attempt, f"what it left behind cannot be read: {fault.message}", dead=dead)])
    return True


def _ask(case: Case) -> None:
    proposal = case.asked.observed.progress
    if isinstance(proposal, Proposal):
        event = AskedPeople(track=proposal.track, proposal=proposal.number)
        case.outside.record.append(case.key, [event], expected=case.asked.state.version, run=case.run.number)


#: Why a stack rests whose plan is applied in its next turn.
_LATER: Final = "it is planned; what has been due as long is planned before this is applied"
VANISHED = Rest(reason=Reason.VANISHED, why="it is no longer in its source; what it made still stands")


def _told_to_stop(asked: Asked) -> Rest:
    unknown = asked.observed.unknown
    if unknown:
        return Rest(reason=Reason.UNKNOWN_ATTEMPT, why=f"attempt {unknown.attempt.number} ended unknown: {unknown.why}")
    return Rest(reason=Reason.GATED, why="the run was told to stop")

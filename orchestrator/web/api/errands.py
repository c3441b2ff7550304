"""``POST /api/v1/runs/plan|apply``: runs that somebody asks for, and ``GET /api/v1/runs/…/outcome``: what came of them.

What the loop would do by itself in its own time, done now and told to the end: a command waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.contract import Json
from orchestrator.engine.acts.caller import begun
from orchestrator.engine.acts.consent import Word
from orchestrator.engine.errand import Errand, Site, standing_proposal
from orchestrator.engine.gravity import gravity
from orchestrator.engine.sorting_out import sort_out
from orchestrator.model.observed import Proposal
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.rules.rights import Right, allowed
from orchestrator.telling import errands as telling
from orchestrator.telling.drift import value as drift_value
from orchestrator.telling.errands import Needs
from orchestrator.telling.rows import Mark, Row
from orchestrator.web.api.drift import DriftView
from orchestrator.web.api.once import Acting, Once, Said
from orchestrator.web.api.plans import PlanView
from orchestrator.web.api.runs import Number
from orchestrator.web.api.scope import spot
from orchestrator.web.errands import Outcome
from orchestrator.web.gate import Gate, GatedRoute, House, Over, Who, admit, guarded
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)

#: So many stacks are named in one request.
_MOST: Final = 5000
#: What a plan may be of that somebody is asked about.
_ASKED_ABOUT: Final = frozenset({Mark.CHANGES, Mark.UNKNOWN, Mark.DENIED})

Key = Annotated[str, Field(min_length=1, max_length=512)]
Parallel = Annotated[int, Field(ge=0, le=64)]


class PlanWanted(Said):
    """A wish that stacks of one source are planned now."""

    stacks: Annotated[list[Key], Field(min_length=1, max_length=_MOST)]
    #: Whether what somebody said no to is planned once more.
    afresh: bool = False
    #: What taking them down would do.
    destroy: bool = False
    accept_duplicates: bool = False
    parallel: Parallel = 0


class LookWanted(Said):
    """A wish that stacks of one source are looked at for drift now."""

    stacks: Annotated[list[Key], Field(min_length=1, max_length=_MOST)]
    parallel: Parallel = 0


class Seen(BaseModel):
    """A plan that was seen."""

    model_config = ConfigDict(extra="forbid")

    stack: Key
    proposal: Annotated[int, Field(ge=1, le=2**53)]
    digest: Annotated[str, Field(min_length=1, max_length=128)]
    #: Whether this is a yes to it; not where everybody who is asked has said yes already.
    yes: bool = False


class ApplyWanted(Said):
    """A wish that exactly these plans of one source are applied now."""

    plans: Annotated[list[Seen], Field(min_length=1, max_length=_MOST)]
    accept_duplicates: bool = False
    parallel: Parallel = 0


class Begun(BaseModel):
    """A run that has begun."""

    act: str
    run: int
    by: str


class BarredView(BaseModel):
    """What becomes of a plan that no yes lets through."""

    result: str
    why: str
    code: str


class ErrandView(PlanView):
    """What came of a stack: its plan, and what people are to be asked about it."""

    kept: bool
    backwards: bool
    #: ``nothing``, ``agreed``, ``yes`` or ``barred``: what it takes before this is applied.
    needs: str
    #: Why a mere yes would not do; empty where it would.
    grave: str
    #: What becomes of it where no yes lets it through.
    barred: BarredView | None


class OutcomeView(BaseModel):
    """What came of a run that somebody asked for."""

    run: int
    #: Whether more is to come.
    done: bool
    #: Whether it was ended before its time.
    interrupted: bool
    #: Stacks, and what is being done to each.
    doing: dict[str, str]
    stacks: list[ErrandView]
    #: What looks for drift found.
    drifts: list[DriftView]


@router.post("/runs/plan", response_model=Begun, status_code=202)
@guarded(Right.PLAN, Over.SOMETHING)
def plan(once: Acting, said: PlanWanted) -> Response:
    """Plan stacks now, in a run of its own; what a plan would change is asked about and not done."""
    at = _site(once, Right.PLAN, said.stacks)
    site = at.site.going_down() if said.destroy else at.site

    def work(errand: Errand) -> list[Json]:
        rows = errand.plan(at.keys, afresh=said.afresh, backwards=said.destroy)
        return [telling.value(one) for one in _told(errand, rows, accept_duplicates=said.accept_duplicates)]

    return once.answer(said, lambda: _begin(once, "plan", site, said.parallel, work))


@router.post("/runs/apply", response_model=Begun, status_code=202)
@guarded(Right.APPLY, Over.SOMETHING)
def apply(once: Acting, said: ApplyWanted) -> Response:
    """Apply exactly the plans that were seen, in a run of its own: your own yes to those that take one."""
    at = _site(once, Right.APPLY, [one.stack for one in said.plans])

    def act() -> Begun:
        seen: dict[StackKey, Proposal] = {}
        for one in said.plans:
            key = StackKey.parse(one.stack)
            seen[key] = standing_proposal(at.site, key, one.proposal, one.digest)
        word = Word(caller=once.caller, reason=said.reason, duplicates=said.accept_duplicates)
        yes = {StackKey.parse(one.stack): word for one in said.plans if one.yes}
        for key in yes:
            if not allowed(once.who, Right.APPROVE, key):
                raise Problem(403, detail=f"a yes to {key.short} is missing, and to say it is not yours")

        def work(errand: Errand) -> list[Json]:
            return [telling.value(telling.Told(row=row)) for row in errand.apply(seen, yes)]

        return _begin(once, "apply", at.site, said.parallel, work)

    return once.answer(said, act)


@router.post("/runs/drift", response_model=Begun, status_code=202)
@guarded(Right.PLAN, Over.SOMETHING)
def drift(once: Acting, said: LookWanted) -> Response:
    """Look for drift in stacks now, in a run of its own; the loop answers it as policy says."""
    at = _site(once, Right.PLAN, said.stacks)

    def work(errand: Errand) -> list[Json]:
        return [drift_value(one.key, one.judged, one.looks, one.said) for one in errand.look(at.keys)]

    return once.answer(said, lambda: _begin(once, "drift", at.site, said.parallel, work))


@router.get("/runs/{run}/outcome", response_model=OutcomeView)
@guarded(Right.VIEW, Over.SOMETHING)
def outcome(request: Request, house: House, who: Who, run: Number) -> Response:
    """Tell whoever asked for a run what came of it so far."""
    found = house.errands.of(run, who.name)
    if found is None:
        # Whether there is such a run is told to nobody who may not see it.
        admit(Gate(right=Right.VIEW, over=Over.RUN), request)
        raise Problem(409, code="HF-4132", detail=f"what came of run {run} is not kept for you")
    if found.done and found.problem is not None:
        raise found.problem
    done = found.done
    rows = found.rows if done else ()
    view = OutcomeView(
        run=run,
        done=done,
        interrupted=found.interrupted,
        doing=dict(found.doing),
        stacks=[ErrandView.model_validate(one) for one in rows if found.verb != "drift"],
        drifts=[DriftView.model_validate(one) for one in rows if found.verb == "drift"],
    )
    return Response(view.model_dump_json(), media_type="application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Stacks that a request names, and what they are worked on."""

    site: Site
    keys: tuple[StackKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Whether a run is to end: the service ends, or somebody cancelled it."""

    stopping: Callable[[], bool]
    told: Callable[[], bool]
    #: Whether tools at work are stopped with the service; what changes the world is left to its keeper.
    with_service: bool
    detaches: bool = False

    @property
    def wanted(self) -> bool:
        """Whether nothing new is to be started."""
        return self.stopping() or self.told()

    def cancelled(self) -> bool:
        """Whether tools that run are to be stopped."""
        return self.told() or (self.with_service and self.stopping())


def _site(once: Once, right: Right, names: Sequence[str]) -> _At:
    """Return where the named stacks are worked. Raises Problem: as the gate answers for a stack that the path names."""
    keys = tuple(sorted({_key(name) for name in names}))
    if not all(allowed(once.who, Right.VIEW, key) for key in keys):
        raise Problem(404)
    if not all(allowed(once.who, right, key) for key in keys):
        raise Problem(403)
    spots = [spot(once.house, str(key)) for key in keys]
    if len({key.source for key in keys}) > 1:
        raise Problem(400, detail="stacks: of several sources; ask for each source's by themselves")
    return _At(site=Site(outside=once.hands(spots[0].post), reading=spots[0].reading), keys=keys)


def _key(name: str) -> StackKey:
    try:
        key = StackKey.parse(name)
    except ValueError:
        raise Problem(404) from None
    if str(key) != name or not name.isprintable():
        raise Problem(404)
    return key


def _begin(once: Once, verb: str, site: Site, parallel: int, work: Callable[[Errand], list[Json]]) -> Begun:
    house, caller = once.house, once.caller

    def run(outcome: Outcome, tell_run: Callable[[Run], None]) -> None:
        with begun(site.outside, caller, site.reading, verb) as run:
            tell_run(run)
            stop = _Stop(
                stopping=house.stopping,
                told=lambda: site.outside.running.asked_to_stop(run.number),
                with_service=verb != "apply",
            )
            errand = Errand(site=site, run=run, stop=stop, tell=outcome.tell, parallel=parallel)
            outcome.rows = work(errand)
            outcome.interrupted = stop.wanted

    return Begun(act=verb, run=house.errands.begin(once.who.name, verb, run), by=once.who.name)


def _told(errand: Errand, rows: Sequence[Row], *, accept_duplicates: bool) -> Iterable[telling.Told]:
    """Yield each row with what its plan still needs."""
    asking = [row for row in rows if row.mark in _ASKED_ABOUT and row.proposal]
    found = sort_out(errand.crew(), asking, accept_duplicates=accept_duplicates)
    needs: Mapping[StackKey, Needs] = {
        **{row.key: Needs.AGREED for row in found.agreed},
        **{row.key: Needs.YES for row in found.open},
        **{row.key: Needs.BARRED for row in found.barred},
    }
    barred = {row.key: row for row in found.barred}
    for row in rows:
        need = needs.get(row.key, Needs.NOTHING)
        grave = gravity(errand.site, row) if need is Needs.YES else ""
        yield telling.Told(row=row, needs=need, grave=grave, barred=barred.get(row.key))

"""``POST /api/v1/stacks/…/plan|suspend|resume|rollback``, ``/runs/…/cancel``: which way a stack goes from here."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, StringConstraints

from orchestrator.engine.acts.cancelling import cancel as stop
from orchestrator.engine.acts.holds import PREVIOUS, Holding, Target, back
from orchestrator.engine.acts.suspensions import resume as lift
from orchestrator.engine.acts.suspensions import suspend as rest
from orchestrator.engine.acts.until import Until
from orchestrator.engine.acts.words import nudge
from orchestrator.engine.outside import read_at
from orchestrator.engine.recorded import stacks_of
from orchestrator.model.moment import stamp
from orchestrator.model.observed import HoldKind
from orchestrator.rules.rights import Right
from orchestrator.web.api.once import Accepted, Acting, Once, Reason, Said
from orchestrator.web.api.runs import Number
from orchestrator.web.api.scope import Spot, spot
from orchestrator.web.gate import GatedRoute, Over, guarded
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)


class Suspended(Said):
    """A wish that a stack rests."""

    reason: Annotated[Reason, StringConstraints(min_length=1)]
    #: Until when; without it until somebody resumes it.
    until: AwareDatetime | None = None


class LiftedView(BaseModel):
    """A suspension that is over."""

    of: str
    why: str


class Resumed(Accepted):
    """What follows its source again."""

    lifted: list[LiftedView]
    released: list[str]
    repaired_again: list[str]


class RolledBack(Said):
    """A wish that a stack goes back."""

    #: A commit or tag; `previous` is the one that was applied before.
    to: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/+-]*$", max_length=200)] = PREVIOUS


@router.post("/stacks/{stack:path}/plan", response_model=Accepted, status_code=202)
@guarded(Right.PLAN, Over.STACK)
def look(once: Acting, stack: str, said: Said) -> Response:
    """Have a stack looked at now: it is planned where what is asked for is not what was planned or applied."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        nudge(once.hands(found.post), found.key, said.reason or f"{once.caller.actor} asked for it")
        return _accepted(once, found, "plan")

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/suspend", response_model=Accepted, status_code=202)
@guarded(Right.APPLY, Over.STACK)
def suspend(once: Acting, stack: str, said: Suspended) -> Response:
    """Let a stack rest: nothing is applied and no drift repaired, plans and looks go on."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        until = Until(at=said.until.timestamp(), said=f"until: {said.until.isoformat()}") if said.until else None
        (gate,) = rest(once.hands(found.post), found.reading, once.caller, [found.key], reason=said.reason, until=until)
        end = [f"until {stamp(gate.until)}"] if gate.until else []
        return _accepted(once, found, "suspend", *end)

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/resume", response_model=Resumed, status_code=202)
@guarded(Right.APPLY, Over.STACK)
def resume(once: Acting, stack: str, said: Said) -> Response:
    """Let a stack follow its source again: ends suspensions, rollbacks, destroys, and a stop of recurring repairs."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        outside = once.hands(found.post)
        done = lift(outside, found.reading, once.caller, [found.key], said.reason)
        nudge(outside, found.key, f"{once.caller.actor} resumed it")
        notes = [f"lifted the suspension of {one.of}: {one.why}" for one in done.lifted]
        notes += [f"{key.short} follows its source again" for key in done.released]
        notes += [f"drift of {key.short} is repaired again" for key in done.repaired]
        accepted = _accepted(once, found, "resume", *notes)
        return Resumed(
            **accepted.model_dump(),
            lifted=[LiftedView(of=one.of, why=one.why) for one in done.lifted],
            released=[key.short for key in done.released],
            repaired_again=[key.short for key in done.repaired],
        )

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/rollback", response_model=Accepted, status_code=202)
@guarded(Right.APPLY, Over.STACK)
def rollback(once: Acting, stack: str, said: RolledBack) -> Response:
    """Hold a stack at an earlier revision: it is planned there, asked about as policy has it, applied and kept."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        outside, source = once.hands(found.post), found.post.source
        revision = back(outside, found.reading, found.key, said.to, lambda name: read_at(outside, source, name))
        target = Target(kind=HoldKind.REVISION, revision=revision, reason=said.reason)
        Holding(outside=outside, source=source, caller=once.caller, targets={found.key: target}).hold()
        nudge(outside, found.key, f"{once.caller.actor} rolled it back")
        return _accepted(once, found, "rollback", f"held at {revision}")

    return once.answer(said, act)


@router.post("/runs/{run}/cancel", response_model=Accepted, status_code=202)
@guarded(Right.APPLY, Over.RUN)
def cancel(once: Acting, run: Number, said: Said) -> Response:
    """Stop a run: nothing new starts, and tools at work get one interrupt, then their end."""
    house = once.house
    found = house.record.run(run)
    if found is None:
        raise Problem(404)

    def act() -> Accepted:
        stacks = stacks_of(house.record, run)
        sources = {key.source for key in stacks}
        posts = [post for post in house.served.posts.every() if post.source.id in sources or not sources]
        for post in posts:
            stop(once.hands(post), post.source, found)
            for key in sorted(stacks):
                if key.source == post.source.id:
                    # Whoever works it next finds out how it ended.
                    nudge(post.outside, key, f"{once.caller.actor} cancelled run {run}")
        return Accepted(act="cancel", run=run, position=once.position(run), by=once.caller.actor)

    return once.answer(said, act)


def _accepted(once: Once, found: Spot, act: str, *notes: str) -> Accepted:
    return Accepted(act=act, stack=found.key.short, key=str(found.key), by=once.caller.actor, notes=list(notes))

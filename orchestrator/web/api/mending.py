"""``POST /api/v1/stacks/…/unlock|resolve``: what only a person can say once something was left behind."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from orchestrator.engine.acts.caller import begun
from orchestrator.engine.acts.locks import free, lock_of_ours
from orchestrator.engine.resolving import resolve as settle
from orchestrator.engine.resolving import unproven_of
from orchestrator.errors import Conflict
from orchestrator.model.event import AttemptDead
from orchestrator.rules.rights import Right
from orchestrator.telling import resolved as telling
from orchestrator.web.api.once import Accepted, Acting, Said
from orchestrator.web.api.paging import fresh
from orchestrator.web.api.scope import spot
from orchestrator.web.gate import GatedRoute, House, Over, guarded

router: Final = APIRouter(route_class=GatedRoute)


class Freed(Said):
    """A wish that the tool's own lock is freed."""

    #: The lock that was seen.
    lock: Annotated[str, Field(min_length=1, max_length=512)]


class Dead(Said):
    """The word that nothing of an attempt is alive any more."""

    #: The attempt that was seen; 0 where only a hold is left of somebody.
    attempt: Annotated[int, Field(ge=0, le=2**53)]


class ResolvedView(BaseModel):
    """What became of an attempt that is dead: the document of `holdfast resolve -o json`."""

    stack: str
    key: str
    attempt: int | None
    outcome: str | None
    by: str
    reason: str
    why: str


class Resolved(Accepted):
    """The word that an attempt is dead, and what became of it."""

    resolved: ResolvedView


class LockView(BaseModel):
    """The tool's own lock that one of our runs left behind."""

    lock: str


class DoubtView(BaseModel):
    """What only a person can say."""

    #: The attempt that no host can prove dead; 0 where only a hold is left of somebody.
    attempt: int
    why: str


@router.get("/stacks/{stack:path}/lock", response_model=LockView)
@guarded(Right.VIEW, Over.STACK)
def lock(request: Request, house: House, stack: str) -> Response:
    """Return the tool's own lock that one of our runs left behind; 409 where there is none."""
    found = spot(house, stack)
    return fresh(request, LockView(lock=lock_of_ours(found.outside, found.key)))


@router.get("/stacks/{stack:path}/doubt", response_model=DoubtView)
@guarded(Right.VIEW, Over.STACK)
def doubt(request: Request, house: House, stack: str) -> Response:
    """Return what only a person can say of an attempt; 409 where nobody has to say anything."""
    found = spot(house, stack)
    unproven = unproven_of(found.outside, found.key)
    number = unproven.attempt.number if unproven.attempt else 0
    return fresh(request, DoubtView(attempt=number, why=unproven.why))


@router.post("/stacks/{stack:path}/unlock", response_model=Accepted, status_code=202)
@guarded(Right.UNLOCK, Over.STACK)
def unlock(once: Acting, stack: str, said: Freed) -> Response:
    """Free the tool's own lock that one of our runs left behind; others' locks are not ours to free."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        outside = once.hands(found.post)
        lock = lock_of_ours(outside, found.key)
        if lock != said.lock:
            raise Conflict(f"{found.key.short} is locked by another lock than was seen")
        free(outside, found.reading, once.caller, found.key, lock)
        return Accepted(
            act="unlock", stack=found.key.short, key=str(found.key), by=once.caller.actor, notes=[f"freed lock {lock}"]
        )

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/resolve", response_model=Resolved, status_code=202)
@guarded(Right.UNLOCK, Over.STACK)
def resolve(once: Acting, stack: str, said: Dead) -> Response:
    """Say that nothing of an attempt is alive any more, where no host can prove it."""
    found = spot(once.house, stack)

    def act() -> Resolved:
        outside = once.hands(found.post)
        unproven = unproven_of(outside, found.key)
        number = unproven.attempt.number if unproven.attempt else 0
        if number != said.attempt:
            raise Conflict(f"{found.key.short} is in doubt about attempt {number}, not {said.attempt}")
        dead = AttemptDead(attempt=number, by=once.caller.actor, reason=said.reason)
        with begun(outside, once.caller, found.reading, "resolve") as run:
            state = settle(outside, found.reading, found.key, dead, run)
        told = telling.Resolved(key=found.key, said=dead, why=unproven.why, state=state)
        return Resolved(
            act="resolve",
            stack=found.key.short,
            key=str(found.key),
            run=run.number,
            position=once.position(run.number),
            by=once.caller.actor,
            notes=[unproven.why],
            resolved=ResolvedView.model_validate(telling.value(told)),
        )

    return once.answer(said, act)

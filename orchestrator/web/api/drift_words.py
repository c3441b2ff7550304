"""``POST /api/v1/stacks/…/drift/check|ignore|heed``: a look that somebody asks for, and their word on what it found."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, StringConstraints

from orchestrator.engine.acts.drift_words import Exemption, heed_again, leave_alone
from orchestrator.engine.acts.until import Until
from orchestrator.errors import UsageError
from orchestrator.rules.difference import Difference
from orchestrator.rules.rights import Right
from orchestrator.web.api.once import Accepted, Acting, Once, Reason, Said
from orchestrator.web.api.scope import Spot, spot
from orchestrator.web.gate import GatedRoute, Over, guarded
from orchestrator.web.looking import look_now

router: Final = APIRouter(route_class=GatedRoute)

What = Annotated[str, Field(min_length=1, max_length=1000, description="ADDRESS or ADDRESS#ATTRIBUTE.")]


class LeftAlone(Said):
    """A wish that a difference is left alone."""

    what: What
    until: AwareDatetime
    reason: Annotated[Reason, StringConstraints(min_length=1)]


class Heeded(Said):
    """A wish that a difference counts again."""

    what: What


@router.post("/stacks/{stack:path}/drift/check", response_model=Accepted, status_code=202)
@guarded(Right.PLAN, Over.STACK)
def check(once: Acting, stack: str, said: Said) -> Response:
    """Look for drift now, in a run of its own."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        if found.row.state.applied is None:
            raise UsageError(f"{found.key.short} was never applied", code="HF-1906")
        run = look_now(once.house, once.hands(found.post), found.reading, once.caller, found.key)
        return _accepted(once, found, "check", run=run)

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/drift/ignore", response_model=Accepted, status_code=202)
@guarded(Right.APPLY, Over.STACK)
def ignore(once: Acting, stack: str, said: LeftAlone) -> Response:
    """Have a difference left alone until a time."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        until = Until(at=said.until.timestamp(), said=f"until: {said.until.isoformat()}")
        wish = Exemption(of=Difference.parse(said.what), until=until, reason=said.reason)
        done = leave_alone(once.hands(found.post), found.reading, once.caller, found.key, wish)
        notes = [] if done.met else ["nothing that is known to differ is meant by it"]
        notes += ["an apply for another reason would still put it back"] if done.reverted else []
        return _accepted(once, found, "ignore", *notes)

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/drift/heed", response_model=Accepted, status_code=202)
@guarded(Right.APPLY, Over.STACK)
def heed(once: Acting, stack: str, said: Heeded) -> Response:
    """Take such a word back."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        outside, of = once.hands(found.post), Difference.parse(said.what)
        heed_again(outside, found.reading, once.caller, found.key, of, reason=said.reason)
        return _accepted(once, found, "heed")

    return once.answer(said, act)


def _accepted(once: Once, found: Spot, act: str, *notes: str, run: int | None = None) -> Accepted:
    return Accepted(
        act=act, stack=found.key.short, key=str(found.key), run=run, by=once.caller.actor, notes=list(notes)
    )

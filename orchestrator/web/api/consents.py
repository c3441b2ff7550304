"""``POST /api/v1/stacks/…/approve|reject|apply``: a word on exactly the proposal that was seen."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import Field

from orchestrator.engine.acts import consent
from orchestrator.engine.acts.caller import begun
from orchestrator.engine.acts.consent import Waiting, Word
from orchestrator.engine.acts.words import nudge
from orchestrator.engine.standings import situation_of
from orchestrator.errors import Denied, UsageError
from orchestrator.model.action import Apply
from orchestrator.rules.rights import Right, allowed
from orchestrator.web.api.once import Accepted, Acting, Once, Said
from orchestrator.web.api.scope import Spot, spot
from orchestrator.web.gate import GatedRoute, Over, guarded
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)


class Answered(Said):
    """A word on a proposal, which its number names."""

    #: The number of the proposal that was seen.
    proposal: Annotated[int, Field(ge=1, le=2**53)]
    #: Its digest, for whoever wants to be sure of more than its number.
    digest: Annotated[str, Field(max_length=128)] = ""


class Consented(Answered):
    """A yes to a proposal."""

    #: A yes even where it may create something a second time.
    accept_duplicates: bool = False


@router.post("/stacks/{stack:path}/approve", response_model=Accepted, status_code=202)
@guarded(Right.APPROVE, Over.STACK)
def approve(once: Acting, stack: str, said: Consented) -> Response:
    """Say yes to exactly what is proposed: any change to what would be done voids it."""
    found = spot(once.house, stack)
    return once.answer(said, lambda: _yes(once, found, said, "approve", _waiting(once, found, said)))


@router.post("/stacks/{stack:path}/apply", response_model=Accepted, status_code=202)
@guarded(Right.APPLY, Over.STACK)
def apply(once: Acting, stack: str, said: Consented) -> Response:
    """Say yes to exactly what is proposed, where one's own yes is asked for, and have it applied before all else."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        one = _waiting(once, found, said)
        if isinstance(situation_of(found.outside, one.asked).action, Apply):
            # Everybody who is asked has said yes already.
            nudge(once.hands(found.post), found.key, f"{once.caller.actor} asked for it")
            return _accepted(once, one, "apply", None)
        if not allowed(once.who, Right.APPROVE, found.key):
            raise Problem(403, detail="a yes is missing, and to say it is not yours")
        return _yes(once, found, said, "apply", one)

    return once.answer(said, act)


@router.post("/stacks/{stack:path}/reject", response_model=Accepted, status_code=202)
@guarded(Right.APPROVE, Over.STACK)
def reject(once: Acting, stack: str, said: Answered) -> Response:
    """Say no to what is proposed: every yes is void, and nothing applies it before somebody says yes after all."""
    found = spot(once.house, stack)

    def act() -> Accepted:
        one, outside = _waiting(once, found, said), once.hands(found.post)
        with begun(outside, once.caller, found.reading, "reject") as run:
            word = Word(caller=once.caller, reason=said.reason)
            consent.reject(outside, found.key, one.proposal, word, run=run.number)
        return _accepted(once, one, "reject", run.number)

    return once.answer(said, act)


def _yes(once: Once, found: Spot, said: Consented, act: str, one: Waiting) -> Accepted:
    refused = consent.unheard(one, once.caller, once.house.operator.teams)
    if refused:
        raise Denied(refused, code="HF-4101")
    outside = once.hands(found.post)
    word = Word(caller=once.caller, reason=said.reason, duplicates=said.accept_duplicates)
    with begun(outside, once.caller, found.reading, act) as run:
        consent.approve(outside, found.key, one.proposal, word, run=run.number)
    return _accepted(once, one, act, run.number)


def _waiting(once: Once, found: Spot, said: Answered) -> Waiting:
    """Return the proposal that was seen. Raises UsageError (HF-1906) where it does not stand."""
    every = consent.waiting(once.hands(found.post), found.reading, [found.key])
    if not every:
        raise UsageError(f"nothing waits for a word in {found.key.short}", code="HF-1906")
    consent.seen(every, said.proposal)
    (one,) = every
    if said.digest and said.digest != one.proposal.changes_digest:
        raise UsageError(f"proposal {said.proposal} of {found.key.short} has another digest", code="HF-1906")
    return one


def _accepted(once: Once, one: Waiting, act: str, run: int | None) -> Accepted:
    return Accepted(
        act=act,
        stack=one.key.short,
        key=str(one.key),
        run=run,
        position=once.position(run) if run else None,
        proposal=one.proposal.number,
        digest=one.proposal.changes_digest,
        by=once.caller.actor,
    )

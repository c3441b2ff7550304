"""``POST /api/v1/runs/rollback``: a stack that goes back while somebody waits; ``/runs/…/answer``: their word on it.

The hold is the run's to put back: where no answer comes nothing stays half decided, whatever became of who asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import InvalidStateError
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field

from orchestrator.engine.acts.consent import Word
from orchestrator.engine.acts.holds import Holding, Target, back
from orchestrator.engine.errand import Errand, standing_proposal
from orchestrator.engine.going_back import Answer, go_back
from orchestrator.engine.outside import read_at
from orchestrator.errors import UsageError
from orchestrator.model.observed import HoldKind, Proposal
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.rules.rights import Right, allowed
from orchestrator.rules.stillness import held_at
from orchestrator.telling import errands as telling
from orchestrator.telling.errands import Needs
from orchestrator.telling.rows import Row
from orchestrator.web.api.courses import RolledBack
from orchestrator.web.api.errands import At, Begun, Key, Seen, begin, site_of, stop_of, told
from orchestrator.web.api.once import Accepted, Acting, Once, Said
from orchestrator.web.api.runs import Number
from orchestrator.web.errands import Outcome
from orchestrator.web.gate import Gate, GatedRoute, Over, admit, guarded
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)

#: Seconds in which somebody who was shown a plan answers: then the stack stays as it was.
_PATIENCE_S: Final = 600.0


class BackWanted(RolledBack):
    """A wish that a stack goes back now."""

    stack: Key


class Answered(Said):
    """The answer to what a run asks."""

    #: The plans that are to be applied, as they were seen; all others stay as they were.
    plans: Annotated[list[Seen], Field(max_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """An answer, as it was taken."""

    seen: dict[StackKey, Proposal]
    yes: dict[StackKey, Word]


@router.post("/runs/rollback", response_model=Begun, status_code=202)
@guarded(Right.APPLY, Over.SOMETHING)
def rollback(once: Acting, said: BackWanted) -> Response:
    """Hold a stack at an earlier revision and plan it there, in a run of its own that waits for an answer."""
    at = site_of(once, Right.APPLY, [said.stack])

    def act() -> Begun:
        outside, reading = at.site.outside, at.site.reading
        (key,) = at.keys
        revision = back(outside, reading, key, said.to, lambda name: read_at(outside, reading.source, name))
        target = Target(kind=HoldKind.REVISION, revision=revision, reason=said.reason)
        holding = Holding(outside=outside, source=reading.source, caller=once.caller, targets={key: target})
        return begin(once, "rollback", at.site, lambda run, outcome: _go(once, at, holding, run, outcome))

    return once.answer(said, act)


@router.post("/runs/{run}/answer", response_model=Accepted, status_code=202)
@guarded(Right.VIEW, Over.SOMETHING)
def answer(request: Request, once: Acting, run: Number, said: Answered) -> Response:
    """Answer what a run of one's own asks: the plans that are applied; what is not named stays as it was."""
    found = once.house.errands.of(run, once.who.name)
    if found is None or found.verb != "rollback":
        admit(Gate(right=Right.APPLY, over=Over.RUN), request)
        raise Problem(409, code="HF-4132", detail=f"run {run} asks you nothing")
    at = site_of(once, Right.APPLY, [one.stack for one in said.plans]) if said.plans else None

    def act() -> Accepted:
        heard = _heard(once, at, said) if at else _Heard(seen={}, yes={})
        if at and not found.asks:
            raise UsageError(f"run {run} asks nothing yet", code="HF-1906", hint=f"holdfast show {run}")
        try:
            found.answer.set_result(heard)
        except InvalidStateError:
            raise UsageError(
                f"run {run} no longer waits for an answer", code="HF-1906", hint=f"holdfast show {run}"
            ) from None
        return Accepted(act="answer", run=run, by=once.caller.actor)

    return once.answer(said, act)


def _heard(once: Once, at: At, said: Answered) -> _Heard:
    """Return what is said. Raises UsageError (HF-1906) where another plan stands by now, Problem (403)."""
    word = Word(caller=once.caller, reason=said.reason)
    heard = _Heard(seen={}, yes={})
    for one in said.plans:
        key = StackKey.parse(one.stack)
        heard.seen[key] = standing_proposal(at.site, key, one.proposal, one.digest)
        if one.yes:
            if not allowed(once.who, Right.APPROVE, key):
                raise Problem(403, detail=f"a yes to {key.short} is missing, and to say it is not yours")
            heard.yes[key] = word
    return heard


def _go(once: Once, at: At, holding: Holding, run: Run, outcome: Outcome) -> None:
    planning, applying = (
        Errand(
            site=at.site,
            run=run,
            stop=stop_of(once, at.site, run, with_service=with_service),
            tell=outcome.tell,
            holds=True,
        )
        # What changes the world is left to its keeper where the service ends.
        for with_service in (True, False)
    )

    def ask(rows: Sequence[Row]) -> Answer:
        found = [*told(planning, rows, accept_duplicates=False)]
        asked = {one.row.key: one.needs for one in found if one.needs is not Needs.NOTHING}
        if not asked:
            return Answer(seen={}, yes={}, refused=frozenset())
        heard = outcome.ask(
            [telling.value(one) for one in found], within_s=_PATIENCE_S, stopped=lambda: planning.stop.wanted
        )
        if not isinstance(heard, _Heard):
            return Answer(seen={}, yes={}, refused=frozenset(asked))
        ready = {key for key, needs in asked.items() if needs is Needs.AGREED}
        ready |= {key for key, needs in asked.items() if needs is Needs.YES and key in heard.yes}
        seen = {key: one for key, one in heard.seen.items() if key in ready}
        yes = {key: word for key, word in heard.yes.items() if key in seen}
        return Answer(seen=seen, yes=yes, refused=frozenset(asked.keys() - seen.keys()))

    went = go_back(planning, applying, holding, ask)
    outcome.rows = [telling.value(telling.Told(row=row)) for row in went.rows]
    outcome.interrupted = applying.stop.wanted
    outcome.unplanned = [key.short for key in went.unplanned]
    still = [held_at(row.key, at.site.outside.record.row(str(row.key)).state) for row in went.rows]
    outcome.held = {one.key.short: "; ".join(one.words) for one in still if one}

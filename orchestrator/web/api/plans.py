"""``/api/v1/stacks/…/plan``: what is proposed for a stack, masked."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, JsonValue

from adapters.contract import Plan
from orchestrator.engine.intents import intent_behind, intent_of
from orchestrator.engine.outside import Outside
from orchestrator.engine.planning import stored_plan
from orchestrator.engine.standings import proposed, situation_of
from orchestrator.engine.survey import Survey
from orchestrator.errors import RecordError
from orchestrator.model.observed import Proposal
from orchestrator.rules.rights import Right
from orchestrator.telling import plans
from orchestrator.telling.intents import of_attempt, whole_value
from orchestrator.web.api.paging import fresh
from orchestrator.web.api.scope import Spot, spot
from orchestrator.web.gate import GatedRoute, House, Over, guarded

router: Final = APIRouter(route_class=GatedRoute)


class CountsView(BaseModel):
    """How many resources a plan touches."""

    create: int
    update: int
    replace: int
    delete: int
    unknown: int
    moved: int
    imported: int


class AttributeView(BaseModel):
    """One attribute before and after; sensitive values are masked."""

    path: str
    before: JsonValue
    after: JsonValue
    sensitive: bool
    computed: bool
    forces_replacement: bool


class ChangeView(BaseModel):
    """What would become of one resource."""

    address: str
    kind: str
    destructive: bool
    reason: str
    attributes: list[AttributeView]


class ProblemView(BaseModel):
    """What the tool has to say."""

    severity: str
    summary: str
    detail: str
    file: str
    line: int | None


class PlanView(BaseModel):
    """A stack's plan: the document of `holdfast show STACK -o json`. ``proposal`` is null where nothing waits."""

    stack: str
    key: str
    tool: str
    result: str
    why: str
    code: str
    run: int | None
    proposal: int | None
    revision: str | None
    goal: str | None
    digest: str | None
    counts: CountsView
    changes: list[ChangeView]
    outputs_changing: list[str]
    warnings: list[str]
    problems: list[ProblemView]


class ShownView(PlanView):
    """What is proposed for a stack and why, and why it was last applied; null where nobody wrote that down."""

    proposed: dict[str, JsonValue] | None
    applied: dict[str, JsonValue] | None


@router.get("/stacks/{stack:path}/plan", response_model=ShownView)
@guarded(Right.VIEW, Over.STACK)
def plan(request: Request, house: House, stack: str) -> Response:
    """Return what is proposed for a stack."""
    return fresh(request, _view(spot(house, stack)))


def _view(found: Spot) -> ShownView:
    asked = Survey(found.outside, found.reading).look(found.key)
    proposal = proposed(asked) if asked else None
    tool = asked.stack.tool if asked else ""
    applied = intent_behind(found.outside, asked) if asked else None
    why = {"applied": of_attempt(found.key.short, applied, whole=True) if applied else None, "proposed": None}
    if asked is None or proposal is None:
        because = situation_of(found.outside, asked).why if asked else "it is no longer in its source"
        told = plans.Told(result="none", why=because)
        return ShownView.model_validate({**plans.value(found.key, tool, told, None, None), **why})
    told = plans.Told(result="changes", why=plans.named(proposal))
    if asked.observed.rejected == proposal.binding(str(found.key)):
        told = plans.Told(result="denied", why=f"{told.why}, rejected by {asked.observed.rejected_because}")
    intent = intent_of(found.outside, asked, proposal, found.outside.record.run(proposal.run))
    why["proposed"] = whole_value(intent)
    planned = plans.value(found.key, tool, told, proposal, plan_of(found.outside, proposal))
    return ShownView.model_validate({**planned, **why})


def plan_of(outside: Outside, proposal: Proposal) -> Plan | None:
    """Return the masked plan of a proposal, None where its detail is no longer kept."""
    try:
        return stored_plan(outside, proposal)
    except RecordError:
        return None

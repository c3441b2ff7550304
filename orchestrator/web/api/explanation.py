"""``/api/v1/stacks/…/explanation``: what is next for a stack and why, and where each of its settings was said."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, JsonValue

from orchestrator.engine.explaining import explain, value
from orchestrator.rules.rights import Right
from orchestrator.web.api.paging import fresh
from orchestrator.web.api.scope import spot
from orchestrator.web.gate import GatedRoute, House, Over, guarded

router: Final = APIRouter(route_class=GatedRoute)


class NextView(BaseModel):
    """What is next, and why."""

    action: str
    reason: str
    why: str
    until: str | None
    sentence: str


class WaitView(BaseModel):
    """Something that it waits for."""

    kind: str
    id: int
    why: str


class SettingView(BaseModel):
    """A setting as it is written, and where."""

    name: str
    value: JsonValue
    origin: str


class ExplanationView(BaseModel):
    """The document of `holdfast explain STACK -o json`."""

    stack: str
    key: str
    tool: str
    sync: str
    health: str
    next: NextView
    applied: list[str]
    revision: str
    changed: list[str]
    approvers: list[str]
    waits: list[WaitView]
    waiting: list[str]
    trouble: list[str]
    drift: list[str]
    settings: list[SettingView]


@router.get("/stacks/{stack:path}/explanation", response_model=ExplanationView)
@guarded(Right.VIEW, Over.STACK)
def explanation(request: Request, house: House, stack: str) -> Response:
    """Return what is next for a stack and why; 409 where it is no longer in its source."""
    found = spot(house, stack)
    told = value(explain(found.outside, found.reading, house.operator.teams, found.key), house.clock.now())
    return fresh(request, ExplanationView.model_validate(told))

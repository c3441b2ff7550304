"""``/api/v1/stacks/…/drift``: what the last look found, and what drifted before."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from orchestrator.engine.judging import judged_of
from orchestrator.rules.rights import Right
from orchestrator.telling import drift as telling
from orchestrator.web.api.paging import fresh
from orchestrator.web.api.plans import ChangeView
from orchestrator.web.api.scope import spot
from orchestrator.web.gate import GatedRoute, House, Over, guarded

router: Final = APIRouter(route_class=GatedRoute)


class WitnessView(BaseModel):
    """Who may have changed it."""

    who: str | None
    at: str | None
    what: str
    source: str
    confidence: str


class ItemView(BaseModel):
    """One difference."""

    will_be_reverted: bool
    first_seen: str | None
    last_seen: str | None
    times: int
    occurrences: int
    witnesses: list[WitnessView]
    #: Whether anybody was asked yet.
    witnesses_asked: bool
    change: ChangeView


class RuleView(BaseModel):
    """A rule that has drift left alone."""

    what: str
    owner: str
    reason: str
    until: str | None


class IgnoredView(ItemView):
    """A difference that is left alone."""

    rule: RuleView


class DriftView(BaseModel):
    """What the last look found: the document of `holdfast drift --show -o json`."""

    stack: str
    key: str
    drifted: bool | None
    looked_at: str | None
    first_seen: str | None
    last_seen: str | None
    times: int
    revision: str | None
    items: list[ItemView]
    unconfirmed: list[ItemView]
    ignored: list[IgnoredView]
    expired: list[RuleView]
    repairs: int
    recurring: bool
    answer: str
    confirm: int
    answered: str
    blind_spots: list[str]
    problem: str
    code: str


class OccurrenceView(BaseModel):
    """One difference from the look that first saw it to its end."""

    address: str
    path: str
    kind: str
    expected: str
    actual: str
    will_be_reverted: bool
    revision: str
    since: str
    until: str | None
    ended: str | None
    run: int | None
    by: str
    unseen_at: str | None
    asked_at: str | None
    witnesses: list[WitnessView]


class HistoryView(BaseModel):
    """What drifted before: the document of `holdfast drift --history -o json`."""

    stack: str
    key: str
    repairs: int
    recurring: bool
    occurrences: list[OccurrenceView]


@router.get("/stacks/{stack:path}/drift", response_model=DriftView)
@guarded(Right.VIEW, Over.STACK)
def drift(request: Request, house: House, stack: str) -> Response:
    """Return what the last look at a stack found; starts no tool."""
    found = spot(house, stack)
    looks = found.row.looks
    problem = found.row.state.drift_check_error or ("" if looks.drift_at else "nobody has looked yet")
    judged = judged_of(found.outside, found.reading, found.key, found.row)
    said = telling.Said(blind_spots=looks.blind_spots, problem=problem)
    return fresh(request, DriftView.model_validate(telling.value(found.key, judged, looks, said)))


@router.get("/stacks/{stack:path}/drift/history", response_model=HistoryView)
@guarded(Right.VIEW, Over.STACK)
def history(request: Request, house: House, stack: str) -> Response:
    """Return each time that something of a stack drifted, and how it ended."""
    found = spot(house, stack)
    judged = judged_of(found.outside, found.reading, found.key, found.row)
    return fresh(request, HistoryView.model_validate(telling.history_value(found.key, judged)))

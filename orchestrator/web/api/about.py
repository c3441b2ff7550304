"""``/api/v1/about``: which release answers, and to whom."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

import orchestrator
from orchestrator.rules.rights import Right
from orchestrator.web.api.paging import fresh
from orchestrator.web.gate import GatedRoute, Over, Who, guarded

router: Final = APIRouter(route_class=GatedRoute)


class You(BaseModel):
    """Who asks."""

    name: str
    #: Whose the token is, and under whose name its word counts; empty where it is a program's.
    person: str
    roles: list[str]
    can: list[Right]


class About(BaseModel):
    """What answers."""

    name: str = "holdfast"
    version: str
    you: You


@router.get("/about", response_model=About)
@guarded(Right.VIEW, Over.SOMETHING)
def about(request: Request, who: Who) -> Response:
    """Say which release answers, and what whoever asks may do."""
    can = sorted({right for role in who.roles for right in role.rights})
    you = You(name=who.name, person=who.person, roles=[role.name for role in who.roles], can=can)
    return fresh(request, About(version=orchestrator.__version__, you=you))

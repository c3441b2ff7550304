"""``POST /api/v1/look``: sources that somebody wants looked at now, and not when it is their turn."""

from __future__ import annotations

import time
from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from orchestrator.engine.post import Post
from orchestrator.engine.watching import sight_of
from orchestrator.rules.rights import Right, allowed
from orchestrator.web.api.once import Acting, Once, Said
from orchestrator.web.api.scope import readings, theirs
from orchestrator.web.gate import GatedRoute, Over, guarded

router: Final = APIRouter(route_class=GatedRoute)

#: Seconds that somebody waits at most for the looks to end, and between two questions whether they have.
_PATIENCE_S: Final = 60.0
_EVERY_S: Final = 0.05


class LookWanted(Said):
    """A wish that sources are looked at."""

    #: Only this one; empty means all.
    source: Annotated[str, Field(max_length=256)] = ""
    #: So many seconds it is waited for that they were.
    within_s: Annotated[float, Field(ge=0.0, le=_PATIENCE_S)] = 0.0


class SightView(BaseModel):
    """What a look at a source found."""

    name: str
    #: Whether it was looked at in the time that one waits for it.
    looked: bool
    revision: str
    #: Why the look came to nothing; empty where it did not.
    code: str
    message: str


class SightsView(BaseModel):
    """What the looks found."""

    sources: list[SightView]


@router.post("/look", response_model=SightsView, status_code=202)
@guarded(Right.PLAN, Over.SOMETHING)
def look(once: Acting, said: LookWanted) -> Response:
    """Have the sources looked at now of which something is theirs to plan, and tell what that found."""
    posts = [
        post
        for post, reading in readings(once.house, said.source)
        if any(allowed(once.who, Right.PLAN, key) for key in theirs(once.who, post, reading))
    ]
    return once.answer(said, lambda: SightsView(sources=_looked(once, posts, said.within_s)))


def _looked(once: Once, posts: list[Post], within_s: float) -> list[SightView]:
    house, began = once.house, once.house.clock.now()
    for post in posts:
        house.dispatch.nudge(post.source.id, f"{once.who.name} asked for it")
    until = time.monotonic() + within_s
    found = [_sight(once, post, began) for post in posts]
    while not all(one.looked for one in found) and time.monotonic() < until and not house.stopping():
        time.sleep(_EVERY_S)
        found = [_sight(once, post, began) for post in posts]
    return found


def _sight(once: Once, post: Post, began: float) -> SightView:
    sight = sight_of(once.house.record, post.source.id)
    mask = once.house.served.host.masker()
    return SightView(
        name=post.source.id,
        looked=sight.looked_at >= began,
        revision=sight.revision,
        code=sight.code if sight.failures else "",
        message=mask(sight.message) if sight.failures else "",
    )

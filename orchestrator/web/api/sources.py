"""``/api/v1/sources``: where desired state is versioned, and how the last looks at it went."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from orchestrator.engine.post import Post
from orchestrator.engine.watching import sight_of
from orchestrator.rules.freshness import read_lately
from orchestrator.rules.rights import Right, SourceName, allowed
from orchestrator.web.api.paging import Cursor, Limit, Page, cut, fresh
from orchestrator.web.api.times import stamp
from orchestrator.web.gate import GatedRoute, House, Over, Who, guarded
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)


class SourceView(BaseModel):
    """A source as whoever may see it sees it: never how it is logged in to."""

    name: str
    kind: str
    ref: str
    every_s: float
    #: Whether a hook may have it looked at sooner.
    hook: bool
    #: The newest revision that could be read, empty where none ever was.
    revision: str
    read_at: str | None
    looked_at: str | None
    #: Whether it was read lately.
    fresh: bool
    #: Looks in a row that came to nothing, and why the last one did.
    failures: int
    code: str
    message: str


@router.get("/sources", response_model=Page[SourceView])
@guarded(Right.VIEW, Over.SOMETHING)
def sources(request: Request, house: House, who: Who, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """List the sources that are served and that are theirs to see, by name."""
    theirs = [post for post in house.served.posts.every() if allowed(who, Right.VIEW, SourceName(post.source.id))]
    some, more = cut(theirs, lambda post: post.source.id, cursor, limit)
    return fresh(request, Page[SourceView](items=[_view(house, post) for post in some], next=more))


@router.get("/sources/{source}", response_model=SourceView)
@guarded(Right.VIEW, Over.SOURCE)
def one_source(request: Request, house: House, source: str) -> Response:
    """Return one source."""
    post = house.served.posts.get(source)
    if post is None:
        raise Problem(404)
    return fresh(request, _view(house, post))


def _view(house: Inside, post: Post) -> SourceView:
    sight, source = sight_of(house.record, post.source.id), post.source
    return SourceView(
        name=source.id,
        kind=source.kind.value,
        ref=source.ref,
        every_s=source.every_s,
        hook=source.id in house.operator.hooks,
        revision=sight.revision,
        read_at=stamp(sight.read_at),
        looked_at=stamp(sight.looked_at),
        fresh=read_lately(sight.read_at, source.every_s, house.clock.now()),
        failures=sight.failures,
        code=sight.code,
        message=house.served.host.masker()(sight.message),
    )

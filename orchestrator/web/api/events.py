"""``/api/v1/events``: what happened, in order, for whoever reads on where they left off."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from orchestrator.ports import Entry
from orchestrator.rules.rights import Right
from orchestrator.telling.runs import event_value
from orchestrator.web.api.paging import Cursor, Limit, fresh, make_cursor, numbered
from orchestrator.web.api.seeing import sees
from orchestrator.web.gate import GatedRoute, House, Over, Who, guarded
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)

#: So many events are looked through for one page.
_FURTHEST: Final = 10_000
_BATCH: Final = 500


class EventView(BaseModel):
    """Something that happened, as `holdfast show RUN -o json` tells it, with its stack in full."""

    seq: int
    at: str
    stack: str
    key: str
    run: int | None
    kind: str
    actor: str
    sentence: str


class Feed(BaseModel):
    """Some of what happened."""

    items: list[EventView]
    #: What to ask for to read on, now or later.
    next: str
    #: Whether there may be more already.
    more: bool


OfStack = Annotated[str, Query(max_length=512, description="Only of this stack, by its full key.")]


@router.get("/events", response_model=Feed)
@guarded(Right.VIEW, Over.SOMETHING)
def events(
    request: Request, house: House, who: Who, stack: OfStack = "", cursor: Cursor = "", limit: Limit = 50
) -> Response:
    """List what happened to stacks that are theirs to see, oldest first."""
    if not stack.isprintable():
        raise Problem(400, detail="stack: not a full key")
    items: list[EventView] = []
    at, looked = numbered(cursor) or 0, 0
    while looked < _FURTHEST:
        some = house.record.events(stack=stack or None, after=at, limit=_BATCH)
        for entry in some:
            at, looked = entry.seq, looked + 1
            if sees(who, entry.stack):
                items.append(_view(entry))
            if len(items) == limit:
                return fresh(request, Feed(items=items, next=make_cursor(str(at)), more=True))
        if len(some) < _BATCH:
            return fresh(request, Feed(items=items, next=make_cursor(str(at)), more=False))
    return fresh(request, Feed(items=items, next=make_cursor(str(at)), more=True))


def _view(entry: Entry) -> EventView:
    return EventView.model_validate({**event_value(entry), "key": entry.stack, "run": entry.run or None})

"""``/api/v1/stacks``: where each stack stands, and what is to be said of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, JsonValue

from adapters.contract import MASK
from orchestrator.engine.documents import standing_of
from orchestrator.engine.standings import Situation, standings
from orchestrator.engine.values import stored_outputs
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import StackKey
from orchestrator.rules.choosing import named
from orchestrator.rules.rights import Right
from orchestrator.web.api.paging import Cursor, Limit, Page, cut, fresh
from orchestrator.web.api.scope import Which, chosen, known, readings, spot
from orchestrator.web.gate import GatedRoute, House, Over, Who, guarded
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)


class HoldView(BaseModel):
    """Somebody keeps the stack at a revision, or down."""

    kind: str
    revision: str
    by: str
    reason: str


class SuspensionView(BaseModel):
    """Somebody has the stack rest."""

    why: str
    by: str
    until: str | None


class NextView(BaseModel):
    """What is done next."""

    action: str
    reason: str
    until: str | None


class StackView(BaseModel):
    """Where a stack stands: the document of `holdfast status -o json`."""

    stack: str
    key: str
    tool: str
    sync: str
    health: str
    conditions: dict[str, bool]
    revision: str | None
    asked_revision: str | None
    applied_at: str | None
    verified_at: str | None
    run: int | None
    proposal: int | None
    drifted: int
    unconfirmed: int
    ignored: int
    hold: HoldView | None
    suspensions: list[SuspensionView]
    lost: bool
    next: NextView | None
    why: str


class OutputView(BaseModel):
    """One value that a stack hands to others."""

    value: JsonValue
    sensitive: bool


class OutputsView(BaseModel):
    """The document of `holdfast outputs -o json`, with the revision that they are of; null where none was applied."""

    revision: str | None
    outputs: dict[str, OutputView]


class NameView(BaseModel):
    """What a stack is called."""

    stack: str
    key: str


@router.get("/stacks", response_model=Page[StackView])
@guarded(Right.VIEW, Over.SOMETHING)
def stacks(request: Request, house: House, who: Who, wanted: Which, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """List where the stacks stand that are theirs to see, by key; without `which` also those that left their source."""
    found = set(chosen(house, who, wanted))
    if not wanted.which:
        every = known(house, who, wanted.source)
        found |= {key for key in every if wanted.environment in {"", key.environment}}
    some, more = cut(sorted(found, key=str), str, cursor, limit)
    items = [StackView.model_validate(standing_of(one)) for one in _situations(house, some)]
    return fresh(request, Page[StackView](items=items, next=more))


@router.get("/names", response_model=Page[NameView])
@guarded(Right.VIEW, Over.SOMETHING)
def names(request: Request, house: House, who: Who, wanted: Which, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """List the stacks that words mean, of those that are theirs to see; those that left their source among them."""
    every = known(house, who, wanted.source)
    meant = {key for word in wanted.which for key in named(word, wanted.environment, every)}
    some, more = cut(sorted(meant if wanted.which else every, key=str), str, cursor, limit)
    return fresh(request, Page[NameView](items=[NameView(stack=one.short, key=str(one)) for one in some], next=more))


@router.get("/stacks/{stack:path}/outputs", response_model=OutputsView)
@guarded(Right.VIEW, Over.STACK)
def outputs(request: Request, house: House, stack: str) -> Response:
    """Return the values that a stack hands to others, as they were when it was applied; sensitive ones are masked."""
    found = spot(house, stack)
    applied = found.row.state.applied
    if applied is None:
        return fresh(request, OutputsView(revision=None, outputs={}))
    try:
        values = stored_outputs(found.outside, applied)
    except OrchestratorError as error:
        raise Problem(409, code=error.code, detail="their values are no longer kept") from error
    shown = {
        name: OutputView(value=MASK if one.sensitive else one.value, sensitive=one.sensitive)
        for name, one in sorted(values.items())
    }
    return fresh(request, OutputsView(revision=applied.revision, outputs=shown))


#: Behind every noun below a stack: its own path ends in anything.
last: Final = APIRouter(route_class=GatedRoute)


@last.get("/stacks/{stack:path}", response_model=StackView)
@guarded(Right.VIEW, Over.STACK)
def one_stack(request: Request, house: House, stack: str) -> Response:
    """Return where one stack stands."""
    found = next(_situations(house, [spot(house, stack).key]), None)
    if found is None:
        raise Problem(404)
    return fresh(request, StackView.model_validate(standing_of(found)))


def _situations(house: Inside, keys: Sequence[StackKey]) -> Iterator[Situation]:
    """Yield where stacks stand, in the order of their keys."""
    found: dict[StackKey, Situation] = {}
    for post, reading in readings(house):
        wanted = {key for key in keys if key.source == post.source.id}
        gone = wanted - reading.layout.stacks.keys()
        if wanted:
            environments = frozenset(key.environment for key in gone)
            found |= {one.key: one for one in standings(post.outside, reading, wanted - gone, gone_from=environments)}
    return (found[key] for key in keys if key in found)

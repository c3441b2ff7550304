"""``/api/v1/runs``: what was done, and what happened in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from orchestrator.engine.recorded import entries_of
from orchestrator.ports import Entry, Run
from orchestrator.rules.rights import Identity, Right, allowed
from orchestrator.telling import runs as telling
from orchestrator.web.api.paging import Cursor, Limit, Page, fresh, make_cursor, numbered
from orchestrator.web.api.seeing import sees
from orchestrator.web.gate import GatedRoute, House, Over, Who, guarded
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)

#: So many runs are looked through for one page.
_FURTHEST: Final = 1000
_BATCH: Final = 100


class IssueView(BaseModel):
    """An issue that a commit speaks of."""

    ref: str
    closes: bool


class PullView(BaseModel):
    """The pull request that brought a change; of one that is not `known` only a commit's words speak."""

    number: int
    title: str
    url: str
    author: str
    approvers: list[str]
    merged_at: str | None
    known: bool


class YesView(BaseModel):
    """Somebody's yes to exactly what was applied."""

    by: str
    at: str
    reason: str


class IntentView(BaseModel):
    """Why a stack was applied."""

    stack: str
    run: int
    attempt: int
    why: str
    purpose: str
    basis: str
    strange: list[str]
    repairs: bool
    revision: str
    since: str | None
    whole: bool
    covered: int
    undone: int
    authors: list[str]
    incidents: list[str]
    runbooks: list[str]
    issues: list[IssueView]
    pulls: list[PullView]
    approvals: list[YesView]
    unread: str


class RunView(BaseModel):
    """One run: the document of `holdfast runs -o json`. Of its stacks only those are named that are theirs to see."""

    run: int
    verb: str
    trigger: str
    result: str
    revision: str
    actor: str
    started_at: str
    ended_at: str | None
    stacks: list[str]
    intents: Sequence[IntentView]


class PersonView(BaseModel):
    """Somebody whom a commit names."""

    role: str
    who: str


class PermitView(BaseModel):
    """What a commit asks to be let do once."""

    act: str
    of: str
    may_count: bool


class CommitView(BaseModel):
    """What one commit says of itself."""

    id: str
    author: str
    email: str
    committed_at: str | None
    written_at: str | None
    subject: str
    merge: bool
    type: str
    scope: str
    breaking: bool
    reverts: list[str]
    purpose: str | None
    stated: bool
    pull: int | None
    people: list[PersonView]
    permits: list[PermitView]
    verified: bool | None
    unread: str


class WholeIntentView(IntentView):
    """Why a stack was applied, with each commit that was read."""

    commits: list[CommitView]


class WholeRunView(RunView):
    """One run: the document of `holdfast show RUN -o json` without what happened in it."""

    intents: Sequence[WholeIntentView]


class RunEventView(BaseModel):
    """Something that happened."""

    seq: int
    at: str
    stack: str
    kind: str
    actor: str
    sentence: str


Number = Annotated[int, Path(description="The number of a run.")]
Everything = Annotated[bool, Query(alias="all", description="Also those of which nothing came.")]


@router.get("/runs", response_model=Page[RunView])
@guarded(Right.VIEW, Over.SOMETHING)
def runs(
    request: Request, house: House, who: Who, *, everything: Everything = False, cursor: Cursor = "", limit: Limit = 50
) -> Response:
    """List the runs that did something to stacks that are theirs to see, newest first."""
    items: list[RunView] = []
    before, looked = numbered(cursor), 0
    while len(items) < limit and looked < _FURTHEST:
        some = house.record.runs(limit=_BATCH, before=before)
        if not some:
            return fresh(request, Page[RunView](items=items))
        for run in some:
            before, looked = run.number, looked + 1
            row = _row(house, who, run)
            if row is not None and (everything or not row.idle):
                items.append(_view(row))
            if len(items) == limit:
                break
    return fresh(request, Page[RunView](items=items, next=make_cursor(str(before))))


@router.get("/runs/{run}", response_model=WholeRunView)
@guarded(Right.VIEW, Over.RUN)
def one_run(request: Request, house: House, who: Who, run: Number) -> Response:
    """Return one run."""
    return fresh(request, WholeRunView.model_validate(telling.value(_found(house, who, run), whole=True)))


@router.get("/runs/{run}/events", response_model=Page[RunEventView])
@guarded(Right.VIEW, Over.RUN)
def events(request: Request, house: House, who: Who, run: Number, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """List what happened in a run to stacks that are theirs to see, oldest first."""
    after = numbered(cursor) or 0
    rest = [entry for entry in _found(house, who, run).entries if entry.seq > after]
    items = [RunEventView.model_validate(telling.event_value(entry)) for entry in rest[:limit]]
    more = make_cursor(str(rest[limit - 1].seq)) if len(rest) > limit else None
    return fresh(request, Page[RunEventView](items=items, next=more))


def _found(house: Inside, who: Identity, number: int) -> telling.Row:
    run = house.record.run(number)
    row = _row(house, who, run) if run else None
    if row is None:
        raise Problem(404)
    return row


def _row(house: Inside, who: Identity, run: Run) -> telling.Row | None:
    """Return a run as somebody may see it; None where it is not theirs."""
    entries: list[Entry] = [entry for entry in entries_of(house.record, run.number) if sees(who, entry.stack)]
    if not entries and not allowed(who, Right.VIEW, None):
        return None
    return telling.Row(run=run, entries=entries)


def _view(row: telling.Row) -> RunView:
    return RunView.model_validate(telling.value(row))

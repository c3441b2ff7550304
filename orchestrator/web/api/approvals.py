"""``/api/v1/approvals``: what waits for somebody's yes."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from orchestrator.engine.acts.consent import Waiting, unheard, waiting
from orchestrator.engine.errand import Site
from orchestrator.engine.gravity import gravity
from orchestrator.model.moment import stamp
from orchestrator.model.observed import State, TrackView
from orchestrator.model.stack import MAIN
from orchestrator.rules.eligible import who as who_may
from orchestrator.rules.rights import Identity, Right
from orchestrator.telling import counts
from orchestrator.telling.rows import Mark, Row
from orchestrator.web.acting import caller_of
from orchestrator.web.api.paging import Cursor, Limit, Page, cut, fresh
from orchestrator.web.api.plans import CountsView
from orchestrator.web.api.scope import readings, theirs
from orchestrator.web.gate import GatedRoute, House, Over, Who, guarded
from orchestrator.web.inside import Inside

router: Final = APIRouter(route_class=GatedRoute)


class YesView(BaseModel):
    """Somebody's yes to it."""

    by: str
    at: str
    reason: str


class ApprovalView(BaseModel):
    """A proposal that waits, and who may say yes to it."""

    stack: str
    key: str
    proposal: int
    digest: str
    run: int
    revision: str
    goal: str
    made_at: str
    counts: CountsView
    #: How many of them may lose something.
    destructive: int
    said: list[YesView]
    approvers: list[str]
    #: Why the word of whoever asks would not count; empty where it would.
    unheard: str
    #: Why a mere yes would not do, and a command asks for the stack's name; empty where it would.
    grave: str


@router.get("/approvals", response_model=Page[ApprovalView])
@guarded(Right.VIEW, Over.SOMETHING)
def approvals(request: Request, house: House, who: Who, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """List the proposals that wait for a word, of stacks that are theirs to see, by key."""
    found: list[tuple[Site, Waiting]] = []
    for post, reading in readings(house):
        rows = post.outside.record.rows(post.source.id)
        asking = {row.key for row in rows if _asks(row.state)}
        keys = [key for key in theirs(who, post, reading) if str(key) in asking]
        site = Site(outside=post.outside, reading=reading)
        found += [(site, one) for one in waiting(post.outside, reading, keys)]
    in_order = sorted(found, key=lambda one: str(one[1].key))
    some, more = cut(in_order, lambda one: str(one[1].key), cursor, limit)
    return fresh(request, Page[ApprovalView](items=[_view(house, who, site, one) for site, one in some], next=more))


def _asks(state: State) -> bool:
    return state.tracks.get(MAIN, TrackView()).asked


def _view(house: Inside, who: Identity, site: Site, one: Waiting) -> ApprovalView:
    proposal, asked = one.proposal, one.asked
    binding = proposal.binding(str(one.key))
    said = [consent for consent in asked.observed.consents if consent.binding == binding]
    teams = house.operator.teams
    return ApprovalView(
        stack=one.key.short,
        key=str(one.key),
        proposal=proposal.number,
        digest=proposal.changes_digest,
        run=proposal.run,
        revision=proposal.revision,
        goal=proposal.goal.value,
        made_at=stamp(proposal.made_at),
        counts=CountsView.model_validate(counts.value(proposal.counts)),
        destructive=proposal.counts.destructive,
        said=[YesView(by=consent.by, at=stamp(consent.at), reason=consent.reason) for consent in said],
        approvers=who_may(teams, asked.stack.policy, asked.desired.authors),
        unheard=unheard(one, caller_of(house, who), teams),
        grave=gravity(site, Row(key=one.key, tool=asked.stack.tool, mark=Mark.CHANGES, proposal=proposal)),
    )

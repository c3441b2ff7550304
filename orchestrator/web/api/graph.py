"""``/api/v1/graph``: which stack waits for which, and in which waves they are worked."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from orchestrator.engine.nodes import node_of
from orchestrator.engine.standings import standings
from orchestrator.model.stack import StackKey
from orchestrator.rules.order import Edges, edges, waves
from orchestrator.rules.order import dependents as dependents_of
from orchestrator.rules.rights import Identity, Right, allowed
from orchestrator.web.api.paging import fresh
from orchestrator.web.api.scope import Which, chosen, readings
from orchestrator.web.gate import GatedRoute, House, Over, Who, guarded

router: Final = APIRouter(route_class=GatedRoute)


class NodeView(BaseModel):
    """A stack, where it stands in a word or two, how urgent that is, and why."""

    stack: str
    key: str
    tool: str
    state: str
    mood: str
    why: str


class EdgeView(BaseModel):
    """A stack that another one waits for, both by their full keys."""

    upstream: str
    stack: str
    #: ``data`` where it takes an output, ``order`` where it only comes after it.
    kind: str


class GraphView(BaseModel):
    """Stacks, what they wait for, and the waves in which they are worked, by their full keys."""

    nodes: list[NodeView]
    edges: list[EdgeView]
    waves: list[list[str]]


Dependents = Annotated[bool, Query(description="Also the stacks that wait for these.")]
Bare = Annotated[bool, Query(description="Without where each stands.")]


@router.get("/graph", response_model=GraphView)
@guarded(Right.VIEW, Over.SOMETHING)
def graph(
    request: Request, house: House, who: Who, wanted: Which, *, dependents: Dependents = False, bare: Bare = False
) -> Response:
    """Return which stack waits for which, of those that are theirs to see."""
    meant = set(chosen(house, who, wanted))
    nodes: list[NodeView] = []
    found: list[EdgeView] = []
    ordered: list[list[tuple[StackKey, ...]]] = []
    for post, reading in readings(house, wanted.source):
        between = edges(reading.layout.stacks)
        keys = {key for key in meant if key in reading.layout.stacks}
        keys |= _waiting(who, between, keys) if dependents else set()
        if not bare:
            stand = [node_of(row) for row in standings(post.outside, reading, sorted(keys))]
            nodes += [
                NodeView(
                    stack=one.key.short, key=str(one.key), tool=one.tool, state=one.state, mood=one.mood, why=one.why
                )
                for one in stand
            ]
        found += [
            EdgeView(upstream=str(edge.upstream), stack=str(key), kind=edge.kind.value)
            for key in sorted(keys)
            for edge in sorted(between[key])
            if allowed(who, Right.VIEW, edge.upstream)
        ]
        ordered.append(list(waves(between, tuple(sorted(keys)))))
    merged = [[str(key) for key in chain(*wave)] for wave in zip_longest(*ordered, fillvalue=())]
    return fresh(request, GraphView(nodes=nodes, edges=found, waves=merged))


def _waiting(who: Identity, between: Edges, keys: set[StackKey]) -> set[StackKey]:
    """Return the stacks that wait for some, directly or not, and that are theirs to see."""
    return {key for key in dependents_of(between, sorted(keys)) if allowed(who, Right.VIEW, key)}

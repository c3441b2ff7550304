"""``/metrics``, behind a token unless the operator has it open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

import orchestrator
from adapters.contract import AdapterError
from orchestrator.engine.post import Posts, source_of
from orchestrator.engine.watching import sight_of
from orchestrator.errors import OrchestratorError
from orchestrator.report.metrics import Fares, SourceFares
from orchestrator.rules.rights import Right
from orchestrator.web.gate import GatedRoute, House, Over, guarded
from orchestrator.web.inside import Inside

router: Final = APIRouter(route_class=GatedRoute)


@router.get("/metrics", include_in_schema=False)
@guarded(Right.VIEW, Over.EVERYTHING, unless=lambda inside: inside.operator.metrics_open)
def metrics(house: House) -> Response:
    """Return every metric in Prometheus's text format."""
    return Response(house.metrics.page(_fares(house)), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})


def committed_at(posts: Posts) -> Callable[[str, str], float]:
    """Return a way to ask when a revision of a source was made; 0 where nobody knows."""

    def ask(source: str, revision: str) -> float:
        post = posts.get(source)
        if post is None:
            return 0.0
        try:
            return post.outside.sources.revision(post.source, revision).at
        except (OrchestratorError, AdapterError):
            return 0.0

    return ask


def _fares(inside: Inside) -> Fares:
    now, pulse = inside.clock.now(), inside.dispatch.pulse
    sights = [sight_of(inside.record, post.source.id) for post in inside.served.posts.every()]
    at_work = {one.due.stack for one in pulse.working}
    due = [one for one in inside.served.host.agenda.waiting() if one.at <= now and one.stack not in at_work]
    busy = sum(not source_of(name) for name in at_work)
    return Fares(
        version=orchestrator.__version__,
        now=now,
        sources=tuple(SourceFares(name=one.source, read_at=one.read_at, failures=one.failures_ever) for one in sights),
        waiting=len(due),
        busy=busy,
        idle=max(0, inside.dispatch.workers.count - busy),
    )

"""Whether the service lives, and whether it does its work. Said to everybody, and nothing but that."""

from __future__ import annotations

import time
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from orchestrator.engine.watching import sight_of
from orchestrator.errors import OrchestratorError
from orchestrator.rules.freshness import read_lately
from orchestrator.web.gate import GatedRoute, House, open_to_all
from orchestrator.web.inside import Inside

#: Seconds within which the loop has to go round.
_ROUND_S: Final = 30.0
#: Seconds for which an answer of the database counts, however often somebody asks.
_KEPT_S: Final = 1.0

router: Final = APIRouter(route_class=GatedRoute)


@router.get("/livez", include_in_schema=False)
@router.get("/healthz", include_in_schema=False)
@open_to_all("it says nothing but whether the loop goes round")
async def livez(house: House) -> Response:
    """Say whether the loop goes round."""
    lives = house.clock.now() - house.dispatch.pulse.at < _ROUND_S
    return JSONResponse({"status": "ok" if lives else "stuck"}, status_code=200 if lives else 503)


@router.get("/readyz", include_in_schema=False)
@open_to_all("it says nothing but whether the service does its work")
def readyz(house: House) -> Response:
    """Say whether the service does its work, and what keeps it from that."""
    pulse = house.dispatch.pulse
    checks = {
        "serving": not (house.stopping() or pulse.draining),
        "agenda": pulse.hears,
        **_kept(house),
    }
    ready = all(checks.values())
    body = {"status": "ok" if ready else "unready", "checks": {name: _word(ok=ok) for name, ok in checks.items()}}
    return JSONResponse(body, status_code=200 if ready else 503)


def _word(*, ok: bool) -> str:
    return "ok" if ok else "failed"


def _kept(inside: Inside) -> dict[str, bool]:
    # Whoever asks all the time costs the database nothing.
    kept, now = inside.checks, time.monotonic()
    if now - kept.at >= _KEPT_S:
        kept.found, kept.at = _asked(inside), now
    return kept.found


def _asked(inside: Inside) -> dict[str, bool]:
    posts, now = inside.served.posts.every(), inside.clock.now()
    try:
        sights = [(sight_of(inside.record, post.source.id), post.source.every_s) for post in posts]
    except OrchestratorError:
        return {"database": False, "sources": False}
    return {"database": True, "sources": any(read_lately(sight.read_at, every, now) for sight, every in sights)}

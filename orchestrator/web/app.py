"""The app: every route behind its gate, every error a problem document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse

import orchestrator
from orchestrator.assembly.served import Served
from orchestrator.engine.dispatch import Dispatch
from orchestrator.ports import Journal
from orchestrator.report.metrics import Metrics
from orchestrator.rules.rights import Right
from orchestrator.web import health, hooks, metrics
from orchestrator.web.api import (
    about,
    approvals,
    consents,
    courses,
    drift,
    drift_words,
    errands,
    events,
    explanation,
    graph,
    logs,
    look,
    mending,
    plans,
    runs,
    sources,
    stacks,
)
from orchestrator.web.gate import GatedRoute, Over, guarded
from orchestrator.web.inside import Inside
from orchestrator.web.problems import MEDIA_TYPE, ProblemDocument, answer_with_problems
from orchestrator.web.wrapping import Wrapped

#: The nouns of the API, in the order in which its description lists them.
_NOUNS: Final = (
    about.router,
    sources.router,
    look.router,
    stacks.router,
    plans.router,
    explanation.router,
    drift.router,
    consents.router,
    courses.router,
    drift_words.router,
    mending.router,
    approvals.router,
    graph.router,
    errands.router,
    runs.router,
    logs.router,
    events.router,
    stacks.last,
)

#: What every noun can answer beside what it is asked for.
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": title, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, title in (
        (400, "Not as documented"),
        (401, "No token"),
        (403, "Not yours to do"),
        (404, "Not there"),
        (409, "Not as things are now"),
        (413, "Too large"),
        (415, "Not JSON"),
        (429, "Too often"),
        (503, "Not just now"),
    )
}


def make_app(served: Served, dispatch: Dispatch, journal: Journal, stopping: Callable[[], bool]) -> FastAPI:
    """Return the app of a service; ``stopping`` says whether it was told to stop."""
    inside = Inside(
        served=served,
        dispatch=dispatch,
        journal=journal,
        clock=served.posts.every()[0].outside.clock,
        metrics=Metrics(served.host.record, metrics.committed_at(served.posts)),
        stopping=stopping,
    )
    app = FastAPI(
        title="Holdfast",
        version=orchestrator.__version__,
        # Its description is behind the gate, too.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.inside = inside
    answer_with_problems(app, journal)
    for router in (health.router, metrics.router, hooks.router, _description(app)):
        app.include_router(router)
    for router in _NOUNS:
        app.include_router(router, prefix="/api/v1", responses=_PROBLEMS)
    app.add_middleware(Wrapped, journal=journal, secure=served.operator.external_url.startswith("https://"))
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the description in OpenAPI 3.1; what cannot be read ends in a problem document, as all else does."""
    found = app.openapi()
    for path in found.get("paths", {}).values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = ProblemDocument.model_json_schema()
    return found


def _description(app: FastAPI) -> APIRouter:
    router = APIRouter(route_class=GatedRoute)

    @router.get("/openapi.json", include_in_schema=False)
    @guarded(Right.VIEW, Over.SOMETHING)
    def openapi() -> Response:
        """Describe the API."""
        return JSONResponse(_described(app))

    return router

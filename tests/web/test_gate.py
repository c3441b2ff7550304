"""Every route is behind the gate, and the gate opens for nobody who was not let in."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from serviced import SECRETS, Service
from starlette.routing import BaseRoute

from orchestrator.assembly.served import Served, open_served
from orchestrator.config.operator import operator_of
from orchestrator.effects.journal import StreamJournal
from orchestrator.engine.dispatch import Dispatch
from orchestrator.rules.rights import Right
from orchestrator.web.app import make_app
from orchestrator.web.gate import Gate, GatedRoute, gate_of, open_to_all

#: All that is open, and must say why.
OPEN = {"/livez", "/readyz", "/healthz", "/hooks/{source}"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    made = Service(tmp_path_factory.mktemp("app"))
    operator = operator_of({"HOLDFAST_CONFIG": str(made.config)})
    with open_served(operator, made.home, made.environment) as served, (made.folder / "log").open("w") as log:
        yield app_of(served, StreamJournal.on(log, {}, lambda: str))


def app_of(served: Served, journal: StreamJournal) -> FastAPI:
    clock = served.posts.every()[0].outside.clock
    dispatch = Dispatch(served.posts, served.host.agenda, clock, journal)
    return make_app(served, dispatch, journal, threading.Event().is_set)


def every_route(routes: list[BaseRoute]) -> Iterator[APIRoute]:
    """Yield each route, those of routers within routers too."""
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if isinstance(route, APIRoute):
            yield route
        else:
            assert inner, f"{route} is neither a route behind the gate nor a router of them"
            yield from every_route(list(inner))


def test_every_route_declares_its_gate_and_what_is_open_says_why(app: FastAPI) -> None:
    found: dict[str, Gate] = {}
    for route in every_route(app.routes):
        assert isinstance(route, GatedRoute), f"{route.path} is not behind the gate"
        gate = gate_of(route.endpoint)
        assert gate, f"{route.path} declares no gate"
        found[route.path] = gate
    assert {path for path, gate in found.items() if gate.right is None} == OPEN
    assert all(gate.open_because for path, gate in found.items() if path in OPEN)
    assert len(found) >= len(OPEN) + 5


#: Only who began the run is asked, which took the right to apply; a yes takes it once more, and a no changes nothing.
ASKED = {"/runs/{run}/answer"}


def test_what_reads_needs_the_right_to_view_and_what_changes_another(app: FastAPI) -> None:
    for route in every_route(app.routes):
        gate = gate_of(route.endpoint)
        if gate and gate.right is not None and route.path not in ASKED:
            assert (gate.right is Right.VIEW) == (route.methods <= {"GET", "HEAD"}), route.path


def test_a_route_without_a_gate_cannot_be_made() -> None:
    router = APIRouter(route_class=GatedRoute)
    with pytest.raises(TypeError, match="declares no gate"):
        router.get("/x")(lambda: None)


def paths(service: Service) -> list[str]:
    described = service.get("/openapi.json", service.first).json()["paths"]
    named = [path.replace("{source}", "lab") for path, operations in described.items() if "get" in operations]
    return [
        "/metrics",
        "/openapi.json",
        *(path.replace("{stack}", "lab/web@prod").replace("{run}", "1") for path in named),
    ]


def test_without_a_token_everything_is_closed(service: Service) -> None:
    for path in paths(service):
        for token in (None, "", "x", "hf_000000000000_" + "A" * 43, "hf_" + "é" * 9, service.first[:-1], " "):
            bearer = [] if token is None else [("authorization", (b"Bearer " + token.encode()).strip())]
            found = service.http.get(path, headers=[*bearer, ("x-forwarded-for", f"10.9.{len(path)}.1")])
            assert (found.status_code, found.json()["code"]) == (401, "HF-4121"), path
            assert found.headers["www-authenticate"].startswith("Bearer")
            assert found.headers["content-type"] == "application/problem+json"


def test_each_role_gets_exactly_what_it_was_given(service: Service) -> None:
    roles = {role: service.token(f"{role}-all", role) for role in ("view", "admin", "web", "lab", "nobody")}
    expected = {
        "/metrics": {"view": 200, "admin": 200, "web": 403, "lab": 403, "nobody": 403},
        "/openapi.json": {"view": 200, "admin": 200, "web": 200, "lab": 200, "nobody": 403},
        "/api/v1/about": {"view": 200, "admin": 200, "web": 200, "lab": 200, "nobody": 403},
        "/api/v1/sources": {"view": 200, "admin": 200, "web": 200, "lab": 200, "nobody": 403},
        "/api/v1/sources/{source}": {"view": 200, "admin": 200, "web": 404, "lab": 200, "nobody": 404},
    }
    for path, codes in expected.items():
        for role, code in codes.items():
            found = service.get(path.replace("{source}", "lab"), roles[role])
            assert found.status_code == code, (path, role)
            assert (code != 403) or found.json()["code"] == "HF-4122"


def test_what_is_absent_and_what_is_not_theirs_are_the_same_bytes(service: Service) -> None:
    token = service.token("only-lab", "lab")
    names = [one["name"] for one in service.get("/api/v1/sources", token).json()["items"]]
    assert names == ["lab"]
    answers = [service.get(f"/api/v1/sources/{name}", token) for name in ("github", "never", "%00", "a%2fb", "x" * 999)]
    answers.append(service.get("/api/v1/never", token))
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}
    assert len({tuple(sorted((n, v) for n, v in one.headers.items() if n != "date")) for one in answers}) == 1
    assert answers[0].json()["code"] == "HF-4120"


def test_a_revoked_token_is_closed_at_the_next_request(service: Service) -> None:
    token = service.token("short", "view")
    assert service.get("/api/v1/about", token).json()["you"]["name"] == "token:short"
    assert service.run("token", "revoke", "short").returncode == 0
    assert service.get("/api/v1/about", token).status_code == 401


def test_a_thousand_guesses_at_once_are_no_more_than_fifty(service: Service) -> None:
    def guess(number: int) -> int:
        wrong = f"hf_{number:012x}_{'A' * 43}"
        return int(service.get("/api/v1/about", wrong, **{"x-forwarded-for": "10.8.0.1"}).status_code)

    with ThreadPoolExecutor(32) as pool:
        codes = list(pool.map(guess, range(1000)))
    assert set(codes) == {401, 429}
    assert codes.count(401) <= 50
    # Neither is the right one looked at from there, and everybody else is let in.
    slowed = service.get("/api/v1/about", service.first, **{"x-forwarded-for": "10.8.0.1"})
    assert (slowed.status_code, slowed.json()["code"]) == (429, "HF-4123")
    assert service.get("/api/v1/about", service.first, **{"x-forwarded-for": "10.8.0.2"}).status_code == 200


def test_nothing_that_is_answered_holds_a_secret(service: Service) -> None:
    for path in paths(service):
        body = service.get(path, service.first).text
        assert "c4n4ry" not in body, path
        assert not any(secret in body for secret in SECRETS.values()), path
        assert service.first not in body
    assert service.first.split("_", 2)[2] not in json.dumps(service.lines("serving"))


def test_a_method_that_is_not_there_is_a_problem_document(service: Service) -> None:
    for path in ("/livez", "/api/v1/about", "/metrics"):
        found = service.http.request("DELETE", path)
        assert (found.status_code, found.json()["code"]) == (405, "HF-4129")


def test_what_a_reload_takes_away_is_gone_at_once(tmp_path: Path) -> None:
    made = Service(tmp_path)
    with made.at_work():
        token = made.token("ana", "lab")
        assert made.get("/api/v1/sources/lab", token).status_code == 200
        del made.keys["auth"]["roles"]["lab"]
        made.write()
        made.process.send_signal(signal.SIGHUP)
        made.until(lambda: made.lines("the operator's file was read anew"))
        assert made.get("/api/v1/sources/lab", token).status_code == 404
        assert made.get("/api/v1/about", token).status_code == 403


def test_a_fault_of_ours_is_said_without_where_it_is(app: FastAPI) -> None:
    router = APIRouter(route_class=GatedRoute)

    @router.get("/broken")
    @open_to_all("to see it break")
    def broken() -> None:
        raise ZeroDivisionError("c4n4ry")

    app.include_router(router)

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as client:
            return await client.get("/broken")

    try:
        found = asyncio.run(ask())
    finally:
        app.router.routes.pop()
    assert (found.status_code, found.json()["code"]) == (500, "HF-9000")
    assert "c4n4ry" not in found.text
    assert found.headers["x-content-type-options"] == "nosniff"


def test_browsers_are_told_to_trust_nothing_and_no_other_site_is_let_in(service: Service) -> None:
    for path in ("/livez", "/never", "/api/v1/about"):
        found = service.get(path, service.first, origin="https://evil.example")
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert "server" not in found.headers
        assert not [name for name in found.headers if name.startswith("access-control")]


def test_the_first_token_is_said_once_and_never_again(tmp_path: Path) -> None:
    made = Service(tmp_path)
    with made.at_work():
        assert made.get("/api/v1/about", made.first).json()["you"]["roles"] == ["admin"]
        assert made.said.count(made.first) == 1
        (only,) = json.loads(made.run("token", "list", "-o", "json").stdout)["tokens"]
        assert (only["name"], only["role"], only["state"]) == ("first", "admin", "counts")
        assert only["until"]
    made.run("token", "revoke", "first")
    with made.at_work():
        assert "The first token" not in made.said
        assert made.get("/api/v1/about", made.first).status_code == 401

"""Every route, asked by everybody, of what is theirs, another's and nobody's. A route without a row here fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from inhouse import CANARY, House
from serviced import SECRETS

from orchestrator.model.event import DriftGone

#: Who asks: nobody, two who may see one stack each, one who may say yes to the first, one who may run it, and an admin.
ROLES = (None, "own", "other", "approver", "operator", "admin")
SEEN = {"own": 200, "approver": 200, "operator": 200, "admin": 200}
#: Of what is the first's. What another may not see is not there.
VIEW = {None: 401, "other": 404, **SEEN}
APPROVE = {None: 401, "other": 404, "own": 403, "approver": "acts", "operator": "acts", "admin": "acts"}
RUNS = {None: 401, "other": 404, "own": 403, "approver": 403, "operator": "acts", "admin": "acts"}
#: What is asked for in the body is theirs to name, too: see below for what is another's.
ERRAND = {None: 401, "other": 403, "own": 403, "approver": 403, "operator": "acts", "admin": "acts"}
OUTCOME = {None: 401, "other": 404, **dict.fromkeys(SEEN, 409)}
NONE_LEFT = OUTCOME
SOURCE = {None: 401, "own": 404, "other": 404, "approver": 404, "operator": 404, "admin": 200}
LIST = {None: 401, "other": 200, **SEEN}

UNTIL = "2099-01-01T00:00:00Z"
#: Route -> what each role gets of what is the first's, and a body that can be meant.
ROWS: dict[tuple[str, str], tuple[dict[str | None, Any], dict[str, Any]]] = {
    ("GET", "/api/v1/about"): (LIST, {}),
    ("GET", "/api/v1/sources"): (LIST, {}),
    ("GET", "/api/v1/sources/{source}"): (SOURCE, {}),
    ("GET", "/api/v1/stacks"): (LIST, {}),
    ("GET", "/api/v1/names"): (LIST, {}),
    ("GET", "/api/v1/graph"): (LIST, {}),
    ("POST", "/api/v1/look"): (ERRAND, {}),
    ("POST", "/api/v1/runs/plan"): (ERRAND, {"stacks": ["lab/web@prod"]}),
    ("POST", "/api/v1/runs/drift"): (ERRAND, {"stacks": ["lab/web@prod"]}),
    ("POST", "/api/v1/runs/apply"): (ERRAND, {"plans": [{"stack": "lab/web@prod", "proposal": 9, "digest": "x"}]}),
    ("GET", "/api/v1/runs/{run}/outcome"): (OUTCOME, {}),
    ("GET", "/api/v1/stacks/{stack}"): (VIEW, {}),
    ("GET", "/api/v1/stacks/{stack}/plan"): (VIEW, {}),
    ("GET", "/api/v1/stacks/{stack}/outputs"): (VIEW, {}),
    ("GET", "/api/v1/stacks/{stack}/drift"): (VIEW, {}),
    ("GET", "/api/v1/stacks/{stack}/drift/history"): (VIEW, {}),
    ("GET", "/api/v1/stacks/{stack}/explanation"): (VIEW, {}),
    ("GET", "/api/v1/stacks/{stack}/lock"): (NONE_LEFT, {}),
    ("GET", "/api/v1/stacks/{stack}/doubt"): (NONE_LEFT, {}),
    ("GET", "/api/v1/approvals"): (LIST, {}),
    ("GET", "/api/v1/runs"): (LIST, {}),
    ("GET", "/api/v1/runs/{run}"): (VIEW, {}),
    ("GET", "/api/v1/runs/{run}/events"): (VIEW, {}),
    ("GET", "/api/v1/runs/{run}/logs"): (VIEW, {}),
    ("GET", "/api/v1/events"): (LIST, {}),
    ("POST", "/api/v1/stacks/{stack}/approve"): (APPROVE, {"proposal": 1}),
    ("POST", "/api/v1/stacks/{stack}/reject"): (APPROVE, {"proposal": 1}),
    ("POST", "/api/v1/stacks/{stack}/apply"): (RUNS, {"proposal": 1}),
    ("POST", "/api/v1/stacks/{stack}/plan"): (RUNS, {}),
    ("POST", "/api/v1/stacks/{stack}/suspend"): (RUNS, {"reason": "holidays"}),
    ("POST", "/api/v1/stacks/{stack}/resume"): (RUNS, {}),
    ("POST", "/api/v1/stacks/{stack}/rollback"): (RUNS, {}),
    ("POST", "/api/v1/stacks/{stack}/drift/check"): (RUNS, {}),
    ("POST", "/api/v1/stacks/{stack}/drift/ignore"): (RUNS, {"what": "a.b", "until": UNTIL, "reason": "r"}),
    ("POST", "/api/v1/stacks/{stack}/drift/heed"): (RUNS, {"what": "a.b"}),
    ("POST", "/api/v1/stacks/{stack}/unlock"): (RUNS, {"lock": "x"}),
    ("POST", "/api/v1/stacks/{stack}/resolve"): (RUNS, {"attempt": 1}),
    ("POST", "/api/v1/runs/{run}/cancel"): (RUNS, {}),
}
#: What acting ends in where the gate is open: done, or not as things are now.
ACTS = {202, 409}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")).open() as made:
        made.proposed("web@prod")
        yield made


def path_of(house: House, path: str, whose: str) -> str:
    """Return a path of what is the first's, another's, or nobody's."""
    stack = {"own": "lab/web@prod", "other": "lab/net@prod", "absent": "lab/web@never"}[whose]
    path = (
        path.removeprefix("/api/v1").replace("{stack}", stack).replace("{source}", {"own": "lab"}.get(whose, "never"))
    )
    if "{run}" not in path:
        return path
    run = house.run("apply", ends=False)
    if whose != "absent":
        house.append({"own": "web@prod", "other": "net@prod"}[whose], DriftGone(), run=run)
    return path.replace("{run}", str(run.number) if whose != "absent" else "999999")


def asked(house: House, route: tuple[str, str], role: str | None, whose: str) -> Any:
    method, path = route
    more = {"json": ROWS[route][1]} if method == "POST" else {}
    follow = "?follow=false" if path.endswith("/logs") else ""
    return house.ask(method, path_of(house, path, whose) + follow, role, **more)


def test_no_route_is_without_a_row_and_no_row_without_a_route(house: House) -> None:
    described = house.http.get("/openapi.json", headers={"authorization": f"Bearer {house.tokens['admin']}"}).json()
    found = {(method.upper(), path) for path, operations in described["paths"].items() for method in operations}
    assert found == set(ROWS)


@pytest.mark.parametrize("role", ROLES, ids=str)
@pytest.mark.parametrize("route", ROWS, ids=" ".join)
def test_everybody_gets_what_is_theirs(house: House, route: tuple[str, str], role: str | None) -> None:
    expected = ROWS[route][0][role]
    found = asked(house, route, role, "own")
    assert found.status_code in (ACTS if expected == "acts" else {expected}), found.text
    assert expected != 403 or found.json()["code"] == "HF-4122"
    for secret in (CANARY, "c4n4ry", *SECRETS.values(), *house.tokens.values()):
        assert secret not in found.text


@pytest.mark.parametrize("role", [role for role in ROLES if role not in {None, "admin"}], ids=str)
@pytest.mark.parametrize("route", [route for route in ROWS if "{" in route[1]], ids=" ".join)
def test_another_s_and_nobody_s_are_the_same_bytes(house: House, route: tuple[str, str], role: str) -> None:
    whose = ["other", "absent"] if route[1].split("{")[1][:5] != "stack" or role != "other" else ["own", "other"]
    answers = [asked(house, route, role, one) for one in whose]
    answers.append(house.get("/never", role))
    codes = {one.status_code for one in answers}
    # A name in one's own glob may be absent, too: whoever may not act is told that before anybody looks.
    assert codes <= {404, 403}, codes
    bodies = {one.content for one in answers if one.status_code == 404}
    assert bodies == {answers[-1].content}
    assert answers[0].status_code == 404
    headers = [
        {name: value for name, value in one.headers.items() if name != "date"}
        for one in answers
        if one.status_code == 404
    ]
    assert all(one == headers[0] for one in headers)


@pytest.mark.parametrize("route", [route for route in ROWS if "{" in route[1]], ids=" ".join)
def test_what_is_absent_is_absent_for_an_admin_too(house: House, route: tuple[str, str]) -> None:
    found = asked(house, route, "admin", "absent")
    assert (found.status_code, found.json()["code"]) == (404, "HF-4120")


@pytest.mark.parametrize(
    "name",
    [
        "lab/web",
        "lab/web@prod/never",
        "web@prod",
        "lab//web@prod",
        "%00/a@b",
        "lab/we%00b@prod",
        "9" * 5000,
        "..%2f..@x",
    ],
)
def test_a_name_that_is_none_is_not_there(house: House, name: str) -> None:
    for role in ("own", "admin"):
        found = house.get(f"/stacks/{name}", role)
        assert (found.status_code, found.json()["code"]) == (404, "HF-4120")


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 15, "9" * 30, "1e3", "%30", "1%00", "٣"])
def test_a_number_that_is_none_is_not_there(house: House, number: str) -> None:
    assert house.get(f"/runs/{number}").status_code == 404


@pytest.mark.parametrize("name", ["lab/net@prod", "lab/web@never", "web@prod", "nonsense", "other/web@prod"])
@pytest.mark.parametrize("act", ["plan", "apply"])
def test_a_run_is_begun_of_nothing_that_is_another_s_or_nobody_s(house: House, act: str, name: str) -> None:
    """An operator of the first stack names another's beside their own."""

    def body(stack: str) -> dict[str, Any]:
        seen = [{"stack": one, "proposal": 1, "digest": "x", "yes": True} for one in ("lab/web@prod", stack)]
        return {"stacks": ["lab/web@prod", stack]} if act == "plan" else {"plans": seen}

    found = house.post_to(f"/runs/{act}", body(name), "operator")
    assert found.status_code == 404
    assert found.content == house.get("/never", "operator").content
    assert not [one for one in house.get("/runs?all=true").json()["items"] if one["actor"] == "token:operator-token" and one["verb"] == act and not one["ended_at"]]  # fmt: skip


def test_what_came_of_a_run_is_told_to_whoever_asked_for_it_alone(house: House) -> None:
    begun = house.post_to("/runs/plan", {"stacks": ["lab/web@prod"]}, "operator")
    assert begun.status_code == 202
    run = begun.json()["run"]
    house.made_until(lambda: house.get(f"/runs/{run}/outcome", "operator").json()["done"])
    (row,) = house.get(f"/runs/{run}/outcome", "operator").json()["stacks"]
    assert (row["key"], row["needs"]) == ("lab/web@prod", row["needs"])
    found = house.get(f"/runs/{run}/outcome", "admin")
    assert (found.status_code, found.json()["code"]) == (409, "HF-4132")

"""The API's pattern: pages with cursors, answers with ETags, problems with codes."""

from __future__ import annotations

import pytest
from serviced import KINDS, Service

from orchestrator.catalogue import CODES
from orchestrator.web import problems


def test_a_list_is_read_page_by_page_and_holds_each_item_once(service: Service) -> None:
    names, cursor = [], ""
    for _ in range(10):
        page = service.get(f"/api/v1/sources?limit=2&cursor={cursor}", service.first).json()
        names += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert names == sorted(["lab", *KINDS])


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=%25", "cursor=a", "cursor=_w", "cursor=" + "a" * 2000]
)
def test_a_parameter_that_cannot_be_meant_is_told(service: Service, query: str) -> None:  # fmt: skip
    found = service.get(f"/api/v1/sources?{query}", service.first)
    assert (found.status_code, found.json()["code"]) == (400, "HF-4127")
    assert found.json()["detail"]


def test_what_is_known_already_is_not_sent_again(service: Service) -> None:
    service.until(lambda: len(service.looked()) == 6)
    first = service.get("/api/v1/sources/lab", service.first)
    assert first.json()["fresh"]
    assert first.json()["revision"]
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = service.get("/api/v1/sources/lab", service.first, **{"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert service.get("/api/v1/sources/lab", service.first, **{"if-none-match": '"x"'}).status_code == 200


def test_the_description_is_of_openapi_3_1_and_knows_no_error_but_problems(service: Service) -> None:
    found = service.get("/openapi.json", service.first).json()
    assert found["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in str(found)
    for path in found["paths"].values():
        for operation in path.values():
            assert {"400", "401", "403", "404"} <= set(operation["responses"])
            assert {"200", "202"} & set(operation["responses"])


def test_every_problem_has_a_code_that_holdfast_explains() -> None:
    found = {problems.Problem(status).code for status in (400, 401, 403, 404, 405, 413, 415, 429, 500)}
    assert found <= set(CODES)
    assert len(found) == 9

"""Requests that the API's own description calls for, and those that it does not: none of them breaks anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from inhouse import House
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orchestrator.web.pacing import Limiter

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")).open() as made:
        made.applied("web@prod")
        made.drifted("web@prod")
        made.proposed("db@prod")
        made.logged("web@prod", 1, "a line")
        # How often somebody may act is asked elsewhere.
        object.__setattr__(made.app.state.inside, "acts", Limiter(1_000_000, 60))
        yield made


def ask_each(house: House, examples: int) -> int:
    bearer = {"authorization": f"Bearer {house.tokens['admin']}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", house.app, headers=bearer)
    count = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        strategy = st.one_of(
            operation.as_strategy(), operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
        )

        @settings(
            max_examples=examples, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
        )  # fmt: skip
        @given(case=strategy, real=st.booleans())
        def ask(case: schemathesis.Case, real: bool) -> None:
            if real:
                # Else hardly any request would come further than the gate.
                named = {"stack": "lab/web@prod", "source": "lab", "run": 1}
                case.path_parameters = {name: named[name] for name in case.path_parameters or {}}
            if case.path.endswith("/logs"):
                case.query = {**(case.query or {}), "follow": "false"}
            if case.path.endswith("/look") and isinstance(case.body, dict):
                # No loop is at work here that one could wait for.
                case.body = {name: value for name, value in case.body.items() if name != "within_s"}
            case.call_and_validate(headers=bearer, checks=CHECKS)

        ask()
        count += 1
    return count


def test_a_few_generated_requests_break_nothing(house: House) -> None:
    assert ask_each(house, 4) >= 28


@pytest.mark.full
@pytest.mark.long
def test_many_generated_requests_break_nothing(house: House) -> None:
    assert ask_each(house, 100) >= 28

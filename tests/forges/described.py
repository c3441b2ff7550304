"""GitHub's own description of its REST API, and what it says of a request and of an answer. Fetched once, by npm."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

REPOSITORY = Path(__file__).parent.parent.parent
NAME = "urn:github"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that the API does."""

    method: str
    template: str
    #: What stands in the places of its path.
    places: Mapping[str, str]
    keys: Mapping[str, Any]


class Description:
    """The whole of it."""

    def __init__(self, text: bytes) -> None:
        self.keys = json.loads(text, object_hook=_nullable)
        self._registry = Registry().with_resource(NAME, Resource(contents=self.keys, specification=DRAFT4))
        self._checks: dict[str, Any] = {}
        #: Answers that were found good: many are the same.
        self._good: set[str] = set()

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], str]]:
        # The plainest first: /user is no /{owner}.
        ordered = sorted(self.keys["paths"], key=lambda path: path.count("{"))
        return [(re.compile(self._pattern(path)), path) for path in ordered]

    def _pattern(self, path: str) -> str:
        parts = re.split(r"\{(\w+)\}", path)
        # A ref is the one place that holds slashes.
        return "".join(
            re.escape(part) if n % 2 == 0 else f"(?P<{part}>{'.+' if part == 'ref' else '[^/]+'})"
            for n, part in enumerate(parts)
        )

    def operation(self, method: str, path: str) -> Operation | None:
        """Return what a request asks for, None where the API has nothing like it."""
        for pattern, template in self._paths:
            found = pattern.fullmatch(path)
            if found and method.lower() in self.keys["paths"][template]:
                keys = self.keys["paths"][template][method.lower()]
                return Operation(method=method, template=template, places=found.groupdict(), keys=keys)
        return None

    def request_faults(self, asked: Operation, query: Mapping[str, str], body: Any) -> Iterator[str]:
        """Yield what a request says that the description does not know."""
        known = {one["name"]: one for one in map(self.resolved, asked.keys.get("parameters", []))}
        for name, text in query.items():
            if known.get(name, {}).get("in") != "query":
                yield f"no such parameter: {name}"
            else:
                yield from self._faults(known[name]["schema"], _typed(text, known[name]["schema"]), name)
        for name, text in asked.places.items():
            if name in known:
                yield from self._faults(known[name]["schema"], _typed(text, known[name]["schema"]), name)
        described = asked.keys.get("requestBody")
        if body is None:
            yield from ["a body is needed"] if described and described.get("required") else []
        elif described is None:
            yield "no body is expected"
        else:
            schema = described["content"]["application/json"]["schema"]
            yield from self._faults(schema, body, "body")
            yield from self._strangers(schema, body, "body")

    def answer_faults(self, asked: Operation, status: int, body: Any) -> Iterator[str]:
        """Yield what an answer says that the description does not."""
        described, name = self._answer(asked, status), json.dumps([asked.template, status, body])
        if described is None or name in self._good:
            return
        faults = list(self._faults(described["schema"], body, f"answer {status}"))
        if not faults:
            self._good.add(name)
        yield from faults

    def example(self, asked: Operation, status: int, name: str = "") -> Any:
        """Return GitHub's own example of an answer, to be filled in."""
        examples = (self._answer(asked, status) or {})["examples"]
        return copy.deepcopy(self.resolved(examples[name or next(iter(examples))])["value"])

    def resolved(self, keys: Any) -> Any:
        """Return what a reference stands for."""
        while "$ref" in keys:
            found = self.keys
            for part in keys["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            keys = found
        return keys

    def _answer(self, asked: Operation, status: int) -> Any:
        described = asked.keys["responses"].get(str(status))
        found = self.resolved(described).get("content", {}) if described else {}
        return found.get("application/json")

    def _faults(self, schema: Any, value: Any, where: str) -> Iterator[str]:
        name = json.dumps(schema, sort_keys=True)
        if name not in self._checks:
            absolute = json.loads(json.dumps(schema).replace('"#/', f'"{NAME}#/'))
            self._checks[name] = OAS30Validator(absolute, registry=self._registry, format_checker=oas30_format_checker)
        for fault in self._checks[name].iter_errors(value):
            yield f"{where}{''.join(f'/{part}' for part in fault.absolute_path)}: {fault.message[:300]}"

    def _strangers(self, schema: Any, value: Any, where: str) -> Iterator[str]:
        """Yield keys that no description knows: JSON Schema lets them pass, and GitHub forgets them in silence."""
        schema = self.resolved(schema)
        if isinstance(value, list):
            for number, one in enumerate(value):
                yield from self._strangers(schema.get("items", {}), one, f"{where}/{number}")
        if isinstance(value, dict) and "properties" in schema:
            for key, one in value.items():
                if key not in schema["properties"]:
                    yield f"{where}: no such key: {key}"
                else:
                    yield from self._strangers(schema["properties"][key], one, f"{where}/{key}")


def _nullable(keys: dict[str, Any]) -> dict[str, Any]:
    # "nullable" alone does not let null into an "enum": GitHub means it to, as its own examples show.
    if keys.get("nullable") is True and None not in keys.get("enum", [None]):
        keys["enum"] = [*keys["enum"], None]
    return keys


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    return int(text) if schema.get("type") == "integer" and text.isdecimal() else text


@cache
def github() -> Description:
    """Return GitHub's description; the test is left out where it cannot be had."""
    fetched = subprocess.run(
        [REPOSITORY / "scripts/fetch-github-api"], capture_output=True, text=True, timeout=300, check=False
    )
    if fetched.returncode:
        pytest.skip(f"no description: {fetched.stderr.strip()}")
    return Description((REPOSITORY / ".tools/github-api.json").read_bytes())

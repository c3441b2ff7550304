"""The Hiera files that we write: the stack's inputs before all else, and the repository's own hierarchy. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from adapters.contract import Input, Json
from adapters.puppet.layout import Hierarchy

INPUTS: Final = "inputs.json"


def inputs(values: Mapping[str, Input]) -> str:
    """Return the data that hold the inputs. Those that are sensitive reach the manifests as ``Sensitive``."""
    content: dict[str, Json] = {name: _literal(item.value) for name, item in values.items()}
    hidden = sorted(name for name, item in values.items() if item.sensitive)
    if hidden:
        content["lookup_options"] = {name: {"convert_to": "Sensitive"} for name in hidden}
    return json.dumps(content)


def first_layer(folder: Path) -> str:
    """Return the ``hiera.yaml`` of the global layer, which comes before the environment's: the inputs in ``folder``."""
    level = {"name": "holdfast", "data_hash": "json_data", "datadir": str(folder), "path": INPUTS}
    return json.dumps({"version": 5, "hierarchy": [level]})


def environment_layer(found: Hierarchy, root: Path) -> str:
    """Return the repository's hierarchy with the folders of its data as absolute paths: it moves to another place."""
    start = root / found.file.parent
    content: dict[str, Any] = dict(found.content)
    defaults = content.get("defaults")
    content["defaults"] = _absolute(
        defaults if isinstance(defaults, dict) else {"data_hash": "yaml_data"}, start, "data"
    )
    content["hierarchy"] = [
        _absolute(level, start, "") if isinstance(level, dict) else level for level in content.get("hierarchy") or ()
    ]
    return json.dumps(content)


def _absolute(level: Mapping[str, Any], start: Path, default: str) -> dict[str, Any]:
    datadir = level.get("datadir", default)
    if not isinstance(datadir, str) or not datadir:
        return dict(level)
    return {**level, "datadir": str(start / PurePosixPath(datadir))}


def _literal(value: Json) -> Json:
    """Return the value with ``%{`` kept as text: Hiera would fill it in."""
    match value:
        case str():
            return value.replace("%{", "%{literal('%')}{")
        case list():
            return [_literal(item) for item in value]
        case dict():
            return {name: _literal(item) for name, item in value.items()}
        case _:
            return value

"""What is secret before any plan says so: by the marks of the state that we keep, and by declared variables. Pure.

A plan that fails shows nothing, and what it says of the failure may hold values that the files call sensitive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from adapters.contract import Json
from adapters.terraform.attributes import secret_texts
from adapters.terraform.hcl import bodies, code, literals
from adapters.terraform.state import bytes_of, configuration, parsed

_NAMED: Final = re.compile(r'^[ \t]*variable\s*"?([\w-]+)"?\s*\{', re.MULTILINE)
_SENSITIVE: Final = re.compile(r"^[ \t]*sensitive\s*=\s*true\b", re.MULTILINE)
#: What the tool reads of itself, beside the files that it is told to.
_READ_ALWAYS: Final = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")


def in_state(content: bytes) -> Iterator[str]:
    """Yield each text that a state (format 4) marks as sensitive."""
    state = parsed(content)
    for output in (state.get("outputs") or {}).values():
        yield from secret_texts(output.get("value"), output.get("sensitive"))
    for resource in state.get("resources") or ():
        for instance in resource.get("instances") or ():
            for path in instance.get("sensitive_attributes") or ():
                yield from secret_texts(_at(instance.get("attributes"), path), marks=True)


def in_variable_files(folder: Path, told: Iterable[Path], tool: str) -> Iterator[str]:
    """Yield the value of each sensitive variable in the variable files, as far as it is written as one literal."""
    names = {name for file in configuration(folder, tool) for name in _declared(file)}
    files = [*(path for pattern in _READ_ALWAYS for path in folder.glob(pattern)), *told] if names else []
    for file in files:
        for name, value in _values(file).items():
            if name in names:
                yield from secret_texts(value, marks=True)


def _declared(file: Path) -> Iterator[str]:
    text = file.read_text("utf-8", "replace")
    if file.name.endswith(".json"):
        variables = _object(text).get("variable")
        declared = variables.items() if isinstance(variables, dict) else ()
        yield from (name for name, body in declared if isinstance(body, dict) and body.get("sensitive") is True)
        return
    plain = code(text)
    for head, body in zip(_NAMED.finditer(plain), bodies(plain, r'variable\s*"?[\w-]+"?'), strict=False):
        if _SENSITIVE.search(body):
            yield head[1]


def _values(file: Path) -> Mapping[str, Json]:
    text = bytes_of(file).decode("utf-8", "replace")
    return _object(text) if file.name.endswith(".json") else literals(text)


def _object(text: str) -> dict[str, Json]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _at(value: Any, path: Iterable[Mapping[str, Any]]) -> Any:
    """Return what a path of the state leads to, None where it leads nowhere."""
    for step in path:
        key = step.get("value")
        key = key.get("value") if isinstance(key, dict) else key
        value = _typed(value)
        if isinstance(value, dict):
            value = value.get(str(key))
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return _typed(value)


def _typed(value: Any) -> Any:
    """Return a value of any type, which the state keeps together with the name of its type."""
    return value["value"] if isinstance(value, dict) and value.keys() == {"value", "type"} else value

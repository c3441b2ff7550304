"""What a template's expressions are worth without the service: parameters filled in, secrets found. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.cloudformation.template import Path, Template

#: What stands in the place of a value that only the service can know.
COMPUTED: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"

_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]+)\}")


def resolved(value: Any, parameters: Mapping[str, str]) -> Any:
    """Return ``value`` with references to parameters filled in.

    What needs the service is COMPUTED, followed by how it is written: two that are written otherwise are not the same.
    """
    if isinstance(value, list):
        return [resolved(item, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Ref":
            return parameters.get(str(argument), _computed(value))
        if key == "Fn::Sub" and isinstance(argument, str):
            return _substituted(argument, parameters)
        if key == "Fn::Join" and isinstance(argument, list):
            return _joined(argument, parameters)
        if key.startswith("Fn::"):
            return _computed(value)
    return {str(key): resolved(item, parameters) for key, item in value.items()}


def _computed(expression: Any) -> str:
    return f"{COMPUTED} {json.dumps(expression, sort_keys=True)}"


def _substituted(text: str, parameters: Mapping[str, str]) -> str:
    for escaped, name in _PLACEHOLDER.findall(text):
        if not escaped and name not in parameters:
            return _computed({"Fn::Sub": text})
    return _PLACEHOLDER.sub(lambda found: f"${{{found[2]}}}" if found[1] else parameters[found[2]], text)


def _joined(argument: list[Any], parameters: Mapping[str, str]) -> str:
    parts = resolved(argument[1], parameters) if len(argument) > 1 else COMPUTED
    if not isinstance(parts, list) or any(COMPUTED in str(part) for part in parts):
        return _computed({"Fn::Join": argument})
    return str(argument[0]).join(str(part) for part in parts)


def references(value: Any) -> Iterator[tuple[str, bool]]:
    """Yield each name that an expression refers to, and whether it asks for an attribute of it."""
    for item in value if isinstance(value, list) else ():
        yield from references(item)
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from _referred(str(key), item)
        yield from references(item)


def _referred(key: str, argument: Any) -> Iterator[tuple[str, bool]]:
    if key == "Ref" and isinstance(argument, str):
        yield argument, False
    elif key == "Fn::GetAtt" and isinstance(argument, list) and argument:
        yield str(argument[0]), True
    elif key == "Fn::Sub":
        text = argument[0] if isinstance(argument, list) and argument else argument
        for escaped, name in _PLACEHOLDER.findall(str(text)):
            if not escaped:
                yield name.partition(".")[0], "." in name


def secret_places(template: Template, secret: frozenset[str]) -> dict[str, tuple[Path, ...]]:
    """Return by logical id the paths below Properties whose value is made with one of the ``secret`` parameters."""
    return {
        name: tuple(_places(resource.get("Properties"), (), secret)) for name, resource in template.resources.items()
    }


def _places(value: Any, path: Path, secret: frozenset[str]) -> Iterator[Path]:
    if isinstance(value, dict) and not _is_expression(value):
        for key, item in value.items():
            yield from _places(item, (*path, str(key)), secret)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, (*path, number), secret)
    elif any(name in secret for name, _ in references(value)):
        yield path


def _is_expression(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and all(key == "Ref" or key.startswith("Fn::") for key in value)

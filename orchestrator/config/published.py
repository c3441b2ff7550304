"""The JSON Schema of stacks.yaml for editors: draft-07 (https://json-schema.org/draft-07), which most of them read."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.config.schema import StacksFile
from orchestrator.config.toolkeys import TOOL_KEYS

_TITLE: Final = "Holdfast stacks.yaml"


def json_schema() -> dict[str, Any]:
    """Return the schema of stacks.yaml, built from the models that read it."""
    schema = StacksFile.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    for name in ("StackKeys", "OverrideKeys"):
        _add_tool_keys(definitions[name])
    tidy: dict[str, Any] = _tidied(schema)
    tidy.pop("description", None)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **tidy,
        "title": _TITLE,
    }


def _add_tool_keys(definition: dict[str, Any]) -> None:
    """Let editors complete the tools' own keys, and refuse unknown ones unless another tool is named."""
    for model in TOOL_KEYS.values():
        for key, value in model.model_json_schema(by_alias=True)["properties"].items():
            definition["properties"].setdefault(key, value)
    known = sorted(definition["properties"])
    if "tool" in definition["properties"]:
        tools = sorted(TOOL_KEYS)
        definition["if"] = {"properties": {"tool": {"enum": tools}}}
        definition["then"] = {"propertyNames": {"enum": known}}


def _tidied(value: Any) -> Any:
    """Drop null alternatives and generated titles: a key that is left out is not written as null."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _tidied(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    if found.get("default", ...) is None:
        del found["default"]
    if "patternProperties" in found:
        found["additionalProperties"] = False
    alternatives = [item for item in found.get("anyOf", ()) if item != {"type": "null"}]
    if len(alternatives) == 1:
        del found["anyOf"]
        found = {**alternatives[0], **found}
    elif alternatives:
        found["anyOf"] = alternatives
    return found

"""The deployment file of AWS Git sync: which template, which parameters, which tags. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/git-sync-concepts-terms.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from adapters.cloudformation.places import misplaced
from adapters.cloudformation.settings import checked_tags, scalar_text
from adapters.cloudformation.template import TemplateUnreadable, read_yaml
from adapters.keys import inside

_KEYS: Final = ("template-file-path", "parameters", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment file says."""

    #: From the repository's root; None where the file names none.
    template: PurePosixPath | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def read(text: str, file: PurePosixPath) -> Deployment:
    """Return what the file says. Raises InvalidSettings with file and line."""
    try:
        body, lines = read_yaml(text)
    except TemplateUnreadable as error:
        raise misplaced(file, error.line, error.message, "mend the deployment file") from None
    if not isinstance(body, dict):
        raise misplaced(file, 1, "a deployment file is a mapping", f"its keys are {', '.join(_KEYS)}")
    for key in body:
        if key not in _KEYS:
            line = lines.get((key,), 1)
            raise misplaced(file, line, f'AWS Git sync knows no "{key}"', f"keys are {', '.join(_KEYS)}")
    named = body.get("template-file-path")
    if named is not None and (not isinstance(named, str) or not named.strip()):
        raise misplaced(file, lines[("template-file-path",)], "template-file-path must be a text")
    return Deployment(
        template=inside(PurePosixPath(), named.strip(), f"{file}: template-file-path") if named else None,
        parameters=_parameters(body, lines, file),
        tags=checked_tags(_mapping(body, "tags", lines, file), f"{file}: tags"),
    )


def _parameters(body: Mapping[str, Any], lines: Mapping[Any, int], file: PurePosixPath) -> dict[str, str]:
    found = _mapping(body, "parameters", lines, file)
    for key, value in found.items():
        if isinstance(value, dict) or value is None:
            line = lines.get(("parameters", key), 1)
            raise misplaced(file, line, f'the parameter "{key}" must be one value', "write a text, a number or a list")
    return {key: scalar_text(value) for key, value in found.items()}


def _mapping(body: Mapping[str, Any], key: str, lines: Mapping[Any, int], file: PurePosixPath) -> dict[str, Any]:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise misplaced(file, lines.get((key,), 1), f"{key} must be a mapping", "write name: value")
    return value

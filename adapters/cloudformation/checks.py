"""What is wrong with a template as far as its text tells, each with its line. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any, Final

from adapters.cloudformation.expressions import references
from adapters.cloudformation.template import Path, Template
from adapters.contract import Problem, Severity

_LEVELS: Final[Mapping[str, Severity]] = {
    "Error": Severity.ERROR,
    "Warning": Severity.WARNING,
    "Informational": Severity.NOTE,
}


def problems(template: Template, file: PurePosixPath) -> tuple[Problem, ...]:
    """Return what the service would refuse, found without it."""
    found = list(_structure(template))
    if not found and "Transform" not in template.body:
        # A macro may add what is referred to.
        found = list(_dangling(template))
    return tuple(
        Problem(severity=Severity.ERROR, summary=said, file=str(file), line=template.line(*path))
        for path, said in found
    )


def _structure(template: Template) -> Iterator[tuple[Path, str]]:
    listed = template.body.get("Resources")
    if not isinstance(listed, dict) or not listed:
        yield ("Resources",), "a template needs at least one resource: Resources is a mapping of them"
        return
    for name, resource in listed.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            yield ("Resources", name), f'the resource "{name}" has no Type'
    for section in ("Parameters", "Outputs", "Conditions", "Mappings"):
        value = template.body.get(section)
        if value is not None and not isinstance(value, dict):
            yield (section,), f"{section} must be a mapping"


def _dangling(template: Template) -> Iterator[tuple[Path, str]]:
    known = {*template.resources, *template.parameters}
    for section in ("Resources", "Outputs"):
        for path, value in _leaves(template.body.get(section) or {}, (section,)):
            for name, _ in references(value):
                if name not in known and not name.startswith("AWS::"):
                    close = get_close_matches(name, known, n=1)
                    yield path, f'there is no "{name}" to refer to' + (f'; did you mean "{close[0]}"?' if close else "")


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield each expression with its path."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, number))
    elif isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in {"Ref", "Fn::GetAtt"}:
            yield path, value
            return
        for key, item in value.items():
            yield from _leaves(item, (*path, key))


def linted(printed: bytes, file: PurePosixPath) -> tuple[Problem, ...]:
    """Return what cfn-lint says, one problem for each of its findings; nothing where it printed no JSON."""
    try:
        found = json.loads(printed or b"[]")
    except ValueError:
        return ()
    return tuple(
        Problem(
            severity=_LEVELS.get(str(one.get("Level")), Severity.WARNING),
            summary=f"{one['Rule']['Id']}: {' '.join(str(one['Message']).split())}",
            file=str(file),
            line=int(one["Location"]["Start"]["LineNumber"]),
        )
        for one in found
        if isinstance(one, dict)
    )

"""The one reference grammar of the configuration: ``${kind:path}``.

``${output:name.key}``, ``${output:name@env.key}``, ``${secret:path}``, ``${env.name}``,
``${stack.name}``, ``${git.commit}``; ``$${`` escapes. A scalar that is only a reference keeps its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from adapters.contract import Json

#: The one reference to the source itself: a stack that names it is due with every commit.
COMMIT = "git.commit"

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_OUTPUT = re.compile(r"^(?P<stack>[^@{}]+?)(?:@(?P<environment>[^.{}]+))?\.(?P<key>[^.{}]+)$")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OutputRef:
    """``${output:stack@environment.key}``; environment is empty where the reference names none."""

    stack: str
    key: str
    environment: str = ""

    def __str__(self) -> str:
        """Render the path part as written."""
        at = f"@{self.environment}" if self.environment else ""
        return f"{self.stack}{at}.{self.key}"

    @classmethod
    def parse(cls, path: str) -> OutputRef:
        """Read the part after ``output:``. Raises ValueError where it is not ``stack.key``."""
        found = _OUTPUT.match(path)
        if not found:
            raise ValueError(path)
        return cls(stack=found["stack"], key=found["key"], environment=found["environment"] or "")


def references(value: Json) -> Iterator[str]:
    """Yield the inside of each ``${…}`` in a value of any depth, in order, escapes left out."""
    if isinstance(value, str):
        for found in _REFERENCE.finditer(value):
            if found.group(1) is not None:
                yield found.group(1)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)


def output_references(values: Mapping[str, Json]) -> tuple[OutputRef, ...]:
    """Return each distinct ``${output:…}`` in ``values``, sorted."""
    found = {
        OutputRef.parse(inside.removeprefix("output:"))
        for value in values.values()
        for inside in references(value)
        if inside.startswith("output:")
    }
    return tuple(sorted(found))


def secret_references(values: Mapping[str, Json]) -> tuple[str, ...]:
    """Return each distinct name in a ``${secret:…}`` of ``values``, sorted."""
    names = {
        inside.removeprefix("secret:")
        for value in values.values()
        for inside in references(value)
        if inside.startswith("secret:")
    }
    return tuple(sorted(names))


def fill(value: Json, look_up: Callable[[str], Json], *, keep_escapes: bool = False) -> Json:
    """Return ``value`` with each ``${inside}`` replaced by ``look_up(inside)``.

    A string that is nothing but one reference takes the looked-up value with its type; inside a
    longer string it is rendered as text. ``$${`` becomes ``${``, unless ``keep_escapes`` says that a
    second pass follows. A ``look_up`` that returns the reference's own text leaves it in place.
    """
    if isinstance(value, list):
        return [fill(item, look_up, keep_escapes=keep_escapes) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, look_up, keep_escapes=keep_escapes) for key, item in value.items()}
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and whole.group(1) is not None:
        return look_up(whole.group(1))

    def replace(found: re.Match[str]) -> str:
        if found.group(1) is None:
            return "$${" if keep_escapes else "${"
        return _text(look_up(found.group(1)))

    return _REFERENCE.sub(replace, value)


def _text(value: Json) -> str:
    """Render as Terraform would inside a template: ``true``, not ``True``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

"""Version constraints, for every tool in Terraform's notation. Pure.

See https://developer.hashicorp.com/terraform/language/expressions/version-constraints
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adapters.contract import InvalidSettings, Json
from adapters.keys import text as text_at

#: Numbers, then whether it is a release (1) or comes before one (0), then the name of what comes before.
Version: TypeAlias = tuple[tuple[int, ...], int, str]

_VERSION: Final = re.compile(
    # What comes before a release stands behind a hyphen, or, as in Python's versions, right after the numbers.
    r"^v?(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z.-]+)|\.?((?:a|b|rc|dev)\d+(?:\.dev\d+)?))?(?:\+\S+)?$"
)
#: Numbers of a version; those that are not written are 0.
_PARTS: Final = 4
_TERM: Final = re.compile(r"^(==?|!=|>=|<=|>|<|~>|~=)?\s*(\S+)$")

_PLAIN: Final[Mapping[str, Callable[[Version, Version], bool]]] = {
    "=": lambda have, want: have == want,
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    ">": lambda have, want: have > want,
    ">=": lambda have, want: have >= want,
    "<": lambda have, want: have < want,
    "<=": lambda have, want: have <= want,
}


def parse(text: str) -> Version:
    """Return a version in a form that sorts. Raises InvalidSettings."""
    found = _VERSION.match(text.strip())
    if not found:
        raise InvalidSettings(f'"{text}" is no version', hint='write it like "1.11.4"')
    numbers = tuple(int(part) for part in found[1].split("."))
    return (*numbers, *(0,) * (_PARTS - len(numbers))), 0 if found[2] or found[3] else 1, found[2] or found[3] or ""


def constraint(settings: Mapping[str, Json]) -> str:
    """Return what a stack's ``tool_version`` asks for, empty where it says nothing. Raises InvalidSettings."""
    asked = text_at(settings, "tool_version")
    try:
        allows(asked, "0")
    except InvalidSettings as error:
        raise InvalidSettings(f"tool_version: {error.message}", hint=error.hint) from None
    return asked


def allows(constraint: str, version: str) -> bool:
    """Say whether ``version`` meets every term of ``constraint``. Raises InvalidSettings."""
    have = parse(version)
    return all(_meets(term.strip(), have) for term in constraint.split(",") if term.strip())


def _meets(term: str, have: Version) -> bool:
    found = _TERM.match(term)
    if not found:
        raise InvalidSettings(f'"{term}" is no version constraint', hint='write it like "~> 1.11" or ">= 1.9, < 2.0"')
    operator, text = found[1] or "=", found[2]
    if operator not in {"~>", "~="}:
        return _PLAIN[operator](have, parse(text))
    # Pessimistic: only the last part that is written may grow.
    written = text.split("-")[0].split(".")
    fixed = max(len(written) - 1, 1)
    return have >= parse(text) and have[0][:fixed] == parse(text)[0][:fixed]

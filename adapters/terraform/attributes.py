"""One resource before and after, attribute by attribute, with every secret masked. Pure.

Works on the ``change`` object of the tool's plan
(https://developer.hashicorp.com/terraform/internals/json-format#change-representation).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from adapters.contract import MASK, AttributeChange, Json
from adapters.telling import scrub
from adapters.telling import secret_texts as texts_of

Path: TypeAlias = tuple[str | int, ...]

#: Values that providers give for "nothing" in turn, so that a difference between two of them is noise.
_NOTHING: Final[tuple[Any, ...]] = (None, {}, [], "")
_PLAIN_KEY: Final = re.compile(r"^[A-Za-z_][\w-]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """One place inside a resource: its value on both sides, and the tool's marks on it."""

    before: Any
    after: Any
    #: Trees of marks: True covers all that is below.
    unknown: Any
    secret_before: Any
    secret_after: Any

    def at(self, key: str | int) -> _Sides:
        """Return the place one step down."""
        return _Sides(
            before=_step(self.before, key),
            after=_step(self.after, key),
            unknown=_step(self.unknown, key),
            secret_before=_step(self.secret_before, key),
            secret_after=_step(self.secret_after, key),
        )

    @property
    def keys(self) -> list[str | int] | None:
        """Where to go down, None where both sides are to be compared whole."""
        sides = [side for side in (self.before, self.after) if side is not None]
        if sides and all(isinstance(side, dict) for side in sides):
            known = self.unknown if isinstance(self.unknown, dict) else {}
            return sorted({key for side in (*sides, known) for key in side})
        if isinstance(self.before, list) and isinstance(self.after, list) and len(self.before) == len(self.after):
            return list(range(len(self.before)))
        return None


def differences(change: Mapping[str, Any], secrets: frozenset[str]) -> tuple[AttributeChange, ...]:
    """Return what differs between ``before`` and ``after``; ``secrets`` are masked wherever they turn up."""
    sides = _Sides(
        before=change.get("before"),
        after=change.get("after"),
        unknown=change.get("after_unknown"),
        secret_before=change.get("before_sensitive"),
        secret_after=change.get("after_sensitive"),
    )
    forcing = [tuple(path) for path in change.get("replace_paths") or ()]
    return tuple(_walk((), sides, forcing, secrets))


def is_noise(attribute: AttributeChange) -> bool:
    """Say whether both sides are only two ways to write "nothing"."""
    return not attribute.computed and attribute.before in _NOTHING and attribute.after in _NOTHING


def secret_texts(value: Any, marks: Any) -> Iterator[str]:
    """Yield each text and number in ``value`` that ``marks`` call sensitive."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from secret_texts(item, _step(marks, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from secret_texts(item, _step(marks, position))
    elif marks is True:
        yield from texts_of(value)


def _walk(path: Path, sides: _Sides, forcing: list[Path], secrets: frozenset[str]) -> Iterator[AttributeChange]:
    secret = sides.secret_before is True or sides.secret_after is True
    computed = sides.unknown is True
    keys = None if secret or computed else sides.keys
    if keys is not None:
        for key in keys:
            yield from _walk((*path, key), sides.at(key), forcing, secrets)
    elif computed or not _same(sides.before, sides.after):
        yield AttributeChange(
            path=_render(path),
            before=_masked(sides.before, sides.secret_before or secret, secrets),
            after=None if computed else _masked(sides.after, sides.secret_after or secret, secrets),
            sensitive=secret,
            computed=computed or _holds_true(sides.unknown),
            forces_replacement=any(path[: len(forced)] == forced or forced[: len(path)] == path for forced in forcing),
        )


def _step(value: Any, key: str | int) -> Any:
    """Return what is at ``key``; a mark covers all that is below it, and so it stays."""
    if value is True:
        return True
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None


def _same(before: Any, after: Any) -> bool:
    # JSON knows true and 1 apart, Python does not.
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _masked(value: Any, marks: Any, secrets: frozenset[str]) -> Json:
    if value is None:
        return None
    if marks is True:
        return MASK
    if isinstance(value, dict):
        return {key: _masked(item, _step(marks, key), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, _step(marks, position), secrets) for position, item in enumerate(value)]
    plain: Json = scrub(value, secrets) if isinstance(value, str) else value
    return plain


def _holds_true(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(_holds_true(mark) for mark in marks.values())
    if isinstance(marks, list):
        return any(_holds_true(mark) for mark in marks)
    return marks is True


def _render(path: Path) -> str:
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PLAIN_KEY.match(key):
            text += f".{key}" if text else key
        else:
            text += f'["{key}"]'
    return text

"""One resource before and after, property by property, with every secret masked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from adapters.cloudformation.expressions import COMPUTED
from adapters.cloudformation.template import Path
from adapters.contract import MASK, AttributeChange, Json
from adapters.telling import TELLING

_MISSING: Final = object()
#: What the service gives in the place of a NoEcho value.
_STARS: Final = re.compile(r"\*{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Veil:
    """What of one resource nobody may read."""

    #: Texts that are secret wherever they turn up.
    secrets: frozenset[str] = frozenset()
    #: Places inside the resource that are made of secrets.
    places: tuple[Path, ...] = ()

    def covers(self, path: Path, *values: Any) -> bool:
        """Whether the value at ``path`` is secret, or holds a secret, or is part of one."""
        for place in self.places:
            shorter = min(len(place), len(path))
            if place[:shorter] == path[:shorter]:
                return True
        return any(holds_secret(value, self.secrets) or _starred(value) for value in values)

    def attribute(
        self, path: Path, before: Any, after: Any, *, computed: bool = False, forces_replacement: bool = False
    ) -> AttributeChange:
        """Return the attribute, masked where it must be."""
        sensitive = self.covers(path, before, after)
        return AttributeChange(
            path=dotted(path),
            before=None if holds_computed(before) else _masked(before, sensitive=sensitive),
            after=None if computed else _masked(after, sensitive=sensitive),
            sensitive=sensitive,
            computed=computed,
            forces_replacement=forces_replacement,
        )


def differences(
    before: Any, after: Any, veil: Veil, *, forcing: frozenset[str] = frozenset()
) -> tuple[AttributeChange, ...]:
    """Return what differs between two sets of properties; ``forcing`` names those whose change replaces."""
    return tuple(
        veil.attribute(
            path,
            None if old is _MISSING else old,
            None if new is _MISSING else new,
            computed=holds_computed(new),
            forces_replacement=bool(path) and path[0] in forcing,
        )
        for path, old, new in _walk((), before, after)
    )


def _walk(path: Path, before: Any, after: Any) -> Iterator[tuple[Path, Any, Any]]:
    if before == after:
        return
    if _mappings(before, after):
        left, right = _of(before), _of(after)
        for key in sorted({*left, *right}):
            yield from _walk((*path, key), left.get(key, _MISSING), right.get(key, _MISSING))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk((*path, number), old, new)
    else:
        yield path, before, after


def _mappings(before: Any, after: Any) -> bool:
    """Whether to go down: both are mappings, or one is, and the other is not there at all."""
    sides = [side for side in (before, after) if side is not _MISSING and side is not None]
    return bool(sides) and all(isinstance(side, dict) and side for side in sides)


def _of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def dotted(path: Path) -> str:
    """Return a path as people read it: ``Tags[0].Value``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def pointed(pointer: str) -> Path:
    """Return the path that the service writes as ``/Tags/0/Value``, with or without ``/Properties`` before it."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/") if part]
    if len(parts) > 1 and parts[0] == "Properties":
        parts = parts[1:]
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def holds_computed(value: Any) -> bool:
    """Whether a value, or a part of it, is known only after the apply."""
    return any(COMPUTED in text for text in _texts(value))


def holds_secret(value: Any, secrets: frozenset[str]) -> bool:
    """Whether a secret turns up in a value."""
    long = [secret for secret in secrets if len(secret) >= TELLING]
    return any(text in secrets or any(secret in text for secret in long) for text in _texts(value))


def _masked(value: Any, *, sensitive: bool) -> Json:
    if value is None:
        return None
    masked: Json = MASK if sensitive else value
    return masked


def _starred(value: Any) -> bool:
    return any(_STARS.fullmatch(text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool) and value is not _MISSING:
        yield str(value)

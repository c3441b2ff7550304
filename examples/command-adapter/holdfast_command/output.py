"""What is wanted, what ``observe`` printed, and the differences between them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from adapters.contract import MASK, AttributeChange, Change, ChangeKind, Input, Json, OutputUnreadable

Objects: TypeAlias = Mapping[str, Mapping[str, Json]]


def wanted(text: str, inputs: Mapping[str, Input]) -> Objects:
    """Return what ``wanted.json`` asks for, inputs filled in. Raises ValueError."""
    found = _objects(json.loads(text))
    return {name: {key: _filled(value, inputs) for key, value in one.items()} for name, one in found.items()}


def observed(printed: bytes) -> tuple[Objects, Mapping[str, Json]]:
    """Return the objects and the outputs that ``observe`` printed. Raises OutputUnreadable."""
    try:
        said = json.loads(printed)
        return _objects(said["objects"]), dict(said.get("outputs", {}))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputUnreadable("observe printed no objects", hint='print {"objects": {}, "outputs": {}}') from error


def masked(value: Json, secrets: frozenset[str]) -> Json:
    """Return the value, or the mask where it holds a secret."""
    text = json.dumps(value, ensure_ascii=False)
    return MASK if any(secret in text or secret in str(value) for secret in secrets) else value


def changes(before: Objects, after: Objects, secrets: frozenset[str]) -> Iterator[Change]:
    """Yield what leads from ``before`` to ``after``, object by object, with every secret masked."""
    for name in sorted({*before, *after}):
        old, new = before.get(name, {}), after.get(name, {})
        differing = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        kind = (
            ChangeKind.CREATE if name not in before else ChangeKind.DELETE if name not in after else ChangeKind.UPDATE
        )
        attributes = tuple(_attribute(key, old.get(key), new.get(key), secrets) for key in differing)
        if attributes or kind is not ChangeKind.UPDATE:
            yield Change(address=name, kind=kind, attributes=attributes)


def _attribute(key: str, old: Json, new: Json, secrets: frozenset[str]) -> AttributeChange:
    before, after = masked(old, secrets), masked(new, secrets)
    return AttributeChange(path=key, before=before, after=after, sensitive=MASK in (before, after))


def _objects(found: Any) -> dict[str, dict[str, Json]]:
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError("objects by name are wanted, each with its attributes")
    return found


def _filled(value: Json, inputs: Mapping[str, Input]) -> Json:
    match value:
        case {"$input": str(name), **rest} if not rest:
            if name not in inputs:
                raise ValueError(f'there is no input "{name}"')
            return inputs[name].value
        case _:
            return value

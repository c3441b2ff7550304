"""Turns the model's frozen dataclasses into JSON values and back, by their type hints.

Why not pydantic: the contract is standard library only and its recursive ``Json`` alias cannot be
read by it on Python 3.11, and `holdfast status` must not pay for building twenty schemas.

Fields that hold their default are left out, so that a later release may add a field with a default
and still read what an earlier one wrote. An unknown field is an error: it was written by a newer one.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from adapters.contract import Json

_T = TypeVar("_T")
_Decode = Callable[[Any], Any]


def encode(value: object) -> Json:
    """Return the JSON value for a dataclass of the model, or for anything inside one."""
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return cast("Json", value.value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(encode(key)): encode(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted((encode(item) for item in value), key=str)
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return _encode_fields(value)


def _encode_fields(value: object) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, default, kind in _fields(cast("Any", type(value))):
        item = getattr(value, name)
        if kind or item != default:
            found[name] = encode(item)
    return found


@cache
def _fields(cls: Any) -> tuple[tuple[str, object, bool], ...]:
    """Return name, default and "always written" of each field."""
    found = []
    for item in dataclasses.fields(cls):
        default: object = item.default
        if item.default_factory is not dataclasses.MISSING:
            default = item.default_factory()
        found.append((item.name, default, item.name == "kind"))
    return tuple(found)


def decode(cls: type[_T], value: Json) -> _T:
    """Return the dataclass ``cls`` for a JSON value made by `encode`.

    Raises ValueError where the value does not fit, naming what does not.
    """
    return cast("_T", _decoder(cast("Any", cls))(value))


def decode_union(members: object, value: Json) -> Any:
    """Return the member of a union of dataclasses whose ``kind`` the value bears. Raises ValueError."""
    return _decoder(members)(value)


@cache
def _decoder(hint: Any) -> _Decode:  # noqa: C901, PLR0911 -- one line per shape of hint
    if hint is Any or (not isinstance(hint, type) and get_origin(hint) is None):
        return _same
    if dataclasses.is_dataclass(hint):
        return _dataclass_decoder(cast("type", hint))
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return _union_decoder(args)
    if origin is Literal:
        return _same
    if origin is tuple:
        item = _decoder(args[0])
        return lambda value: tuple(item(one) for one in value)
    if origin is frozenset:
        item = _decoder(args[0])
        return lambda value: frozenset(item(one) for one in value)
    if origin is not None and issubclass(origin, Mapping):
        key, item = _decoder(args[0]), _decoder(args[1])
        return lambda value: {key(name): item(one) for name, one in value.items()}
    if origin is None and issubclass(hint, Enum | PurePosixPath | Path):
        return cast("_Decode", hint)
    if hint is float:
        return float
    return _same


def _same(value: Any) -> Any:
    return value


def _union_decoder(args: tuple[Any, ...]) -> _Decode:
    others = [arg for arg in args if arg is not type(None)]
    if len(others) == 1:
        inner = _decoder(others[0])
        return lambda value: None if value is None else inner(value)
    if not all(dataclasses.is_dataclass(arg) for arg in others):
        return _same
    by_kind = {arg.__dataclass_fields__["kind"].default: arg for arg in others}

    def pick(value: Any) -> Any:
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind not in by_kind:
            message = f"unknown kind {kind!r}"
            raise ValueError(message)
        return _decoder(by_kind[kind])(value)

    return pick


def _dataclass_decoder(cls: type) -> _Decode:
    # Built on first use, so that a type may hold itself.
    decoders: dict[str, _Decode] = {}

    def build(value: Any) -> Any:
        if not isinstance(value, dict):
            message = f"{cls.__name__}: expected an object"
            raise ValueError(message)  # noqa: TRY004 -- one error for every misfit
        if not decoders:
            hints = get_type_hints(cls)
            decoders.update({item.name: _decoder(hints[item.name]) for item in dataclasses.fields(cls)})
        try:
            return cls(**{name: decoders[name](item) for name, item in value.items()})
        except (KeyError, TypeError) as error:
            message = f"{cls.__name__}: {error}"
            raise ValueError(message) from error

    return build

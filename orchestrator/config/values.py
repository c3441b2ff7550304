"""The kinds of value that configuration fields hold, as pydantic reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchestrator.config.paths import checked_glob, checked_path
from orchestrator.config.yamltree import Written, typed
from orchestrator.rules.windows import parse

_DURATION = re.compile(r"(\d{1,9})(s|m|h|d|w)")
_WHO: Final = re.compile(r"(team|user):\S+")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Keys(BaseModel):
    """A mapping in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def said(description: str, *, alias: str | None = None) -> Any:
    """Return the field of a key that may be left out; ``description`` is what editors show."""
    return Field(default=None, alias=alias, description=description)


def refuse(code: str, message: str, hint: str = "") -> PydanticCustomError:
    """Return the error with which a validator refuses a value; the reader adds the place."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


def seconds(value: Any) -> float:
    """Read ``30m`` as 1800.0. Raises PydanticCustomError (HF-1004)."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        unit = f'; did you mean "{value}m" or "{value}s"?' if isinstance(value, Written) else ""
        message = f"a duration such as 30m, 1h or 400d is expected, not {_shown(value)}{unit}"
        raise refuse("HF-1004", message, "write a whole number and s, m, h, d or w")
    return float(int(found[1]) * _SECONDS[found[2]])


def _moment(value: Any) -> float:
    """Read a date or a time, in UTC where it says nothing else, as seconds since the epoch."""
    try:
        at = datetime.fromisoformat(str(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        message = f"a date or a time is expected, not {_shown(value)}"
        raise refuse("HF-1004", message, "write 2026-11-30, or 2026-11-30T18:00Z") from None


def _whole(value: Any) -> int:
    number = value.typed if isinstance(value, Written) else value
    if isinstance(number, bool) or not isinstance(number, int):
        raise refuse("HF-1004", f"a whole number is expected, not {_shown(value)}", "write it in digits: 3")
    return number


def _truth(value: Any) -> bool:
    found = value.typed if isinstance(value, Written) else value
    if not isinstance(found, bool):
        raise refuse("HF-1004", f"true or false is expected, not {_shown(value)}", "write true or false")
    return found


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case Written():
            return str(value)
        case str():
            return f'"{value}"'
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return str(value)


def _filled(value: Any) -> Any:
    # "prod:" with nothing below it says that there is a prod, without more.
    return {} if value is None else value


def _window(value: str) -> str:
    try:
        parse(value)
    except ValueError as error:
        raise refuse("HF-1016", str(error)) from None
    return value


def _who(value: str) -> str:
    if not _WHO.fullmatch(value):
        hint = "write team:NAME or user:NAME" if ":" in value else f"write team:{value} or user:{value}"
        raise refuse("HF-1004", f'"{value}" names neither a team nor a user', hint)
    return value


def _kept(value: Any) -> Any:
    """Return ``value`` as it reads; a number that would come out as another text may have been meant as text."""
    for one in _scalars(value):
        found = one.typed
        if not isinstance(found, bool) and json.dumps(found) != one:
            raise refuse(
                "HF-1022", f"{one} reads as the number {json.dumps(found)}", f'write "{one}" for the text, or {found}'
            )
    return typed(value)


def _scalars(value: Any) -> Iterator[Written]:
    if isinstance(value, Written):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _scalars(inner)


def _backend(value: Any) -> Any:
    found = _kept(value)
    if isinstance(found, dict) or (isinstance(found, list) and all(isinstance(item, str) for item in found)):
        return found
    hint = "write {bucket: ...}, or [file.tfbackend]"
    raise refuse("HF-1004", f"a mapping, or a list of files, is expected, not {_shown(value)}", hint)


def _path(value: str) -> str:
    try:
        checked_path(value)
    except ValueError as error:
        raise refuse("HF-1008", str(error)) from None
    return value


def _glob(value: str) -> str:
    try:
        checked_glob(value)
    except ValueError as error:
        raise refuse("HF-1008", str(error)) from None
    return value


Duration = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,9}[smhdw]$", "examples": ["30m", "1h"]}),
]
Whole = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_whole)]
#: A time in UTC, in a file that hosts of several time zones read.
Moment = Annotated[
    float, BeforeValidator(_moment), WithJsonSchema({"type": "string", "examples": ["2026-11-30", "2026-11-30T18:00Z"]})
]
#: Something that happens at least once.
Times = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]
Truth = Annotated[bool, BeforeValidator(_truth)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=100)]
Who = Annotated[str, AfterValidator(_who), WithJsonSchema({"type": "string", "pattern": f"^{_WHO.pattern}$"})]
Window = Annotated[str, AfterValidator(_window)]
#: A path below the repository's root.
Path = Annotated[str, Field(min_length=1), AfterValidator(_path)]
Glob = Annotated[str, Field(min_length=1), AfterValidator(_glob)]
#: Any value, numbers and truth values as they read.
Anything = Annotated[Any, AfterValidator(_kept)]
Inputs = Annotated[dict[str, Anything], BeforeValidator(_filled)]
Backend = Annotated[
    Any,
    AfterValidator(_backend),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "string"}}]}),
]
Filled = BeforeValidator(_filled)
Version = Annotated[Literal[1], BeforeValidator(_whole)]

"""How our adapters read a stack's settings: known keys, values of one form, refused in one line. Pure.

An adapter of another distribution needs the contract alone; it may use this.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath

from adapters.contract import InvalidSettings, Json


def check_known(settings: Mapping[str, Json], known: Collection[str], tool: str) -> None:
    """Raise InvalidSettings for a key that ``tool`` does not know, with the nearest that it does."""
    for key in settings:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"keys are: {', '.join(known)}"
            raise InvalidSettings(f'{tool} knows no setting "{key}"', hint=hint)


def text(settings: Mapping[str, Json], key: str, default: str = "") -> str:
    """Return a text, ``default`` where none is given. Raises InvalidSettings."""
    value = settings.get(key)
    if value is None:
        return default
    # No program can be handed a zero byte.
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise InvalidSettings(f"{key} must be a text, not {value!r}")
    return value.strip()


def texts(settings: Mapping[str, Json], key: str) -> tuple[str, ...]:
    """Return a list of texts, empty where none is given. Raises InvalidSettings."""
    value = settings.get(key)
    found = [] if value is None else value
    told = [item.strip() for item in found if isinstance(item, str)] if isinstance(found, list) else []
    if not isinstance(found, list) or len(told) != len(found) or not all(item and "\0" not in item for item in told):
        raise InvalidSettings(f"{key} must be a list of texts", hint=f'write {key}: ["first", "second"]')
    return tuple(told)


def flag(settings: Mapping[str, Json], key: str, *, default: bool = False) -> bool:
    """Return true or false, ``default`` where neither is given. Raises InvalidSettings."""
    value = settings.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidSettings(f"{key} must be true or false, not {value!r}")
    return value


def count(settings: Mapping[str, Json], key: str) -> int | None:
    """Return a number from 1 up, None where none is given: that leaves it to the tool. Raises InvalidSettings."""
    value = settings.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSettings(f"{key} must be a whole number from 1 up, not {value!r}")
    return value


def inside(folder: PurePosixPath, name: str, key: str) -> PurePosixPath:
    """Return the path ``name``, written from ``folder``, from the repository's root. Raises InvalidSettings."""
    found = posixpath.normpath(posixpath.join(str(folder), name))
    if found.startswith(("/", "../")) or found == "..":
        raise InvalidSettings(f'{key}: "{name}" leaves the repository', hint="name a place inside the repository")
    return PurePosixPath(found)

"""What was asked for at the last apply, so that a difference is known for what it is: the world's doing, or the files'.

Puppet's own ``corrective_change`` needs an agent's memory, which ``puppet apply`` does not keep. Here each wanted
value is kept as a digest, never the value itself, and of what is sensitive not even that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

from adapters.contract import Json, OutputUnreadable
from adapters.puppet.report import LARGEST

#: Digest of each parameter, by resource.
Wanted: TypeAlias = Mapping[str, Mapping[str, str]]

_SENSITIVE: Final = "sensitive"
#: What files are to hold may be named by either.
_FILE_CONTENT: Final = ("source", "content")
_MODULES: Final = "puppet:///modules/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was wanted then (None where nobody knows) and what is wanted now."""

    then: Wanted | None
    now: Wanted

    def left_alone(self, ref: str) -> bool:
        """Whether the files themselves say ``noop => true``: an apply tells of the difference and leaves it."""
        return self.now.get(ref, {}).get("noop") == _digest(True)  # noqa: FBT003 - the very value that is written

    def corrective(self, ref: str, name: str) -> bool:
        """Whether the files ask the same of this property as they did: then it is the world that moved.

        Where nothing is known of an apply, the files that are there are taken for those that were applied.
        """
        if self.then is None:
            return True
        owner = _owner(ref, self.now) or _owner(ref, self.then)
        # What no catalog names was made while Puppet ran (a purge, for one), and was asked for all along.
        if owner is None:
            return True
        if owner not in self.then:
            return False
        names = (name, *_FILE_CONTENT) if ref.startswith("File[") and name in {"content", "ensure"} else (name,)
        names = (*names, *_FILE_CONTENT, "recurse", "purge") if owner != ref else names
        old, new = self.then[owner], self.now.get(owner, {})
        # Whatever is said of an exec says what it does.
        if ref.startswith("Exec["):
            return dict(old) == dict(new)
        return all(old.get(one) == new.get(one) for one in names)


def read_catalog(content: bytes, modulepath: Sequence[Path]) -> Wanted:
    """Return what a compiled catalog asks for. Raises OutputUnreadable."""
    if len(content) > LARGEST:
        raise OutputUnreadable("puppet's catalog is too large", hint="split the stack")
    try:
        listed = json.loads(content)["resources"]
        return {f"{one['type']}[{one['title']}]": _parameters(one, modulepath) for one in listed}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OutputUnreadable("puppet's catalog cannot be read", hint="install Puppet 6, 7 or 8") from error


def dump(wanted: Wanted) -> bytes:
    """Return it as it is kept."""
    return json.dumps(wanted, sort_keys=True).encode()


def load(file: Path) -> Wanted | None:
    """Return what is kept, None where nothing is, or nothing that can be read."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _parameters(resource: Mapping[str, Any], modulepath: Sequence[Path]) -> dict[str, str]:
    hidden = set(resource.get("sensitive_parameters") or ())
    found: dict[str, str] = {}
    for name, value in (resource.get("parameters") or {}).items():
        found[name] = _SENSITIVE if name in hidden else _digest(value)
        if name == "source":
            found[name] = _digest([value, *_sources(value, modulepath)])
    return found


def _sources(value: Json, modulepath: Sequence[Path]) -> Iterator[Json]:
    """Yield digests of the files that a ``source`` names, where modules hold them."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str) or not one.startswith(_MODULES):
            continue
        module, _, rest = one.removeprefix(_MODULES).partition("/")
        if ".." in rest.split("/"):
            continue
        for folder in modulepath:
            start = folder / module / "files" / PurePosixPath(rest)
            for file in sorted(start.rglob("*")) if start.is_dir() else [start]:
                if file.is_file():
                    yield [str(file.relative_to(folder)), hashlib.sha256(file.read_bytes()).hexdigest()]


def _digest(value: Json) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _owner(ref: str, wanted: Wanted) -> str | None:
    """Return the resource that asks for ``ref``: itself, or of a file the nearest folder above it."""
    if ref in wanted:
        return ref
    if not ref.startswith("File["):
        return None
    above = PurePosixPath(ref[len("File[") : -1]).parents
    return next((found for folder in above if (found := f"File[{folder}]") in wanted), None)

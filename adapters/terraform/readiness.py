"""When the tool must be initialised again, and what is remembered of the last time.

``init`` costs between 0.1 s and several seconds. Its result lasts in the scratch folder; it is repeated only when
something that it depends on changed. What this misses, the tool finds, and then ``init`` runs after all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

from adapters.contract import Json, ToolMissing, ToolVersion
from adapters.files import write_private
from adapters.terraform.hcl import initialises
from adapters.terraform.settings import Settings
from adapters.terraform.state import configuration

LOCK: Final = ".terraform.lock.hcl"

_MARKER: Final = "initialised.json"
_GENERATED: Final = "generated.lock.hcl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A program as the file system knows it: another build is another value."""

    path: str
    inode: int
    modified_ns: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What the last ``init`` in a scratch folder saw."""

    key: str
    binary: Binary
    tool: ToolVersion


def binary(program: str) -> Binary | None:
    """Return the program that PATH leads to, None where there is none."""
    found = shutil.which(program)
    if found is None:
        return None
    path = Path(found).resolve()
    seen = path.stat()
    return Binary(path=str(path), inode=seen.st_ino, modified_ns=seen.st_mtime_ns, size=seen.st_size)


@cache
def digest(program: Binary) -> str:
    """Return the hex SHA-256 of a program's file: what it says of its version anything can say. Raises ToolMissing."""
    try:
        with Path(program.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ToolMissing(f"{program.path} cannot be read: {error.strerror}", hint="mend its permissions") from error


def key(settings: Settings, root: Path, cli_config: str, tool: ToolVersion) -> str:
    """Return a digest of all that ``init`` depends on, as far as the root module tells."""
    folder = root / settings.path
    parts: list[Json] = [
        [tool.name, tool.version, tool.platform],
        dict(settings.backend_config),
        [_digest(root / path) for path in settings.backend_files],
        str(settings.plugin_cache or ""),
        cli_config,
        _digest(folder / LOCK),
    ]
    for file in configuration(folder, settings.tool):
        parts += initialises(file.name, file.read_text("utf-8", "replace"))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_marker(scratch: Path) -> Marker | None:
    """Return what the last ``init`` left, None where there is none that can be used."""
    try:
        held = json.loads((scratch / _MARKER).read_bytes())
        if not (scratch / "terraform").is_dir():
            return None
        return Marker(key=held["key"], binary=Binary(**held["binary"]), tool=_tool(**held["tool"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _tool(*, name: str, version: str, platform: str, program: str) -> ToolVersion:
    return ToolVersion(name=name, version=version, platform=platform, program=program)


def write_marker(scratch: Path, marker: Marker) -> None:
    """Remember that ``init`` went well."""
    write_private(scratch / _MARKER, json.dumps(asdict(marker)).encode())


def lock_is_committed(folder: Path, scratch: Path) -> bool:
    """Say whether the stack brings its own lock file; one that an earlier ``init`` of ours made does not count."""
    lock, generated = _read(folder / LOCK), _read(scratch / _GENERATED)
    return bool(lock) and lock != generated


def generated_lock(scratch: Path) -> bytes:
    """Return the lock file that an earlier ``init`` made, empty where it made none."""
    return _read(scratch / _GENERATED)


def restore_lock(folder: Path, scratch: Path) -> None:
    """Put the lock file that an earlier ``init`` made beside the files, where they bring none."""
    generated = _read(scratch / _GENERATED)
    if generated and not (folder / LOCK).exists():
        (folder / LOCK).write_bytes(generated)


def forget_lock(folder: Path, scratch: Path) -> None:
    """Take away the lock file that an earlier ``init`` made, so that the next one chooses anew."""
    if not lock_is_committed(folder, scratch):
        (folder / LOCK).unlink(missing_ok=True)
    (scratch / _GENERATED).unlink(missing_ok=True)


def keep_lock(folder: Path, scratch: Path) -> None:
    """Keep the lock file that ``init`` made: providers do not change from run to run by themselves."""
    made = _read(folder / LOCK)
    if made:
        write_private(scratch / _GENERATED, made)


def _digest(path: Path) -> str:
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""

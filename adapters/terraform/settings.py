"""What a stack's own keys mean to Terraform: read once, refused early. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Final

from adapters.contract import InvalidSettings, Json

#: Programs that this adapter drives, by the name that a stack's ``tool`` gives.
PROGRAMS: Final[Mapping[str, str]] = {"terraform": "terraform", "opentofu": "tofu"}

#: Files that pin a version; the nearest one counts, in the stack's folder or above it.
PINS: Final[Mapping[str, str]] = {"terraform": ".terraform-version", "opentofu": ".opentofu-version"}

_KEYS: Final = (
    "tool",
    "path",
    "workspace",
    "var_files",
    "backend_config",
    "tool_version",
    "parallelism",
    "plugin_cache",
    "cli_config_file",
    "test",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One stack's settings."""

    #: ``terraform`` or ``opentofu``.
    tool: str
    #: The stack's folder from the repository's root.
    path: PurePosixPath
    workspace: str = "default"
    #: From the repository's root, in the order in which the tool reads them.
    var_files: tuple[PurePosixPath, ...] = ()
    #: Values of the backend that its block leaves open.
    backend_config: Mapping[str, Json] = field(default_factory=dict)
    #: Files of such values, from the repository's root.
    backend_files: tuple[PurePosixPath, ...] = ()
    #: Version constraint in the tool's notation, empty where the stack says nothing.
    tool_version: str = ""
    #: How many resources the tool works on at once; None leaves it to the tool.
    parallelism: int | None = None
    #: Folder in which ``init`` keeps providers for all stacks of this host; the operator's to say.
    plugin_cache: Path | None = None
    #: The operator's own CLI configuration (provider mirrors, registry credentials).
    cli_config_file: Path | None = None
    #: Whether ``validate`` also runs ``terraform test``.
    test: bool = False

    @property
    def program(self) -> str:
        """The program's name on PATH."""
        return PROGRAMS[self.tool]


def read(settings: Mapping[str, Json]) -> Settings:
    """Return the settings as a value. Raises InvalidSettings, naming the key."""
    for key in settings:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"keys are: {', '.join(_KEYS)}"
            raise InvalidSettings(f'terraform knows no setting "{key}"', hint=hint)
    tool = _text(settings, "tool", "terraform")
    if tool not in PROGRAMS:
        raise InvalidSettings(f'this adapter does not drive "{tool}"', hint="tool is terraform or opentofu")
    path = PurePosixPath(_text(settings, "path", "."))
    values, files = _backend(settings.get("backend_config"), path)
    return Settings(
        tool=tool,
        path=path,
        workspace=_text(settings, "workspace", "default"),
        var_files=tuple(_inside(path, name, "var_files") for name in _texts(settings, "var_files")),
        backend_config=values,
        backend_files=files,
        tool_version=_text(settings, "tool_version", ""),
        parallelism=_parallelism(settings.get("parallelism")),
        plugin_cache=_absolute(settings, "plugin_cache"),
        cli_config_file=_absolute(settings, "cli_config_file"),
        test=_flag(settings, "test"),
    )


def _text(settings: Mapping[str, Json], key: str, default: str) -> str:
    value = settings.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise InvalidSettings(f"{key} must be a text, not {value!r}")
    return value.strip()


def _texts(settings: Mapping[str, Json], key: str) -> list[str]:
    value = settings.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InvalidSettings(f"{key} must be a list of texts", hint=f'write {key}: ["first", "second"]')
    return [item for item in value if isinstance(item, str)]


def _flag(settings: Mapping[str, Json], key: str) -> bool:
    value = settings.get(key, False)
    if not isinstance(value, bool):
        raise InvalidSettings(f"{key} must be true or false, not {value!r}")
    return value


def _absolute(settings: Mapping[str, Json], key: str) -> Path | None:
    text = _text(settings, key, "")
    if not text:
        return None
    if not Path(text).is_absolute():
        raise InvalidSettings(f"{key} must be an absolute path, not {text!r}")
    return Path(text)


def _parallelism(value: Json) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSettings(f"parallelism must be a whole number from 1 up, not {value!r}")
    return value


def _inside(path: PurePosixPath, name: str, key: str) -> PurePosixPath:
    """Return ``name``, written as the tool takes it (from the stack's folder), from the repository's root."""
    found = posixpath.normpath(posixpath.join(str(path), name))
    if found.startswith(("/", "../")) or found == "..":
        raise InvalidSettings(f'{key}: "{name}" leaves the repository', hint="name a file inside the repository")
    return PurePosixPath(found)


def _backend(value: Json, path: PurePosixPath) -> tuple[Mapping[str, Json], tuple[PurePosixPath, ...]]:
    if value is None:
        return {}, ()
    if isinstance(value, dict):
        return value, ()
    return {}, tuple(
        _inside(path, name, "backend_config") for name in _texts({"backend_config": value}, "backend_config")
    )

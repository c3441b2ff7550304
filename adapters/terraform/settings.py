"""What a stack's own keys mean to Terraform: read once, refused early. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from adapters.contract import InvalidSettings, Json
from adapters.keys import check_known, count, flag, inside, text, texts
from adapters.versions import constraint

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
    "state_elsewhere",
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
    #: Whether the state must lie where every host finds it; the operator's to say.
    state_elsewhere: bool = False
    #: Whether ``validate`` also runs ``terraform test``.
    test: bool = False

    @property
    def program(self) -> str:
        """The program's name on PATH."""
        return PROGRAMS[self.tool]


def read(settings: Mapping[str, Json]) -> Settings:
    """Return the settings as a value. Raises InvalidSettings, naming the key."""
    check_known(settings, _KEYS, "terraform")
    tool = text(settings, "tool", "terraform")
    if tool not in PROGRAMS:
        raise InvalidSettings(f'this adapter does not drive "{tool}"', hint="tool is terraform or opentofu")
    path = PurePosixPath(text(settings, "path", "."))
    values, files = _backend(settings.get("backend_config"), path)
    return Settings(
        tool=tool,
        path=path,
        workspace=text(settings, "workspace", "default"),
        var_files=tuple(inside(path, name, "var_files") for name in texts(settings, "var_files")),
        backend_config=values,
        backend_files=files,
        tool_version=constraint(settings),
        parallelism=count(settings, "parallelism"),
        plugin_cache=_absolute(settings, "plugin_cache"),
        cli_config_file=_absolute(settings, "cli_config_file"),
        test=flag(settings, "test"),
        state_elsewhere=flag(settings, "state_elsewhere"),
    )


def _absolute(settings: Mapping[str, Json], key: str) -> Path | None:
    given = text(settings, key)
    if not given:
        return None
    if not Path(given).is_absolute():
        raise InvalidSettings(f"{key} must be an absolute path, not {given!r}")
    return Path(given)


def _backend(value: Json, path: PurePosixPath) -> tuple[Mapping[str, Json], tuple[PurePosixPath, ...]]:
    if value is None:
        return {}, ()
    if isinstance(value, dict):
        return value, ()
    return {}, tuple(
        inside(path, name, "backend_config") for name in texts({"backend_config": value}, "backend_config")
    )

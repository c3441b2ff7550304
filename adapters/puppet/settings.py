"""What a stack's own keys mean to Puppet: read once, refused early. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from adapters.contract import InvalidSettings, Json
from adapters.keys import check_known, inside, text, texts
from adapters.versions import constraint

_KEYS: Final = (
    "tool",
    "path",
    "manifest",
    "modulepath",
    "hiera_config",
    "environmentpath",
    "puppet_environment",
    "certname",
    "facts",
    "tool_version",
)

#: What ``$basemodulepath`` stands for is the machine's, not the repository's: read where it is asked for by name.
MACHINES_MODULES: Final = "$basemodulepath"

_ENVIRONMENT: Final = re.compile(r"[a-z0-9_]+", re.IGNORECASE)
#: Sections of Puppet's own configuration; no environment may be called like that.
_RESERVED: Final = frozenset({"main", "master", "server", "agent", "user"})
_CERTNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FACT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One stack's settings."""

    #: The stack's folder from the repository's root.
    path: PurePosixPath
    #: From the repository's root; None leaves it to ``environment.conf`` and Puppet's own default.
    manifest: PurePosixPath | None = None
    #: From the repository's root, or `MACHINES_MODULES`; None leaves it to ``environment.conf`` and the default.
    modulepath: tuple[str, ...] | None = None
    #: The repository's hierarchy, from its root, where it is not ``hiera.yaml`` in the environment's folder.
    hiera_config: PurePosixPath | None = None
    #: Folder of environment folders, from the repository's root; None where the stack's folder is the environment.
    environmentpath: PurePosixPath | None = None
    #: Puppet's name of the environment, empty for the name that Holdfast has.
    environment: str = ""
    #: The name that ``node`` blocks match, empty for the host's own.
    certname: str = ""
    #: Facts that the stack hands to others, by the output's name.
    facts: Mapping[str, str] = field(default_factory=dict)
    #: Constraint on the version, empty where it says nothing.
    tool_version: str = ""

    def environment_of(self, name: str) -> str:
        """Return Puppet's name of the environment that Holdfast calls ``name``."""
        if self.environment:
            return self.environment
        found = re.sub(r"[^a-z0-9_]", "_", name.lower())
        return f"{found}_" if found in _RESERVED else found

    def folder_of(self, name: str) -> PurePosixPath:
        """Return the environment's folder from the repository's root."""
        return self.path if self.environmentpath is None else self.environmentpath / self.environment_of(name)


def read(settings: Mapping[str, Json]) -> Settings:
    """Return the settings as a value. Raises InvalidSettings, naming the key."""
    check_known(settings, _KEYS, "puppet")
    path = PurePosixPath(text(settings, "path") or ".")
    return Settings(
        path=path,
        manifest=_place(settings, "manifest", path),
        modulepath=_modulepath(settings, path),
        hiera_config=_place(settings, "hiera_config", path),
        environmentpath=_place(settings, "environmentpath", path),
        environment=_environment(text(settings, "puppet_environment")),
        certname=_matching(settings, "certname", _CERTNAME, "small letters, digits, dots and dashes"),
        facts=_facts(settings.get("facts")),
        tool_version=constraint(settings),
    )


def _matching(settings: Mapping[str, Json], key: str, pattern: re.Pattern[str], what: str) -> str:
    given = text(settings, key)
    if given and not pattern.fullmatch(given):
        raise InvalidSettings(f'{key}: "{given}" will not do', hint=f"write {what}")
    return given


def _place(settings: Mapping[str, Json], key: str, path: PurePosixPath) -> PurePosixPath | None:
    given = text(settings, key)
    return inside(path, given, key) if given else None


def _environment(name: str) -> str:
    if name and (not _ENVIRONMENT.fullmatch(name) or name in _RESERVED):
        raise InvalidSettings(
            f'puppet_environment: "{name}" is no name of an environment',
            hint=f"letters, digits and underscores, and not one of {', '.join(sorted(_RESERVED))}",
        )
    return name


def _modulepath(settings: Mapping[str, Json], path: PurePosixPath) -> tuple[str, ...] | None:
    if settings.get("modulepath") is None:
        return None
    listed = texts(settings, "modulepath")
    for item in listed:
        if ":" in item:
            # To Puppet it parts two folders, and the second could be anywhere.
            raise InvalidSettings(f'modulepath: "{item}" holds a colon', hint="write one folder an item")
    return tuple(item if item == MACHINES_MODULES else str(inside(path, item, "modulepath")) for item in listed)


def _facts(value: Json) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidSettings("facts must name facts by output", hint="write facts: {address: networking.ip}")
    found: dict[str, str] = {}
    for name, fact in value.items():
        if not isinstance(fact, str) or not _FACT.fullmatch(fact):
            raise InvalidSettings(f"facts: {fact!r} is no name of a fact", hint='write one like "networking.ip"')
        found[name] = fact
    return found

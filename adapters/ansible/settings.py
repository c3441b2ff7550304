"""What a stack's own keys mean to Ansible: read once, refused early. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from adapters.contract import InvalidSettings, Json
from adapters.keys import check_known, count, flag, inside, text, texts
from adapters.versions import constraint

_KEYS: Final = (
    "tool",
    "path",
    "playbook",
    "inventory",
    "limit",
    "tags",
    "skip_tags",
    "forks",
    "become",
    "become_user",
    "requirements",
    "roles_path",
    "known_hosts",
    "facts_cache",
    "sensitive_outputs",
    "tool_version",
)
#: What a stack that names no playbook or requirements has them in.
PLAYBOOK: Final = "site.yml"
REQUIREMENTS: Final = "requirements.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One stack's settings. Every path is from the repository's root."""

    path: PurePosixPath
    playbook: PurePosixPath
    #: Files, folders, or lists of hosts (with a comma in them).
    inventory: tuple[str, ...] = ()
    limit: str = ""
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    forks: int | None = None
    become: bool = False
    become_user: str = ""
    requirements: PurePosixPath
    #: Whether the stack names its requirements: then they must be there.
    requires: bool = False
    roles_path: tuple[PurePosixPath, ...] = ()
    known_hosts: PurePosixPath | None = None
    facts_cache: bool = False
    sensitive_outputs: tuple[str, ...] = ()
    #: Version constraint on ansible-core, empty where the stack says nothing.
    tool_version: str = ""

    @property
    def files(self) -> frozenset[PurePosixPath]:
        """The files and folders that the settings name."""
        named = {self.playbook, self.requirements, *self.roles_path, *([self.known_hosts] if self.known_hosts else [])}
        return frozenset(named | {PurePosixPath(item) for item in self.inventory if "," not in item})


def read(settings: Mapping[str, Json]) -> Settings:
    """Return the settings as a value. Raises InvalidSettings, naming the key."""
    check_known(settings, _KEYS, "ansible")
    if text(settings, "tool", "ansible") != "ansible":
        raise InvalidSettings(f'this adapter does not drive "{settings["tool"]}"', hint="tool is ansible")
    path = PurePosixPath(text(settings, "path", "."))
    known_hosts = text(settings, "known_hosts")
    inventory = settings.get("inventory")
    hosts = _words({"inventory": [inventory] if isinstance(inventory, str) else inventory}, "inventory")
    return Settings(
        path=path,
        playbook=inside(path, text(settings, "playbook", PLAYBOOK), "playbook"),
        inventory=tuple(item if "," in item else str(inside(path, item, "inventory")) for item in hosts),
        limit=_word(settings, "limit"),
        tags=_words(settings, "tags"),
        skip_tags=_words(settings, "skip_tags"),
        forks=count(settings, "forks"),
        become=flag(settings, "become"),
        become_user=_word(settings, "become_user"),
        requirements=inside(path, text(settings, "requirements", REQUIREMENTS), "requirements"),
        requires=settings.get("requirements") is not None,
        roles_path=tuple(inside(path, item, "roles_path") for item in _words(settings, "roles_path")),
        known_hosts=inside(path, known_hosts, "known_hosts") if known_hosts else None,
        facts_cache=flag(settings, "facts_cache"),
        sensitive_outputs=_words(settings, "sensitive_outputs"),
        tool_version=constraint(settings),
    )


def _word(settings: Mapping[str, Json], key: str) -> str:
    """Return a text that the tool takes as a value: never as an option of its own."""
    value = text(settings, key)
    _refuse_option(value, key)
    return value


def _words(settings: Mapping[str, Json], key: str) -> tuple[str, ...]:
    """Return such texts."""
    found = texts(settings, key)
    for value in found:
        _refuse_option(value, key)
    return found


def _refuse_option(value: str, key: str) -> None:
    if value.startswith("-") or "\n" in value:
        raise InvalidSettings(f"{key} may not begin with a dash or hold a line break: {value!r}")

"""What a stack's own keys mean to Ansible: read once, refused early. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Final

from adapters.contract import InvalidSettings, Json

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

_TERM: Final = re.compile(r"^\s*(==?|!=|>=|<=|>|<|~>|~=)?\s*(\d+(?:\.\d+)*)\s*$")


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
    for key in settings:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"keys are: {', '.join(_KEYS)}"
            raise InvalidSettings(f'ansible knows no setting "{key}"', hint=hint)
    if _text(settings, "tool", "ansible") != "ansible":
        raise InvalidSettings(f'this adapter does not drive "{settings["tool"]}"', hint="tool is ansible")
    path = PurePosixPath(_text(settings, "path", "."))
    known_hosts = _text(settings, "known_hosts", "")
    inventory = settings.get("inventory")
    hosts = _texts({"inventory": [inventory] if isinstance(inventory, str) else inventory}, "inventory")
    return Settings(
        path=path,
        playbook=_inside(path, _text(settings, "playbook", PLAYBOOK), "playbook"),
        inventory=tuple(item if "," in item else str(_inside(path, item, "inventory")) for item in hosts),
        limit=_word(settings, "limit"),
        tags=tuple(_texts(settings, "tags")),
        skip_tags=tuple(_texts(settings, "skip_tags")),
        forks=_forks(settings.get("forks")),
        become=_flag(settings, "become"),
        become_user=_word(settings, "become_user"),
        requirements=_inside(path, _text(settings, "requirements", REQUIREMENTS), "requirements"),
        requires=settings.get("requirements") is not None,
        roles_path=tuple(_inside(path, item, "roles_path") for item in _texts(settings, "roles_path")),
        known_hosts=_inside(path, known_hosts, "known_hosts") if known_hosts else None,
        facts_cache=_flag(settings, "facts_cache"),
        sensitive_outputs=tuple(_texts(settings, "sensitive_outputs")),
        tool_version=_constraint(_text(settings, "tool_version", "")),
    )


def allows(constraint: str, version: str) -> bool:
    """Say whether ``version`` meets every term of a constraint that `read` took."""
    return all(_meets(term, version) for term in constraint.split(",") if term.strip())


def _meets(term: str, version: str) -> bool:
    found = _TERM.match(term)
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    if not found or not numbers:
        return False
    want, have = _numbers(found[2]), _numbers(numbers[0])
    size = max(len(want), len(have))
    left, right = (*have, *(0,) * (size - len(have))), (*want, *(0,) * (size - len(want)))
    if found[1] in {"~>", "~="}:
        fixed = max(len(want) - 1, 1)
        return left >= right and left[:fixed] == right[:fixed]
    verdicts = {">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right, "!=": left != right}
    return verdicts.get(found[1] or "==", left == right)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _constraint(text: str) -> str:
    if not all(_TERM.match(term) for term in text.split(",") if term.strip()):
        raise InvalidSettings(f'"{text}" is no version constraint', hint='write it like "~> 2.19" or ">= 2.17, < 2.22"')
    return text


def _text(settings: Mapping[str, Json], key: str, default: str) -> str:
    value = settings.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise InvalidSettings(f"{key} must be a text, not {value!r}")
    return value.strip()


def _word(settings: Mapping[str, Json], key: str) -> str:
    """Return a text that the tool takes as a value: never as an option of its own."""
    value = _text(settings, key, "")
    if value.startswith("-") or "\n" in value:
        raise InvalidSettings(f"{key} may not begin with a dash or hold a line break: {value!r}")
    return value


def _texts(settings: Mapping[str, Json], key: str) -> list[str]:
    value = settings.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise InvalidSettings(f"{key} must be a list of texts", hint=f'write {key}: ["first", "second"]')
    found = [item.strip() for item in value if isinstance(item, str)]
    for item in found:
        if item.startswith("-") or "\n" in item or "\0" in item:
            raise InvalidSettings(f"{key} may not begin with a dash or hold a line break: {item!r}")
    return found


def _flag(settings: Mapping[str, Json], key: str) -> bool:
    value = settings.get(key, False)
    if not isinstance(value, bool):
        raise InvalidSettings(f"{key} must be true or false, not {value!r}")
    return value


def _forks(value: Json) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSettings(f"forks must be a whole number from 1 up, not {value!r}")
    return value


def _inside(path: PurePosixPath, name: str, key: str) -> PurePosixPath:
    """Return ``name``, written from the stack's folder, from the repository's root."""
    found = posixpath.normpath(posixpath.join(str(path), name))
    if found.startswith(("/", "../")) or found == "..":
        raise InvalidSettings(f'{key}: "{name}" leaves the repository', hint="name a file inside the repository")
    return PurePosixPath(found)

"""Reads what the operator's file says about the door: who may do what, and which hooks are heard."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final, Protocol

from orchestrator.config.operator import Hook, HookKind
from orchestrator.config.operator_schema import AuthKeys, HookKeys, SourceKeys
from orchestrator.nearest import did_you_mean
from orchestrator.rules.rights import BUILT_IN, EVERYBODY, Right, Role

_SECRET: Final = re.compile(r"\$\{secret:([^{}\s]+)\}")

Path = tuple[str | int, ...]


class Slips(Protocol):
    """Takes note of what is wrong: a message, where it stands, and a hint."""

    def __call__(self, message: str, path: Path, hint: str) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, slots=True)
class DoorReading:
    """The reading of one file."""

    slip: Slips
    #: Says of a key that it has no effect yet.
    later: Callable[[str, Path], None]

    def roles(self, keys: AuthKeys | None, teams: Collection[str]) -> Mapping[str, Role]:
        """Return the roles by name; ``teams`` are those of the file, which a role's group is one of."""
        if keys is None:
            return {}
        if keys.oidc is not None:
            self.later("auth.oidc", ("auth", "oidc"))
        for name in sorted(set(keys.roles) & set(BUILT_IN)):
            self.slip(f"auth.roles: the role {name} is built in", ("auth", "roles", name), "give yours another name")
        for name, role in keys.roles.items():
            if role.group and role.group not in {EVERYBODY, *teams}:
                near = did_you_mean(role.group, teams)
                self.slip(
                    f'auth.roles.{name}.group: no team "{role.group}"',
                    ("auth", "roles", name, "group"),
                    near or f'declare it under teams:, or write "{EVERYBODY}" for everybody under people:',
                )
        return {
            name: Role(
                name=name,
                rights=frozenset(map(Right, role.can)),
                stacks=None if role.stacks is None else tuple(role.stacks),
                group=role.group or "",
            )
            for name, role in keys.roles.items()
        }

    def hooks(self, sources: list[SourceKeys]) -> Mapping[str, Hook]:
        """Return the hooks by the name of their source."""
        return {
            one.name: self._hook(one.hook, ("sources", number, "hook"))
            for number, one in enumerate(sources)
            if one.hook is not None
        }

    def _hook(self, keys: HookKeys, path: Path) -> Hook:
        given = [keys.secret] if isinstance(keys.secret, str) else keys.secret
        names = []
        for text in given:
            found = _SECRET.fullmatch(text)
            if found is None:
                self.slip(
                    "hook.secret: a secret does not stand in this file", (*path, "secret"), 'write "${secret:name}"'
                )
            else:
                names.append(found[1])
        if not given:
            self.slip("hook.secret: without a secret nobody could be told from anybody", (*path, "secret"), "name one")
        return Hook(kind=HookKind(keys.kind), secrets=tuple(names))

    def proxies(self, given: list[str]) -> tuple[str, ...]:
        """Return the addresses of the proxies whose word about addresses counts."""
        for number, text in enumerate(given):
            try:
                ip_network(text)
            except ValueError:
                self.slip(
                    f'"{text}" is no address',
                    ("trusted_proxies", number),
                    'write "127.0.0.1", or a network: "10.0.0.0/8"',
                )
        return tuple(given)

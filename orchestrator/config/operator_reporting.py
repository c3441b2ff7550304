"""Reads what the operator's file says about who is told of what happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import urlsplit

from orchestrator.config.operator import Events, Notify
from orchestrator.config.operator_schema import EventsKeys, NotifyKeys
from orchestrator.model.telling import KINDS
from orchestrator.nearest import did_you_mean

Path = tuple[str | int, ...]

#: Where what is in clear does not leave this host.
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Slip(Protocol):
    """Takes note of what is wrong: a message, where it stands, and a hint."""

    def __call__(self, message: str, path: Path, hint: str) -> None:
        """Keep it."""
        ...


class SecretName(Protocol):
    """Reads ``${secret:name}``, and takes note where it is something else."""

    def __call__(self, text: str, path: Path) -> str:
        """Return the name, empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ReportReading:
    """The reading of one file."""

    slip: Slip
    secret: SecretName

    def notify(self, given: list[NotifyKeys]) -> Iterator[Notify]:
        """Yield who is told."""
        seen: set[str] = set()
        for number, keys in enumerate(given):
            path: Path = ("notify", number)
            secret = self.secret(keys.to, (*path, "to"))
            name = keys.name or _plain(secret)
            self._once(name, seen, path)
            for glob in keys.on or ():
                if not any(fnmatchcase(kind, glob) for kind in KINDS):
                    hint = did_you_mean(glob, KINDS) or f"there are: {', '.join(KINDS)}"
                    self.slip(f'nothing that happens is called "{glob}"', (*path, "on"), hint)
            yield Notify(
                name=name,
                to_secret=secret,
                on=None if keys.on is None else tuple(keys.on),
                stacks=("*",) if keys.stacks is None else tuple(keys.stacks),
                **({} if keys.gather is None else {"gather_s": keys.gather}),
            )

    def events(self, given: list[EventsKeys]) -> Iterator[Events]:
        """Yield which programs are sent events."""
        seen: set[str] = set()
        for number, keys in enumerate(given):
            path: Path = ("events", number)
            host = _host(keys.url)
            if not host:
                self.slip(f'"{keys.url}" is no URL', (*path, "url"), 'write "https://events.example.org/holdfast"')
            elif keys.url.startswith("http://") and host not in _LOOPBACK and not keys.allow_http:
                self.slip(
                    "events: what happens would go over the network in clear",
                    (*path, "url"),
                    "write https://, or allow_http: true where that is meant",
                )
            name = keys.name or _plain(host)
            self._once(name, seen, path)
            yield Events(
                name=name,
                url=keys.url,
                secret=self.secret(keys.secret, (*path, "secret")),
                stacks=("*",) if keys.stacks is None else tuple(keys.stacks),
                allow_http=keys.allow_http,
            )

    def _once(self, name: str, seen: set[str], path: Path) -> None:
        if name and name in seen:
            self.slip(f'{path[0]}: two receivers go by "{name}"', path, "give one another name: name:")
        seen.add(name)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        # A port that is none raises only when it is asked for.
        given = parts.port is None or parts.port > 0
    except ValueError:
        return ""
    return parts.hostname or "" if given else ""


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)

"""The words between a provider's hook and us."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


class Malformed(Exception):
    """A body says nothing that its provider ever says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """One request, as it came."""

    #: By their names in small letters.
    headers: Mapping[str, str]
    body: bytes
    #: Seconds since the epoch.
    at: float

    def header(self, name: str) -> str:
        """Return a header, empty where it did not come."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody tries whether we hear."""


@dataclass(frozen=True, slots=True)
class Other:
    """Something happened that changes no ref."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Refs moved. What is empty was not said."""

    #: Full names: ``refs/heads/main``.
    refs: tuple[str, ...] = ()
    #: What its provider calls the repository: ``acme/infra``.
    repository: str = ""
    #: The branch that counts where a source names none.
    default_branch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Something happened to pull requests: one was opened, pushed to, merged, spoken about."""

    #: What its provider calls the repository, empty where that was not said.
    repository: str = ""
    #: The button of a check that somebody pressed, empty where nobody did; the commit of the check; their login.
    button: str = ""
    head: str = ""
    login: str = ""


Said: TypeAlias = Ping | Other | Push | Talk


class Provider(Protocol):
    """Who speaks, in a module of its own."""

    def signed(self, knock: Knock, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets proves who it is. Never raises, whatever came."""
        ...

    def delivery(self, knock: Knock) -> str:
        """Return the name that the provider gives this delivery, empty where it gives none."""
        ...

    def proven(self, knock: Knock) -> bytes:
        """Return all that the signature covers: whoever sends the same again has signed nothing new."""
        ...

    def read(self, knock: Knock) -> Said:
        """Return what it says. Raises Malformed."""
        ...


def parsed(body: bytes) -> Mapping[str, Any]:
    """Return the object that a body is. Raises Malformed."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(found, dict):
        raise Malformed
    return found


def inner(value: Any, *names: str) -> Any:
    """Return what lies below these names, None where there is nothing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: Any, *names: str) -> str:
    """Return the text that lies below these names, empty where there is none."""
    found = inner(value, *names)
    return found if isinstance(found, str) else ""


def the_ref(body: Mapping[str, Any]) -> str:
    """Return the full name of the ref that a push is about. Raises Malformed where it names none."""
    found = text(body, "ref")
    if not found.startswith("refs/"):
        raise Malformed
    return found

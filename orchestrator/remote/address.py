"""Where the service is that commands are to ask, and by what it knows who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from orchestrator.errors import UsageError

URL: Final = "HOLDFAST_URL"
TOKEN: Final = "HOLDFAST_TOKEN"  # noqa: S105 -- a variable's name
#: Has what is sent over the network in clear be meant: on a network that is trusted already.
ALLOW_HTTP: Final = "HOLDFAST_ALLOW_HTTP"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A service, and the token that it is asked with."""

    #: Without a slash at its end.
    url: str
    #: Never shown: neither in an error nor in a log.
    token: str = field(repr=False)
    #: Whether it is this very host, by its name, and spoken to in clear: then no proxy may stand between.
    in_clear_here: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Address:
        """Return what the environment names.

        Raises UsageError: HF-1960 where the URL cannot be used, HF-1961 where no token is there.
        """
        given = environment.get(URL, "").strip()
        parts = _parsed(given)
        host = parts.hostname or ""
        if parts.scheme == "http" and host not in _LOOPBACK and not _on(environment.get(ALLOW_HTTP, "")):
            raise UsageError(
                f"{URL}: the token would go over the network in clear",
                code="HF-1960",
                hint=f"write https://, or {ALLOW_HTTP}=true where that is meant",
            )
        token = environment.get(TOKEN, "").strip()
        if not token:
            hint = "an admin makes one on the service's host: holdfast token create NAME --role ROLE"
            raise UsageError(f"{URL} is set, and {TOKEN} is not", code="HF-1961", hint=hint)
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise UsageError(f"{TOKEN} holds what no token does", code="HF-1961", hint="copy it once more")
        return cls(url=given.rstrip("/"), token=token, in_clear_here=parts.scheme == "http" and host in _LOOPBACK)


def _parsed(given: str) -> SplitResult:
    try:
        parts = urlsplit(given)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or not given.isprintable() or " " in given:
        raise UsageError(f"{URL} is no address of a service", code="HF-1960", hint="write https://holdfast.example.org")
    if parts.username is not None or parts.password is not None:
        # Addresses are printed, and seen by whoever lists processes' environments: a token has a variable of its own.
        raise UsageError(f"{URL} holds a name or password", code="HF-1960", hint=f"put the token into {TOKEN}")
    return parts


def _on(word: str) -> bool:
    return word.lower() in {"1", "true", "yes"}

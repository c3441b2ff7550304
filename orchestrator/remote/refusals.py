"""What a service answers that is no answer, as our own errors: the same code and exit code as on its own host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from orchestrator.errors import (
    EXIT_DENIED,
    EXIT_LOCKED,
    EXIT_UNKNOWN,
    EXIT_USAGE,
    Conflict,
    Denied,
    OrchestratorError,
    Unreached,
    UsageError,
)

#: Media type of a problem document (RFC 9457).
PROBLEM: Final = "application/problem+json"
#: HTTP statuses -> what to do about them, where the service says no more.
_HINTS: Final = {
    401: "set HOLDFAST_TOKEN to a token that counts; holdfast token list on the service's host shows them",
    403: "ask for a token of a role that can: auth: roles: in the operator's file",
    429: "wait a minute and run the command again",
}


class _Unknown(OrchestratorError):
    """The service says that nobody knows."""

    exit_code: ClassVar[int] = EXIT_UNKNOWN


class _Failed(OrchestratorError):
    """The service says that something failed."""


#: Exit code -> the error that ends in it.
_KINDS: Final[Mapping[int, type[OrchestratorError]]] = {
    EXIT_USAGE: UsageError,
    EXIT_DENIED: Denied,
    EXIT_LOCKED: Conflict,
    EXIT_UNKNOWN: _Unknown,
}


def refusal(status: int, media_type: str, body: bytes, url: str) -> OrchestratorError:
    """Return the error that an answer with this status is."""
    document = _document(media_type, body)
    code = document.get("code")
    if not isinstance(code, str) or not code.startswith("HF-"):
        return stranger(url, f"it answers {status}, and not as Holdfast does")
    exit_code, detail, hint = (document.get(name) for name in ("exit_code", "detail", "hint"))
    kind = _KINDS.get(exit_code if isinstance(exit_code, int) else 0, _Failed)
    return kind(str(detail or code), code=code, hint=str(hint or _HINTS.get(status, "")))


def stranger(url: str, why: str) -> Unreached:
    """Return the error that there is something else than a service of ours."""
    hint = "check HOLDFAST_URL: it is the address of holdfast serve, or of what stands in front of it"
    return Unreached(f"{url} is no Holdfast service: {why}", code="HF-4801", hint=hint)


@contextmanager
def understood(url: str) -> Iterator[None]:
    """Turn what cannot be made sense of in a document into an error of ours (HF-4801)."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise stranger(url, f"this release does not understand what it says ({type(error).__name__})") from error


def _document(media_type: str, body: bytes) -> dict[str, Any]:
    if media_type != PROBLEM:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

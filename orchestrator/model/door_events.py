"""What can happen at the service's door. On a stream of its own, ``!``, that fences nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMade:
    """Somebody made a token for the service. On the stream ``!``."""

    #: Never what proves it.
    token: str
    name: str
    role: str
    #: Whose it is; empty where it is a program's.
    person: str
    by: str
    #: Seconds since the epoch; None is for good.
    until: float | None = None
    kind: Literal["token_made"] = "token_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked:
    """Somebody ended a token. On the stream ``!``."""

    token: str
    name: str
    by: str
    kind: Literal["token_revoked"] = "token_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDenied:
    """Somebody tried to do at the service's door what is not theirs to do. On the stream ``!``."""

    by: str
    #: The request: ``POST /api/v1/…``.
    what: str
    code: str
    kind: Literal["act_denied"] = "act_denied"

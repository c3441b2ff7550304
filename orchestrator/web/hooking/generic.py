"""Whoever keeps to Standard Webhooks.

https://www.standardwebhooks.com
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.web.hooking.signing import named, standard
from orchestrator.web.hooking.words import Knock, Ping, Push, Said, parsed, text


def signed(knock: Knock, secrets: Sequence[str]) -> bool:
    """Whether ``webhook-signature`` proves it, and the time that is signed with it is not long ago."""
    return standard(knock, secrets)


def delivery(knock: Knock) -> str:
    """Return the sender's name for the delivery, which is signed."""
    return knock.header("webhook-id")


def proven(knock: Knock) -> bytes:
    """Return what is signed: the name of the delivery, too, so that two pushes may say the very same."""
    return named(knock)


def read(knock: Knock) -> Said:
    """Return what it says: a ``ref`` where it names one, else that something may have changed. Raises Malformed."""
    body = parsed(knock.body)
    if text(body, "type") == "ping":
        return Ping()
    ref = text(body, "ref")
    return Push(refs=(ref,) if ref.startswith("refs/") else (), repository=text(body, "repository"))

"""How hooks are signed: over the very bytes that came, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.web.hooking.words import Knock

#: By so many seconds a sender's clock and ours may differ (Standard Webhooks asks for a tolerance).
TOLERANCE_S: Final = 300.0
#: A header with more signatures than this comes from nobody we know.
_MOST: Final = 16
_PREFIX: Final = "whsec_"


def same(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that says nothing of where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def in_hex(body: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether ``given`` is the HMAC-SHA-256 of a body in hex, under one of the secrets."""
    return one_of(
        same(given.lower(), hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()) for secret in secrets if secret
    )


def with_name(body: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether ``given`` is that HMAC behind the name of its algorithm, ``sha256=``; no other one counts."""
    name, _, digest = given.partition("=")
    return name == "sha256" and in_hex(body, digest, secrets)


def named(knock: Knock) -> bytes:
    """Return what Standard Webhooks has of a delivery that stays the same when it is sent again: its name, its body."""
    return f"{knock.header('webhook-id')}.".encode("utf-8", "replace") + knock.body


def standard(knock: Knock, secrets: Sequence[str]) -> bool:
    """Whether a request is signed as Standard Webhooks has it, and not too long ago.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    name, stamp = knock.header("webhook-id"), knock.header("webhook-timestamp")
    if not name or not (stamp.isascii() and stamp.isdigit()) or len(stamp) > _MOST:
        return False
    if abs(knock.at - int(stamp)) > TOLERANCE_S:
        return False
    signed = f"{name}.{stamp}.".encode("utf-8", "replace") + knock.body
    given = [one[3:] for one in knock.header("webhook-signature").split(" ")[:_MOST] if one.startswith("v1,")]
    expected = [
        base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for secret in secrets
        if (key := _key(secret))
    ]
    return one_of(same(one, other) for one in given for other in expected)


def _key(secret: str) -> bytes:
    """Return the bytes that a secret stands for; what bears the prefix is base64."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return b""


def one_of(answers: Iterable[bool]) -> bool:
    """Whether one of the answers is yes; every one is asked for, so that the time says nothing of which."""
    return any(list(answers))

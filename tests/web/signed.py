"""Hooks as their providers send them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

from serviced import SECRETS

PUSHES: dict[str, dict[str, Any]] = {
    "github": {"ref": "refs/heads/main", "repository": {"full_name": "acme/infra", "default_branch": "main"}},
    "gitea": {"ref": "refs/heads/main", "repository": {"full_name": "acme/infra", "default_branch": "main"}},
    "gitlab": {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "project": {"path_with_namespace": "acme/infra", "default_branch": "main"},
    },
    "bitbucket": {
        "push": {"changes": [{"old": None, "new": {"type": "branch", "name": "main"}}]},
        "repository": {"full_name": "acme/infra"},
    },
    "generic": {"type": "changed", "ref": "refs/heads/main"},
}
_EVENTS = {
    "github": ("x-github-event", "push", "x-github-delivery"),
    "gitea": ("x-gitea-event", "push", "x-gitea-delivery"),
    "gitlab": ("x-gitlab-event", "Push Hook", "idempotency-key"),
    "bitbucket": ("x-event-key", "repo:push", "x-request-uuid"),
}


def mac(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard(body: bytes, secret: str, *, at: float | None = None, name: str = "") -> dict[str, str]:
    """Sign as Standard Webhooks has it."""
    name, stamp = name or f"msg_{uuid4().hex}", str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    digest = base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{digest}"}


def signature(kind: str, body: bytes, secret: str = "") -> dict[str, str]:
    secret = secret or SECRETS[kind]
    match kind:
        case "github":
            return {"x-hub-signature-256": f"sha256={mac(body, secret)}"}
        case "gitea":
            return {"x-gitea-signature": mac(body, secret)}
        case "gitlab":
            return {"x-gitlab-token": secret}
        case "bitbucket":
            return {"x-hub-signature": f"sha256={mac(body, secret)}"}
        case _:
            return standard(body, secret)


def sent(kind: str, body: bytes | dict[str, Any] | None = None, event: str = "") -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a delivery: by default of a push that nobody sent before."""
    if body is None:
        body = {**PUSHES[kind], "nonce": uuid4().hex}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **signature(kind, raw)}
    if kind in _EVENTS:
        name, push, delivery = _EVENTS[kind]
        headers |= {name: event or push, delivery: uuid4().hex}
    return raw, headers

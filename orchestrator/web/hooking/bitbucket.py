"""Bitbucket Cloud and Data Center.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads and
https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator.web.hooking.signing import with_name
from orchestrator.web.hooking.words import Knock, Malformed, Other, Ping, Push, Said, inner, parsed, text

_KINDS: Final = {"branch": "refs/heads/", "named_branch": "refs/heads/", "tag": "refs/tags/"}


def signed(knock: Knock, secrets: Sequence[str]) -> bool:
    """Whether ``X-Hub-Signature`` proves it with SHA-256; no other algorithm counts."""
    return with_name(knock.body, knock.header("x-hub-signature"), secrets)


def delivery(knock: Knock) -> str:
    """Return Bitbucket's name for the delivery."""
    return knock.header("x-request-uuid") or knock.header("x-request-id")


def proven(knock: Knock) -> bytes:
    """Return what is signed: the body alone."""
    return knock.body


def read(knock: Knock) -> Said:
    """Return what happened. Raises Malformed."""
    body = parsed(knock.body)
    match knock.header("x-event-key"):
        case "":
            raise Malformed
        case "diagnostics:ping":
            return Ping()
        case "repo:push":
            return Push(refs=_refs(inner(body, "push", "changes"), _cloud), repository=_cloud_name(body))
        case "repo:refs_changed":
            return Push(refs=_refs(inner(body, "changes"), _server), repository=_server_name(body))
        case _:
            return Other()


def _refs(changes: Any, read_one: Any) -> tuple[str, ...]:
    if not isinstance(changes, list):
        raise Malformed
    return tuple(ref for change in changes for ref in read_one(change))


def _cloud(change: Any) -> Iterator[str]:
    """Yield the refs of one change: of a branch that is gone only the old one is there."""
    for side in ("new", "old"):
        kind, name = _KINDS.get(text(change, side, "type")), text(change, side, "name")
        if kind and name:
            yield kind + name


def _server(change: Any) -> Iterator[str]:
    ref = text(change, "ref", "id")
    if ref:
        yield ref


def _cloud_name(body: Mapping[str, Any]) -> str:
    return text(body, "repository", "full_name")


def _server_name(body: Mapping[str, Any]) -> str:
    project, name = text(body, "repository", "project", "key"), text(body, "repository", "slug")
    return f"{project}/{name}" if project and name else ""

"""Gitea and Forgejo.

https://docs.gitea.com/usage/webhooks and https://forgejo.org/docs/latest/user/webhooks
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.web.hooking.github import pushed
from orchestrator.web.hooking.signing import in_hex
from orchestrator.web.hooking.words import Knock, Malformed, Other, Said, Talk, parsed, text

#: What the events begin with that pull requests, their commits and what is said of them make.
_TALK: Final = ("pull_request", "issue_comment")


def signed(knock: Knock, secrets: Sequence[str]) -> bool:
    """Whether ``X-Forgejo-Signature`` or, where it did not come, ``X-Gitea-Signature`` proves it."""
    return in_hex(knock.body, knock.header("x-forgejo-signature") or knock.header("x-gitea-signature"), secrets)


def delivery(knock: Knock) -> str:
    """Return the forge's name for the delivery."""
    return knock.header("x-forgejo-delivery") or knock.header("x-gitea-delivery")


def proven(knock: Knock) -> bytes:
    """Return what is signed: the body alone."""
    return knock.body


def read(knock: Knock) -> Said:
    """Return what happened; a test delivery is a push like any other. Raises Malformed."""
    body = parsed(knock.body)
    match knock.header("x-forgejo-event") or knock.header("x-gitea-event"):
        case "":
            raise Malformed
        case "push":
            return pushed(body)
        case event if event.startswith(_TALK):
            return Talk(repository=text(body, "repository", "full_name"))
        case _:
            return Other()

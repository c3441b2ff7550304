"""GitHub.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from orchestrator.web.hooking.signing import with_name
from orchestrator.web.hooking.words import Knock, Malformed, Other, Ping, Push, Said, Talk, parsed, text, the_ref

#: What happens to pull requests, to what is said of them, and to the checks that were asked for again.
_TALK: Final = frozenset(
    {"pull_request", "pull_request_review", "issue_comment", "merge_group", "check_run", "check_suite"}
)


_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
#: Names are cut to so many characters.
_LONGEST: Final = 64


def signed(knock: Knock, secrets: Sequence[str]) -> bool:
    """Whether ``X-Hub-Signature-256`` proves it; the older header with SHA-1 does not count."""
    return with_name(knock.body, knock.header("x-hub-signature-256"), secrets)


def delivery(knock: Knock) -> str:
    """Return GitHub's name for the delivery."""
    return knock.header("x-github-delivery")


def proven(knock: Knock) -> bytes:
    """Return what is signed: the body alone."""
    return knock.body


def read(knock: Knock) -> Said:
    """Return what happened. Raises Malformed."""
    body = parsed(knock.body)
    match knock.header("x-github-event"):
        case "":
            raise Malformed
        case "ping":
            return Ping()
        case "push":
            return pushed(body)
        case event if event in _TALK:
            return _talk(body)
        case _:
            return Other()


def pushed(body: object) -> Push:
    """Return the push that a body of GitHub's shape tells of. Raises Malformed."""
    if not isinstance(body, dict):
        raise Malformed
    return Push(
        refs=(the_ref(body),),
        repository=text(body, "repository", "full_name"),
        default_branch=text(body, "repository", "default_branch"),
    )


def _talk(body: Mapping[str, Any]) -> Talk:
    talk = Talk(repository=text(body, "repository", "full_name"))
    head = text(body, "check_run", "head_sha")
    if text(body, "action") != "requested_action" or not _COMMIT.fullmatch(head):
        return talk
    button, login = text(body, "requested_action", "identifier"), text(body, "sender", "login")
    return replace(talk, button=button[:_LONGEST], head=head, login=login[:_LONGEST]) if button and login else talk

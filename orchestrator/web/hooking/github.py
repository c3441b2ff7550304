"""GitHub.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.web.hooking.signing import with_name
from orchestrator.web.hooking.words import Knock, Malformed, Other, Ping, Push, Said, Talk, parsed, text, the_ref

#: What happens to pull requests, to what is said of them, and to the checks that were asked for again.
_TALK: Final = frozenset(
    {"pull_request", "pull_request_review", "issue_comment", "merge_group", "check_run", "check_suite"}
)


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
            return Talk(repository=text(body, "repository", "full_name"))
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

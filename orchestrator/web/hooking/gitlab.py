"""GitLab.

https://docs.gitlab.com/user/project/integrations/webhooks
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.web.hooking.signing import named, one_of, same, standard
from orchestrator.web.hooking.words import Knock, Malformed, Other, Push, Said, Talk, inner, parsed, text, the_ref

_PUSHES: Final = frozenset({"push", "tag_push"})
_TALK: Final = frozenset({"merge_request", "note"})


def signed(knock: Knock, secrets: Sequence[str]) -> bool:
    """Whether the signing token proves it, or the secret token where nothing is signed.

    The one signs as Standard Webhooks has it; the other is itself the header ``X-Gitlab-Token``.
    """
    if knock.header("webhook-signature"):
        return standard(knock, secrets)
    given = knock.header("x-gitlab-token")
    return one_of(same(given, secret) for secret in secrets if secret)


def delivery(knock: Knock) -> str:
    """Return GitLab's name for the delivery, the same when it is tried again."""
    return knock.header("idempotency-key") or knock.header("x-gitlab-event-uuid")


def proven(knock: Knock) -> bytes:
    """Return what is proven: by the signing token the name of the delivery, too."""
    return named(knock) if knock.header("webhook-signature") else knock.body


def read(knock: Knock) -> Said:
    """Return what happened; a test is a push like any other. Raises Malformed."""
    body = parsed(knock.body)
    if not knock.header("x-gitlab-event"):
        raise Malformed
    # A system hook says so in another word.
    kind = text(body, "object_kind") or text(body, "event_name")
    if not kind and inner(body, "ref") is not None:
        raise Malformed
    if kind in _TALK:
        return Talk(repository=text(body, "project", "path_with_namespace"))
    if kind not in _PUSHES:
        return Other()
    return Push(
        refs=(the_ref(body),),
        repository=text(body, "project", "path_with_namespace"),
        default_branch=text(body, "project", "default_branch"),
    )

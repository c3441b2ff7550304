"""Who asks: the token of a request, looked up each time."""

from __future__ import annotations

from fastapi import Request

from orchestrator.ports import Level
from orchestrator.rules.rights import Identity, borne, named_program
from orchestrator.web.inside import inside_of, origin
from orchestrator.web.problems import Problem

_ASKS = {"www-authenticate": 'Bearer realm="holdfast"'}


def identify(request: Request) -> Identity:
    """Return who asks. Raises Problem: 401 without a token that counts, 429 after too many wrong ones."""
    inside = inside_of(request)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Problem(401, headers=_ASKS)
    # Counted before it is looked at, and given back where it was right: many at once get no more guesses than one.
    where = origin(request)
    if not inside.logins.take(where):
        mark = f"guessing {where}"
        if not inside.heard.knows(mark):
            inside.heard.note(mark)
            inside.journal.say(Level.WARNING, "an address sends wrong tokens, and has to wait", address=where)
        raise Problem(429, headers={"retry-after": "60"})
    token = inside.tokens.find(text.strip())
    if token is None:
        raise Problem(401, headers=_ASKS)
    inside.logins.give_back(where)
    return Identity(
        name=named_program(token.name),
        roles=borne((token.role,), dict(inside.operator.roles)),
        person=token.person,
    )

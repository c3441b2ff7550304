"""Pages of lists, and answers that say when nothing is new."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Query, Request, Response
from pydantic import BaseModel

from orchestrator.web.problems import Problem

_T = TypeVar("_T")
_M = TypeVar("_M", bound=BaseModel)

_MOST: Final = 200
#: No number of ours is longer, and every database keeps one of this length.
_DIGITS: Final = 15

Limit = Annotated[int, Query(ge=1, le=_MOST, description="How many at once.")]
Cursor = Annotated[str, Query(max_length=1024, description="`next` of the page before.")]


class Page(BaseModel, Generic[_M]):
    """Some of a list."""

    items: list[_M]
    #: What to ask for to read on; None at the end.
    next: str | None = None


def cut(found: Sequence[_T], name: Callable[[_T], str], cursor: str, limit: int) -> tuple[Sequence[_T], str | None]:
    """Return the part of a list, sorted by name, that a cursor asks for, and the cursor of the part after it."""
    after = read_cursor(cursor)
    rest = [one for one in found if name(one) > after]
    return rest[:limit], make_cursor(name(rest[limit - 1])) if len(rest) > limit else None


def numbered(cursor: str) -> int | None:
    """Return the number that a cursor stands at, None where there is no cursor. Raises Problem (400)."""
    text = read_cursor(cursor)
    if text and not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Problem(400, detail="cursor: not one of ours")
    return int(text) if text else None


def make_cursor(last: str) -> str:
    """Return the cursor of what comes after ``last``."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Return the name that a cursor stands behind. Raises Problem (400)."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise Problem(400, detail="cursor: not one of ours") from None


def fresh(request: Request, answer: BaseModel) -> Response:
    """Return an answer with its ETag; nothing but that where whoever asks has it already."""
    body = answer.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "authorization"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)

"""What a forge answered: its parts, and which of our errors it is where it is one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from orchestrator.effects.forge_words import plain
from orchestrator.effects.redact import Redactor
from orchestrator.errors import ForgeAway, ForgeError

#: How long is waited where a forge counts too many requests and says no more; GitHub asks for a minute at least.
_WAIT_S: Final = 60.0
#: And the longest that anybody is believed.
_LONGEST_S: Final = 3600.0
#: How GitHub says that it counts requests, where no header does: now, and in older releases of Enterprise Server.
_COUNTED: Final = ("rate limit", "abuse detection")
_NEXT: Final = re.compile(r'rel="?next"?')
_GONE: Final = frozenset({404, 410})
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _BROKEN = 401, 403, 429, 500
_GOOD: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer."""

    status: int
    #: What its JSON says; None where there is none.
    body: Any = None
    etag: str = ""
    location: str = ""
    #: Whether the list has another page.
    more: bool = False
    #: Seconds, 0 where nothing was said.
    retry_after: float = 0.0
    #: Whether the allowance is used up, and when there is a new one, in seconds since the epoch.
    spent: bool = False
    reset: float = 0.0

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], text: bytes) -> Answer:
        """Return it, read. Raises ForgeError where a good answer is no JSON."""
        try:
            body = json.loads(text) if text.strip() else None
        except (ValueError, RecursionError):
            if status in _GOOD:
                raise ForgeError("the forge's answer is no JSON", hint="mend api: of the source's forge") from None
            body = None
        return cls(
            status=status,
            body=body,
            etag=headers.get("etag", ""),
            location=headers.get("location", ""),
            more=bool(_NEXT.search(headers.get("link", ""))),
            retry_after=_seconds(headers.get("retry-after", "")),
            spent=headers.get("x-ratelimit-remaining", "").strip() == "0",
            reset=_number(headers.get("x-ratelimit-reset", "")),
        )


def judge(answer: Answer, who: str, now: float, token: str) -> Answer:
    """Return a good answer. Raises the error that any other one is; ``token`` is never part of its words."""
    if answer.status in _GOOD:
        return answer
    said = _said(answer.body)
    words = f"{who}: {answer.status}{f', {said}' if said else ''}"
    words = Redactor([token]).mask(words) if token else words
    if until := _until(answer, said, now):
        raise ForgeAway(
            f"{who} has us wait for {max(1, round(until - now))} s",
            code="HF-4703",
            hint="nothing need be done",
            until=until,
        )
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        hint = "renew the token" if answer.status == _UNAUTHORIZED else "give the token or the App the rights it needs"
        raise ForgeError(words, code="HF-4702", hint=hint)
    if answer.status in _GONE:
        raise ForgeError(words, code="HF-4704", hint="check repository: of the source's forge, and what may see it")
    if answer.status >= _BROKEN:
        raise ForgeAway(words, hint="is it up?")
    raise ForgeError(words, hint="see the forge's own words")


def _until(answer: Answer, said: str, now: float) -> float:
    """Return until when the forge has us wait, 0 where it does not.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    limited = answer.status in {_FORBIDDEN, _TOO_MANY}
    if answer.retry_after and (limited or answer.status >= _BROKEN):
        return now + min(answer.retry_after, _LONGEST_S)
    if not limited:
        return 0.0
    if answer.spent:
        return min(max(answer.reset, now + 1), now + _LONGEST_S)
    counted = any(words in said.lower() for words in _COUNTED)
    return now + _WAIT_S if counted or answer.status == _TOO_MANY else 0.0


def _said(body: Any) -> str:
    found = (body.get("message") or body.get("error")) if isinstance(body, dict) else ""
    # GitLab tells of what is wrong with which key.
    return plain(found if isinstance(found, str) else json.dumps(found), 200)


def _seconds(text: str) -> float:
    """Return what Retry-After says: seconds, or a date."""
    if found := _number(text):
        return found
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(1.0, (at.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _number(text: str) -> float:
    return float(text) if text.isascii() and text.strip().isdecimal() else 0.0

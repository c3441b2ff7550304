"""What whoever acts sends and gets: a request that is done once, however often it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from orchestrator.effects.answers import Answer, Asked
from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.outside import Outside
from orchestrator.engine.post import Post
from orchestrator.engine.recorded import entries_of
from orchestrator.errors import Denied
from orchestrator.rules.rights import Identity
from orchestrator.web.acting import caller_of, hands_of
from orchestrator.web.api.paging import make_cursor
from orchestrator.web.gate import House, Who
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem
from orchestrator.web.refusals import tell_refused

_ACCEPTED: Final = 202
_FORBIDDEN: Final = 403

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]*$",
        max_length=255,
        description="A new one for each thing that is to be done: the same request with the same key is done once.",
    ),
]
#: Without what no database keeps in a text.
Reason = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class Said(BaseModel):
    """What somebody says when they act."""

    model_config = ConfigDict(extra="forbid")

    #: Kept in the record; everybody reads it.
    reason: Reason = ""


class Accepted(BaseModel):
    """What was recorded. What comes of it is told by the run, and by the events after the position."""

    act: str
    stack: str | None = None
    key: str | None = None
    run: int | None = None
    #: A cursor of `/api/v1/events`.
    position: str | None = None
    proposal: int | None = None
    digest: str | None = None
    by: str
    #: What else is to be said of it, a line each.
    notes: list[str] = []


class Once:
    """One request of somebody who acts."""

    def __init__(self, request: Request, house: Inside, who: Identity, key: str) -> None:
        """``key`` is empty where the request bears none: then it is done as often as it comes."""
        self._request, self.house, self.who, self._key = request, house, who, key

    @property
    def caller(self) -> Caller:
        """Who acts."""
        return caller_of(self.house, self.who)

    def hands(self, post: Post) -> Outside:
        """Return everything that the engine can touch, under the name of who acts."""
        return hands_of(self.house, self.who, post)

    def answer(self, said: BaseModel, act: Callable[[], BaseModel]) -> Response:
        """Act, and answer; a repeated request gets the same answer and nothing is done. Raises Problem, Conflict."""
        if not self.house.acts.take(self.who.name):
            raise Problem(429, headers={"retry-after": "60"})
        try:
            return self._answer(said, act)
        except (Problem, Denied) as refused:
            if isinstance(refused, Denied) or refused.status == _FORBIDDEN:
                tell_refused(self._request, self.who, refused.code)
            raise

    def _answer(self, said: BaseModel, act: Callable[[], BaseModel]) -> Response:
        if not self._key:
            return _response(act().model_dump_json())
        answers = self.house.served.host.answers
        asked = Asked(who=self.who.name, key=self._key, request=self._digest(said))
        before = answers.claim(asked)
        if before is not None:
            return _response(before.body, {"idempotency-replayed": "true"})
        try:
            body = act().model_dump_json()
        except BaseException:
            answers.drop(asked)
            raise
        answers.keep(asked, Answer(status=_ACCEPTED, body=body))
        return _response(body)

    def position(self, run: int) -> str | None:
        """Return the cursor of what comes after all that happened in a run so far."""
        found = entries_of(self.house.record, run)
        return make_cursor(str(found[-1].seq)) if found else None

    def _digest(self, said: BaseModel) -> str:
        whole = f"{self._request.method}\0{self._request.url.path}\0{said.model_dump_json()}"
        return hashlib.sha256(whole.encode()).hexdigest()


def _response(body: str, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status_code=_ACCEPTED, media_type="application/json", headers=headers)


def _once(request: Request, house: House, who: Who, key: Key = "") -> Once:
    return Once(request, house, who, key)


#: For every endpoint that acts.
Acting = Annotated[Once, Depends(_once)]

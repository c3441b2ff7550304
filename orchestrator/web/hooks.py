"""``POST /hooks/{source}``: somebody says that a source has changed. It is only a nudge to look.

Signed bytes are checked before anything reads them. The nudge is stored before the answer says so. What the body names
chooses nothing: the source is that of the address, and whoever knows its secret can at worst have it looked at.
"""

from __future__ import annotations

import hashlib
import secrets as randomness
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from orchestrator.config.operator import Hook, HookKind
from orchestrator.engine.post import Post, row_of
from orchestrator.engine.pulls.books import note
from orchestrator.engine.pulls.looking import due_of_pulls
from orchestrator.errors import OrchestratorError
from orchestrator.model.pull_events import ButtonPressed
from orchestrator.ports import Due, Level
from orchestrator.web.gate import GatedRoute, House, open_to_all
from orchestrator.web.hooking.concern import concerns
from orchestrator.web.hooking.providers import PROVIDERS
from orchestrator.web.hooking.words import Knock, Malformed, Other, Ping, Talk
from orchestrator.web.inside import Inside, origin
from orchestrator.web.problems import Problem

router: Final = APIRouter(route_class=GatedRoute)

#: What is asked of a hook that is not there, so that it costs the time of one that is.
_NOBODY: Final = Hook(kind=HookKind.GENERIC, secrets=())
_NOBODYS_SECRET: Final = randomness.token_hex(32)
#: The word of a hook goes before every other look at a source.
_URGENT: Final = 0
_LONGEST: Final = 128


@router.post("/hooks/{source}", include_in_schema=False)
@open_to_all("whoever knocks proves by a signature that they may")
async def hook(source: str, request: Request, house: House) -> Response:
    """Hear what a provider says of a source, and have it looked at where that may have changed it."""
    if not house.knocks.take(origin(request)):
        raise Problem(429, headers={"retry-after": "60"})
    post = house.served.posts.get(source)
    found = house.operator.hooks.get(source) if post else None
    body = b"".join([chunk async for chunk in request.stream()])
    knock = Knock(headers=_plain(request), body=body, at=house.clock.now())
    await run_in_threadpool(_prove, house, source, found, knock)
    if post is None or found is None:
        raise _refused()
    return await _heard(house, post, found.kind, knock)


async def _heard(house: Inside, post: Post, kind: HookKind, knock: Knock) -> Response:
    media = knock.header("content-type").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(415, detail="have the hook sent as application/json")
    provider = PROVIDERS[kind]
    try:
        said = provider.read(knock)
    except Malformed:
        raise Problem(400, detail="the body is not what such a hook says") from None
    source = post.source.id
    if isinstance(said, Ping):
        return _answer(200, "heard")
    deaf = isinstance(said, Talk) and post.desk is None
    if isinstance(said, Other) or deaf or not concerns(said, post.source):
        return _answer(202, "ignored")
    marks = _marks(source, provider.delivery(knock), provider.proven(knock))
    if house.heard.knows(*marks):
        return _answer(202, "heard already")
    if not house.nudges.take(source):
        raise Problem(429, headers={"retry-after": "60"})
    await run_in_threadpool(_nudge, house, post, kind, said if isinstance(said, Talk) else None, marks[0])
    house.heard.note(*marks)
    house.journal.say(Level.INFO, "a hook was heard", source=source, kind=kind.value)
    return _answer(202, "accepted")


def _prove(house: Inside, source: str, found: Hook | None, knock: Knock) -> None:
    """Raise Problem unless one of the hook's secrets proves who knocks."""
    hook_ = found or _NOBODY
    secrets = [_NOBODYS_SECRET] if found is None else []
    for name in hook_.secrets:
        try:
            secrets.append(house.served.host.own_secret(name))
        except OrchestratorError as error:
            _complain(house, source, error)
    if not any(secrets):
        raise Problem(403, code="HF-4125", detail="the hook has no secret here: nobody can prove anything to it")
    if not PROVIDERS[hook_.kind].signed(knock, secrets):
        raise _refused()


def _complain(house: Inside, source: str, error: OrchestratorError) -> None:
    """Say that a secret cannot be had: once for a while, however often somebody knocks."""
    mark = f"{source} {error.code} {error.message}"
    if not house.heard.knows(mark):
        house.heard.note(mark)
        house.journal.say(
            Level.WARNING, "a hook's secret cannot be had", source=source, code=error.code, why=error.message
        )


def _refused() -> Problem:
    return Problem(401, code="HF-4124", detail="no hook of that name is signed like this")


def _nudge(house: Inside, post: Post, kind: HookKind, talk: Talk | None, mark: str) -> None:
    source, now, why = post.source.id, house.clock.now(), f"hook of {kind.value}"
    whole = Due(stack=row_of(source), track="", at=now, why=why, priority=_URGENT)
    due = due_of_pulls(source, now, why) if talk else whole
    try:
        if talk is not None and talk.button:
            pressed = ButtonPressed(delivery=mark, head=talk.head, login=talk.login, button=talk.button)
            note(post.outside.record, source, pressed)
        post.outside.agenda.nudge(due)
    except OrchestratorError as error:
        house.journal.say(Level.ERROR, "a hook's word could not be kept", code=error.code, why=error.message)
        raise Problem(
            503, code=error.code, detail="the agenda does not answer; send it again", headers={"retry-after": "10"}
        ) from error


def _marks(source: str, delivery: str, proven: bytes) -> tuple[str, ...]:
    """Return by what a delivery is known again: its name, and what was signed, because not every name is."""
    digest = hashlib.sha256(proven).hexdigest()
    return (f"{source} {digest}", *((f"{source} {delivery[:_LONGEST]}",) if delivery else ()))


def _plain(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _answer(status: int, word: str) -> Response:
    return JSONResponse({"status": word}, status_code=status)

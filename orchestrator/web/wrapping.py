"""What every request and every answer goes through: a body has an end, and browsers are told to trust nothing."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.ports import Journal, Level
from orchestrator.web.problems import Problem

#: No body is larger, in bytes. What hooks say of a push fits many times over.
LARGEST: Final = 1024 * 1024
#: Seconds in which a part of a body, and all of it, must arrive.
_PART_S: Final = 15.0
_WHOLE_S: Final = 60.0

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Wrapped:
    """The app, with a limit on what comes in and headers on what goes out."""

    def __init__(self, app: ASGIApp, *, journal: Journal, secure: bool) -> None:
        """``secure``: people reach it by https alone, and browsers are to remember that."""
        self.app, self.journal = app, journal
        self._headers = {**_HEADERS, "strict-transport-security": "max-age=31536000"} if secure else dict(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        begun = False

        async def out(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refused = _refused(Headers(scope=scope))
        if refused is not None:
            return await refused.response(scope, receive, out)
        try:
            await self.app(scope, _limited(receive), out)
        except Exception as error:  # noqa: BLE001 -- the last door: nobody outside sees what broke, or where
            self.journal.say(Level.ERROR, "a request broke", code="HF-9000", why=f"{type(error).__name__}: {error}")
            if not begun:
                await Problem(500).response(scope, receive, out)


def _refused(headers: Headers) -> Problem | None:
    """Return what is wrong with a body before any of it was read."""
    announced = headers.get("content-length", "")
    if announced and "transfer-encoding" in headers:
        # Whoever stands in between may take the other one for the body's end (RFC 9112, 6.1).
        return Problem(400, headers={"connection": "close"})
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > LARGEST:
        return Problem(413)
    return None


def _limited(receive: Receive) -> Receive:
    """Return a way to receive that ends with a Problem once a body is larger or slower than any of ours."""
    got, whole = 0, False
    until = asyncio.get_running_loop().time() + _WHOLE_S

    async def limited() -> Message:
        nonlocal got, whole
        if whole:
            # Whoever waits for the end of the connection may do so as long as they like.
            return await receive()
        try:
            left = until - asyncio.get_running_loop().time()
            message = await asyncio.wait_for(receive(), max(0.0, min(_PART_S, left)))
        except TimeoutError:
            raise Problem(400, detail="the body did not come in time") from None
        got += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if got > LARGEST:
            raise Problem(413)
        return message

    return limited

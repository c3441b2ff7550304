"""Streams that end by themselves: when their reader is slow, when they may read no more, when the service ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem

#: Streams at once, of everybody and of one identity.
_MOST: Final = 100
_MOST_OF_ONE: Final = 10
#: Seconds in which a reader must take what is sent; until then nothing more is read for them.
_PATIENCE_S: Final = 20.0


class BoundedStream(StreamingResponse):
    """An event stream whose reader must keep up: what they do not take is never piled up."""

    media_type = "text/event-stream"

    def __init__(self, house: Inside, who: str, content: AsyncIterator[bytes]) -> None:
        """Raises Problem (429) where there are too many already."""
        mine = house.streams.get(who, 0)
        if mine >= _MOST_OF_ONE or sum(house.streams.values()) >= _MOST:
            raise Problem(429, detail="too many streams are open", headers={"retry-after": "10"})
        super().__init__(content, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self._house, self._who = house, who

    async def stream_response(self, send: Send) -> None:
        """Send it, and count it as open until it ends."""
        streams = self._house.streams

        async def patiently(message: Message) -> None:
            await asyncio.wait_for(send(message), _PATIENCE_S)

        streams[self._who] = streams.get(self._who, 0) + 1
        try:
            await super().stream_response(patiently)
        except TimeoutError:
            # Whoever does not read is gone, for all that is known; they read on from where they were.
            return
        finally:
            left = streams.pop(self._who) - 1
            if left:
                streams[self._who] = left

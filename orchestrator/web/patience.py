"""How long a connection may say nothing whole, or take nothing: else a few hundred would keep everybody out."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class Patient(H11Protocol):
    """uvicorn's own protocol, which waits for the head of a request, and for a reader, no longer than `patience_s`.

    (A subclass, against the habit of the house: uvicorn waits for ever, and has no setting for it.)
    """

    #: Seconds in which a request must begin and its head be whole, and some of what is sent be taken.
    patience_s: ClassVar[float] = 15.0
    _lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._lost = True
        super().connection_lost(exc)

    def _look_later(self) -> None:
        if not self._lost:
            self.loop.call_later(self.patience_s, self._look, self.cycle, self.transport.get_write_buffer_size())

    def _look(self, before: RequestResponseCycle | None, unsent: int) -> None:
        """Close what has come to no new request since the last look and works on none, and what nobody reads."""
        if self._lost:
            return
        if unsent and self.transport.get_write_buffer_size() == unsent:
            # To close it would wait for whoever takes nothing.
            self.transport.abort()
            return
        # Before the first request there is no cycle, whatever the annotation says.
        at_work = self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]
        if self.cycle is before and not at_work and not self.transport.is_closing():
            self.transport.close()
        self._look_later()

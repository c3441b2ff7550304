"""``/api/v1/runs/…/logs``: what the tools say in a run, as it comes (server-sent events).

Each line's id says how far every log was read: sent back as ``Last-Event-ID`` it goes on right behind that line.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event
from pydantic import Field, TypeAdapter, ValidationError

from orchestrator.effects.log_reading import Line, lines_after, logs_of
from orchestrator.engine.recorded import stacks_of
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import StackKey
from orchestrator.rules.rights import Identity, Right, allowed
from orchestrator.web.api.runs import Number
from orchestrator.web.gate import Gate, GatedRoute, House, Over, Who, admit, guarded
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem
from orchestrator.web.streams import BoundedStream

router: Final = APIRouter(route_class=GatedRoute)

#: Seconds between two looks at growing logs.
_EVERY_S: Final = 0.3
#: Seconds between two looks at whether the reader may still read.
_ASKED_S: Final = 2.0
#: Seconds after which a silent stream says that it is there.
_PING_S: Final = 15.0
#: So many logs are followed at once.
_MOST: Final = 200

_OFFSETS: Final = TypeAdapter(dict[str, Annotated[int, Field(ge=0, lt=2**53)]])

_TEXT: Final = {"type": "string"}
#: One event, as OpenAPI describes streams.
_EVENT: Final = {"type": "object", "properties": {"event": _TEXT, "id": _TEXT, "data": _TEXT}}
_STREAM: Final[dict[str, Any]] = {"description": "Lines", "content": {"text/event-stream": {"schema": _EVENT}}}

OfStacks = Annotated[list[str], Query(max_length=_MOST, description="Only of these stacks, by their full keys.")]
Follow = Annotated[bool, Query(description="Go on until the run ends.")]
LastId = Annotated[str, Header(alias="Last-Event-ID", max_length=32768)]


@dataclass(slots=True, kw_only=True)
class Reader:
    """One reader of a run's logs."""

    request: Request
    house: Inside
    who: Identity
    run: int
    only: frozenset[str]
    follow: bool
    offsets: dict[str, int]
    _asked_at: float = field(default_factory=time.monotonic)
    _said_at: float = field(default_factory=time.monotonic)

    def logs(self) -> Mapping[StackKey, Path]:
        """Return the logs that are theirs to read."""
        found = logs_of(self.house.served.host.home, self.run)
        mine = {key: path for key, path in found.items() if allowed(self.who, Right.VIEW, key)}
        return {key: path for key, path in mine.items() if not self.only or str(key) in self.only}

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield what is there, then what comes, until the run is over or they may read no more."""
        while True:
            # Asked before the logs are read: what was written before its end is not left out.
            over = await run_in_threadpool(self._over)
            while lines := await run_in_threadpool(self._some):
                for line in lines:
                    yield self._told(line)
                if not await self._may_go_on():
                    return
            if over or not self.follow:
                yield format_sse_event(data_str=json.dumps({"run": self.run}), event="end", id=self._id())
                return
            if not await self._may_go_on():
                return
            if time.monotonic() - self._said_at > _PING_S:
                self._said_at = time.monotonic()
                yield format_sse_event(comment="waiting")
            await asyncio.sleep(_EVERY_S)

    def _some(self) -> list[Line]:
        return lines_after(self.logs(), self.offsets)

    def _told(self, line: Line) -> bytes:
        self.offsets[line.stack] = line.end
        self._said_at = time.monotonic()
        short = StackKey.parse(line.stack).short
        body = {"at": line.at, "stack": short, "key": line.stack, "line": line.text}
        return format_sse_event(data_str=json.dumps(body), id=self._id())

    def _id(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(self.offsets, sort_keys=True).encode()).decode().rstrip("=")

    def _over(self) -> bool:
        if self.house.stopping() and not self.house.dispatch.pulse.working:
            return True
        run = self.house.record.run(self.run)
        return run is None or (run.ended_at is not None and not _at_work(self.house, self.run))

    async def _may_go_on(self) -> bool:
        if time.monotonic() - self._asked_at < _ASKED_S:
            return True
        self._asked_at = time.monotonic()
        try:
            self.who = await run_in_threadpool(admit, Gate(right=Right.VIEW, over=Over.RUN), self.request)
        except (Problem, OrchestratorError):
            return False
        return True


@router.get("/runs/{run}/logs", response_class=BoundedStream, status_code=200, responses={200: _STREAM})
@guarded(Right.VIEW, Over.RUN)
async def logs(  # noqa: PLR0913 -- one argument per parameter, as FastAPI has it
    request: Request,
    house: House,
    who: Who,
    run: Number,
    *,
    stack: OfStacks = [],  # noqa: B006 -- FastAPI copies what is given here
    follow: Follow = True,
    last_id: LastId = "",
) -> Response:
    """Tell what the tools say in a run, secrets masked; the event `end` says that no more will come."""
    offsets = _read_id(last_id)
    reader = Reader(
        request=request, house=house, who=who, run=run, only=frozenset(stack), follow=follow, offsets=offsets
    )
    if len(await run_in_threadpool(reader.logs)) > _MOST:
        raise Problem(400, detail=f"stack: name those to follow, {_MOST} at most")
    return BoundedStream(house, who.name, reader.stream())


def _read_id(text: str) -> dict[str, int]:
    if not text:
        return {}
    try:
        return _OFFSETS.validate_json(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, ValidationError):
        raise Problem(400, detail="Last-Event-ID: not one of ours") from None


def _at_work(house: Inside, run: int) -> bool:
    """Whether an attempt of a run is at work that outlived whoever began it."""
    attempts = (house.record.row(str(key)).state.applying for key in stacks_of(house.record, run))
    return any(attempt is not None and attempt.run == run for attempt in attempts)

"""The one gate in front of every route: what a route does not declare nobody gets.

A route says what it takes with `guarded`, or why it is open with `open_to_all`; `GatedRoute` refuses to be made for an
endpoint that says neither, and asks before anything of the request's body is read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from orchestrator.engine.recorded import stacks_of
from orchestrator.model.stack import StackKey
from orchestrator.rules.rights import Identity, Right, SourceName, allowed, allowed_somewhere
from orchestrator.web.identity import identify
from orchestrator.web.inside import Inside, inside_of
from orchestrator.web.problems import Problem
from orchestrator.web.refusals import READING, tell_refused

_F = TypeVar("_F", bound=Callable[..., Any])

_ATTRIBUTE: Final = "holdfast_gate"
#: No number of ours is longer, and every database keeps one of this length.
_DIGITS: Final = 15


class Over(StrEnum):
    """What a right must reach for a route to open."""

    #: Anything at all: the route itself leaves out what is not theirs to see.
    SOMETHING = "something"
    EVERYTHING = "everything"
    #: The source that the path names, ``{source}``.
    SOURCE = "source"
    #: The stack that the path names by its full key, ``{stack:path}``.
    STACK = "stack"
    #: The run that the path names, ``{run}``: to see it is to see one of its stacks, all else takes all of them.
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a route asks of whoever comes."""

    #: None for a route that is open, which says why.
    right: Right | None = None
    over: Over = Over.EVERYTHING
    open_because: str = ""
    #: Where the operator has it open all the same.
    unless: Callable[[Inside], bool] = lambda _: False


def guarded(right: Right, over: Over, *, unless: Callable[[Inside], bool] = lambda _: False) -> Callable[[_F], _F]:
    """Let nobody reach an endpoint who has not this right over that."""
    return _declared(Gate(right=right, over=over, unless=unless))


def open_to_all(because: str) -> Callable[[_F], _F]:
    """Let everybody reach an endpoint, and say why."""
    return _declared(Gate(open_because=because))


def gate_of(endpoint: Callable[..., Any]) -> Gate | None:
    """Return the gate that an endpoint declares."""
    found: Gate | None = getattr(endpoint, _ATTRIBUTE, None)
    return found


class GatedRoute(APIRoute):
    """A route behind its gate."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Raises TypeError where the endpoint declares no gate."""
        if gate_of(endpoint) is None:
            raise TypeError(f"{path} declares no gate")
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request: the gate first, then the endpoint."""
        beyond, gate = super().get_route_handler(), gate_of(self.endpoint) or Gate()

        async def answer(request: Request) -> Response:
            if gate.right is not None and not gate.unless(inside_of(request)):
                request.state.identity = await run_in_threadpool(admit, gate, request)
                if request.method not in READING and not _is_json(request):
                    raise Problem(415)
            return await beyond(request)

        return answer


def admit(gate: Gate, request: Request) -> Identity:
    """Return who asks, where the gate opens for them. Raises Problem.

    What is not theirs to see is answered as what is not there. Whoever may see it and not do this is told so.
    """
    who = identify(request)
    try:
        _pass(gate, who, request)
    except Problem as refused:
        tell_refused(request, who, refused.code)
        raise
    return who


def _pass(gate: Gate, who: Identity, request: Request) -> None:
    if gate.right is not None and not _opens(gate, gate.right, who, request):
        raise Problem(403)


def _opens(gate: Gate, right: Right, who: Identity, request: Request) -> bool:
    """Whether a gate opens for somebody. Raises Problem (404) where they may not even see what is behind it."""
    match gate.over:
        case Over.SOMETHING:
            return allowed_somewhere(who, right)
        case Over.EVERYTHING:
            return allowed(who, right, None)
        case Over.SOURCE | Over.STACK:
            target = _target(gate.over, request)
            if not allowed(who, Right.VIEW, target):
                raise Problem(404)
            return allowed(who, right, target)
        case Over.RUN:
            return _opens_run(who, right, request)


def _target(over: Over, request: Request) -> StackKey | SourceName:
    if over is Over.SOURCE:
        return SourceName(request.path_params["source"])
    text = request.path_params["stack"]
    try:
        found = StackKey.parse(text)
    except ValueError:
        raise Problem(404) from None
    if str(found) != text or not text.isprintable():
        # A short form could be read as another stack, or as one of the nouns below it.
        raise Problem(404)
    return found


def _opens_run(who: Identity, right: Right, request: Request) -> bool:
    text = request.path_params["run"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
    record = inside_of(request).record
    if record.run(number) is None:
        raise Problem(404)
    stacks = stacks_of(record, number)
    if not (allowed(who, Right.VIEW, None) or any(allowed(who, Right.VIEW, key) for key in stacks)):
        raise Problem(404)
    if right is Right.VIEW or allowed(who, right, None):
        return True
    return bool(stacks) and all(allowed(who, right, key) for key in stacks)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _declared(gate: Gate) -> Callable[[_F], _F]:
    def declare(endpoint: _F) -> _F:
        setattr(endpoint, _ATTRIBUTE, gate)
        return endpoint

    return declare


def _who(request: Request) -> Identity:
    found: Identity = request.state.identity
    return found


#: Who asks, for an endpoint behind a gate.
Who = Annotated[Identity, Depends(_who)]
#: What stands behind the door, for every endpoint.
House = Annotated[Inside, Depends(inside_of)]

"""What goes wrong at the door, as problem documents (RFC 9457): a code of ours, a line of cause, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from adapters.contract import AdapterError
from orchestrator.errors import (
    EXIT_DENIED,
    EXIT_FAILED,
    EXIT_LOCKED,
    EXIT_USAGE,
    ConfigError,
    Conflict,
    Denied,
    NoSuchRevision,
    OrchestratorError,
    RecordError,
    SourceError,
    SourceUnreachable,
    UsageError,
)
from orchestrator.ports import Journal, Level
from orchestrator.telling.exits import adapter_exit

MEDIA_TYPE: Final = "application/problem+json"

#: HTTP status -> code and cause, where nothing more exact is known.
_PLAIN: Final = {
    400: ("HF-4127", "the request cannot be read"),
    401: ("HF-4121", "no token that counts came with the request"),
    403: ("HF-4122", "this is not yours to do"),
    404: ("HF-4120", "there is nothing of that name, or it is not yours to see"),
    405: ("HF-4129", "nothing here answers to that method"),
    413: ("HF-4126", "the body is too large"),
    415: ("HF-4128", "the body is not application/json"),
    429: ("HF-4123", "too many requests; try again later"),
}
_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

#: HTTP status -> what a command ends in, where nothing more exact is known.
_EXITS: Final = {
    **dict.fromkeys((400, 404, 405, 413, 415), EXIT_USAGE),
    **dict.fromkeys((401, 403), EXIT_DENIED),
    **dict.fromkeys((409, 429), EXIT_LOCKED),
}

#: What cannot be done because of how things are now, and not because of what was written.
_MOVED: Final = frozenset({"HF-1901", "HF-1906", "HF-1909", "HF-1913", "HF-1914", "HF-1919", "HF-1920", "HF-1933"})

Headers: TypeAlias = Mapping[str, str]


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    #: `holdfast explain CODE` says what it means and what to do.
    code: str
    detail: str
    #: What to do about it, where there is more to say than the code's own page does.
    hint: str = ""
    #: What a command that meets it ends in.
    exit_code: int


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self,
        status: int,
        *,
        code: str = "",
        detail: str = "",
        headers: Headers | None = None,
        of: OrchestratorError | AdapterError | None = None,
    ) -> None:
        """``code`` and ``detail`` are the status's own where they are left out; ``of``: the error that it tells of."""
        plain, cause = _PLAIN.get(status, ("HF-9000", "a fault of ours"))
        super().__init__(detail or cause)
        self.status, self.code, self.detail = status, code or plain, detail or cause
        self.headers = dict(headers or {})
        # What is not told of the cause is not told of the remedy either.
        self.hint = of.hint if of and self.detail == of.message else ""
        self.exit_code = _exit(of) if of else _EXITS.get(status, EXIT_FAILED)

    @property
    def response(self) -> Response:
        """The document: the same bytes for the same problem, whatever was asked for."""
        body = ProblemDocument(
            type="about:blank",
            title=_TITLES.get(self.status, "Error"),
            status=self.status,
            code=self.code,
            detail=self.detail,
            hint=self.hint,
            exit_code=self.exit_code,
        ).model_dump_json()
        return Response(body, status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE)


def _exit(error: OrchestratorError | AdapterError) -> int:
    return adapter_exit(error) if isinstance(error, AdapterError) else error.exit_code


def of_error(error: OrchestratorError | AdapterError) -> Problem:
    """Return the problem that one of our errors is to whoever asked."""
    match error:
        case UsageError() if error.code in _MOVED:
            return Problem(409, code=error.code, detail=error.message, of=error)
        case UsageError() | NoSuchRevision():
            return Problem(400, code=error.code, detail=error.message, of=error)
        case Denied():
            return Problem(403, code=error.code, detail=error.message, of=error)
        case Conflict(code="HF-4204") | RecordError():
            # What the database says of itself is nobody's business outside.
            return Problem(
                503, code=error.code, detail="the record does not answer", headers={"retry-after": "10"}, of=error
            )
        case SourceUnreachable():
            return Problem(503, code=error.code, detail=error.message, headers={"retry-after": "10"}, of=error)
        case Conflict() | SourceError() | ConfigError() | AdapterError():
            # Of an adapter it is the tool's no, masked where it was heard.
            return Problem(409, code=error.code, detail=error.message, of=error)
        case _:
            return Problem(500, code=error.code, detail="a fault of ours", of=error)


def answer_with_problems(app: FastAPI, journal: Journal) -> None:
    """Have the app turn everything that is raised in it into a problem document."""

    async def problem(_: Request, error: Exception) -> Response:
        match error:
            case Problem():
                found = error
            case RequestValidationError():
                # Neither values nor types of ours are repeated: only where it is wrong.
                places = sorted({".".join(map(str, one.get("loc", ()))) for one in error.errors()})
                found = Problem(400, detail=f"not as documented: {', '.join(places)[:300]}")
            case HTTPException():
                found = Problem(error.status_code, headers=error.headers)
            case OrchestratorError() | AdapterError():
                found = of_error(error)
            case _:
                found = Problem(500)
        if found.status == Problem(500).status:
            journal.say(Level.ERROR, "a request broke", code=found.code, why=f"{type(error).__name__}: {error}")
        return found.response

    for kind in (Problem, RequestValidationError, HTTPException, OrchestratorError, AdapterError):
        app.add_exception_handler(kind, problem)

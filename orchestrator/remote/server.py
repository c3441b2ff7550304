"""The service, asked over HTTP: with an end to every wait, and again only where asking twice does nothing twice."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

import httpx2

import orchestrator
from orchestrator.errors import OrchestratorError, Unreached
from orchestrator.remote.address import Address
from orchestrator.remote.events import Event, events_of
from orchestrator.remote.refusals import refusal, stranger, understood

Params: TypeAlias = Mapping[str, str | int | Sequence[str]]

#: Seconds until a connection must stand, until something more must come, and until something more must be taken.
#: A silent stream says every 15 seconds that it is there.
_TIMES: Final = httpx2.Timeout(connect=10.0, read=60.0, write=30.0, pool=10.0)
#: Seconds between attempts at what failed on the way.
_AGAIN_S: Final = (0.2, 0.8, 2.0)
#: Seconds between questions whether an act that is under way is done, and so often.
_UNDER_WAY_S, _UNDER_WAY_TIMES = 0.5, 60
#: No document of ours is larger, in bytes.
_LARGEST: Final = 256 * 1024 * 1024
#: So much of a list is asked for at once.
_PAGE: Final = 200
_BETWEEN: Final = frozenset({502, 504})
_MOVED: Final = range(300, 400)


class _Bearer(httpx2.Auth):
    """Shows the token. Asked for each request, so that none is ever sent with another host's."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        """Send a request with it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


@dataclass(kw_only=True)
class Server:
    """One service."""

    address: Address
    _sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        """Connects to nothing yet."""
        self._http = httpx2.Client(
            base_url=f"{self.address.url}/api/v1/",
            auth=_Bearer(self.address.token),
            timeout=_TIMES,
            # Wherever it would lead, the token is not meant for it.
            follow_redirects=False,
            # In clear it goes to this very host past nobody; else proxies and SSL_CERT_FILE are the environment's.
            trust_env=not self.address.in_clear_here,
            headers={"user-agent": f"holdfast/{orchestrator.__version__}", "accept": "application/json"},
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    @property
    def url(self) -> str:
        """Its address, as it was given."""
        return self.address.url

    def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """Return a document. Raises OrchestratorError."""
        return self._again(lambda: self._ask("GET", path, params=params))

    def pages(self, path: str, params: Params | None = None, *, limit: int = 0) -> Iterator[dict[str, Any]]:
        """Yield what a list holds, page by page; ``limit``: no more than that are wanted. Raises OrchestratorError."""
        cursor = ""
        while True:
            more: Params = {"limit": min(limit or _PAGE, _PAGE), **({"cursor": cursor} if cursor else {})}
            page = self.get(path, {**(params or {}), **more})
            with understood(self.url):
                items, after = list(page["items"]), page["next"]
            yield from items
            if not after or (after == cursor):
                return
            cursor = str(after)

    def post(self, path: str, body: Mapping[str, Any], params: Params | None = None) -> dict[str, Any]:
        """Have something done, once, however often it must be asked for. Raises OrchestratorError.

        Where the service went away before it answered the error says so (HF-4804): nobody knows whether it was heard.
        """
        key = {"idempotency-key": uuid.uuid4().hex}
        try:
            return self._again(lambda: self._ask("POST", path, params=params, json=dict(body), headers=key))
        except Unreached as error:
            if error.code != "HF-4802":
                raise
            raise Unreached(
                f"{error.message}; whether it heard what was asked for, nobody here knows",
                code="HF-4804",
                hint="holdfast status and holdfast runs show what was recorded, once it answers",
            ) from error

    def events(self, path: str, params: Params | None = None) -> Iterator[Event]:
        """Yield the events of a stream to its end; where it breaks it is read on behind the last one.

        Raises OrchestratorError: HF-4802 where the service does not come back.
        """
        last, failures = "", 0
        while True:
            try:
                for event in self._stream(path, params, last):
                    last, failures = event.id or last, 0
                    yield event
            except Unreached as error:
                if error.code not in {"HF-4800", "HF-4802"} or failures >= len(_AGAIN_S):
                    raise
                self._sleep(_AGAIN_S[failures])
                failures += 1
            else:
                return

    def _stream(self, path: str, params: Params | None, last: str) -> Iterator[Event]:
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
        with (
            self._failing(),
            self._http.stream("GET", path, params=_written(params), headers=headers) as answer,
        ):
            if answer.status_code != httpx2.codes.OK:
                raise self._refused(answer, _body(answer))
            if _media_type(answer) != "text/event-stream":
                raise stranger(self.url, "it sends no events")
            ended = False
            for event in events_of(answer.iter_lines()):
                ended = event.kind == "end"
                yield event
            if not ended:
                raise Unreached(f"{self.url} broke off", code="HF-4802", hint="run the command again")

    def _again(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Ask, and once more after what failed on the way: of what is asked for this does nothing twice."""
        failures, waited = 0, 0
        heard: Unreached | None = None
        while True:
            try:
                return ask()
            except Unreached as error:
                # That nobody answers by now takes nothing back of what may have been heard before.
                heard = error if error.code == "HF-4802" else heard
                if error.code not in {"HF-4800", "HF-4802"} or failures >= len(_AGAIN_S):
                    raise heard or error from error
                self._sleep(_AGAIN_S[failures])
                failures += 1
            except OrchestratorError as error:
                # Our own request from before is under way: it was heard, and only its answer was lost.
                if error.code != "HF-4131" or not failures or waited >= _UNDER_WAY_TIMES:
                    raise
                self._sleep(_UNDER_WAY_S)
                waited += 1

    def _ask(self, method: str, path: str, *, params: Params | None = None, **more: Any) -> dict[str, Any]:
        with self._failing(), self._http.stream(method, path, params=_written(params), **more) as answer:
            body = _body(answer)
            if not answer.is_success:
                raise self._refused(answer, body)
            if _media_type(answer) != "application/json":
                raise stranger(self.url, "its answer is no document")
            with understood(self.url):
                found = json.loads(body)
                if not isinstance(found, dict):
                    raise TypeError("no object")
            return found

    def _refused(self, answer: httpx2.Response, body: bytes) -> OrchestratorError:
        if answer.status_code in _MOVED:
            to = urlsplit(answer.headers.get("location", ""))
            where = f"{to.scheme}://{to.netloc.rpartition('@')[2]}" if to.netloc else "another path of it"
            hint = "set HOLDFAST_URL to where the service itself answers; the token was not sent on"
            return Unreached(f"{self.url} sends us on to {where}", code="HF-4803", hint=hint)
        if answer.status_code in _BETWEEN:
            return self._away(f"what stands in front of it answers {answer.status_code}", begun=True)
        return refusal(answer.status_code, _media_type(answer), body, self.url)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            if "CERTIFICATE" in str(error).upper():
                hint = "SSL_CERT_FILE names a file of authorities to trust; there is no way to trust nobody"
                raise Unreached(f"{self.url} shows no certificate that counts", code="HF-4805", hint=hint) from error
            raise self._away(_why(error), begun=False) from error
        except (httpx2.TimeoutException, httpx2.TransportError) as error:
            raise self._away(_why(error), begun=True) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise stranger(self.url, f"its answer cannot be read ({type(error).__name__})") from error

    def _away(self, why: str, *, begun: bool) -> Unreached:
        hint = "is holdfast serve at work, and its address right? HOLDFAST_URL names it"
        return Unreached(f"{self.url} does not answer: {why}", code="HF-4802" if begun else "HF-4800", hint=hint)


def quoted(key: str) -> str:
    """Return a stack's full key as a part of a path."""
    return quote(key, safe="/@")


def _written(params: Params | None) -> dict[str, Any]:
    return {name: value for name, value in (params or {}).items() if value not in ("", ())}


def _media_type(answer: httpx2.Response) -> str:
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _body(answer: httpx2.Response) -> bytes:
    found = bytearray()
    for piece in answer.iter_bytes():
        found += piece
        if len(found) > _LARGEST:
            raise httpx2.DecodingError("larger than any document of ours")
    return bytes(found)


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "it takes too long"
    text = str(error).partition("\n")[0].strip()
    return text[:200].lower() or type(error).__name__

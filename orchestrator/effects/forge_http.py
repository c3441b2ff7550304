"""HTTP to a forge, bounded in time, in tries and in what is read; nothing is sent to any other host.

Waiting is left to whoever asks: a forge that has us wait is not asked again before, and says until when (HF-4703).
What was read once is asked for with its ETag: an answer that has not changed costs nothing of the allowance.
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

import httpx2
from pydantic import TypeAdapter, ValidationError

from adapters.contract import Json
from orchestrator.effects.forge_answers import Answer, judge
from orchestrator.effects.forge_words import plain
from orchestrator.errors import ForgeAway, ForgeError

T = TypeVar("T")

#: Things asked for at a time, and bytes of an answer: fifty comments of the longest kind, each of their characters
#: escaped, fit. Nobody can keep others' comments from being read by writing long ones.
PAGE: Final = 50
MOST_BYTES: Final = 24 << 20
#: Pages of one list.
MOST_PAGES: Final = 20
#: So much of answers is kept with their ETags, and the longest of them: fifty pull requests are one MiB.
_KEPT_BYTES, _LONGEST_KEPT = 8 << 20, 4 << 20
_HOPS: Final = 3
_MOVED: Final = frozenset({301, 302, 307, 308})
#: Those that keep the method and the body.
_MOVED_WHOLE: Final = frozenset({307, 308})


class Admission(Protocol):
    """What lets us in."""

    def token(self) -> str:
        """Return the token. Raises ForgeError (HF-4702) where there is none."""
        ...

    def renewed(self, refused: str) -> bool:
        """Give up a token that was refused; returns whether there is another."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often a forge is asked. All in seconds, but for the tries."""

    connect_s: float = 5.0
    #: For each part of the answer, and for all of it.
    read_s: float = 10.0
    whole_s: float = 30.0
    #: Of what may be asked twice.
    tries: int = 3
    #: Between two tries, longer each time; what a forge asks for beyond ``longest_s`` is not waited for here.
    pause_s: float = 0.5
    longest_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    method: str
    url: str
    body: bytes | None = None
    #: Whether it does no more when it is done twice.
    again: bool = False


class ForgeHttp:
    """One forge, with one way of being let in. Threads may share it."""

    def __init__(  # noqa: PLR0913 -- each is one thing that forges differ in, or tests bring
        self,
        api: str,
        admission: Admission,
        *,
        headers: Mapping[str, str],
        scheme: str = "Bearer",
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``api`` is the URL that every path is below. Raises ForgeError where it is none that is safe to speak to."""
        self._api = safe_api(api)
        self._admission, self._scheme = admission, scheme
        self._patience, self._now, self._pause = patience or Patience(), now, pause
        patient = self._patience
        self._client = httpx2.Client(
            headers={"User-Agent": "Holdfast", "Accept-Encoding": "gzip", **headers},
            timeout=httpx2.Timeout(patient.read_s, connect=patient.connect_s),
            follow_redirects=False,
        )
        self._until = 0.0
        self._kept = _Kept()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None, *, shape: TypeAdapter[T]) -> T:
        """Return what is there. Raises ForgeError."""
        return _shaped(self._asked("GET", path, query).body, shape)

    def send(self, method: str, path: str, body: Json, *, shape: TypeAdapter[T], again: bool = False) -> T:
        """Send something; ``again``: twice does no more than once, so that it may be tried anew. Raises ForgeError."""
        return _shaped(self._asked(method, path, None, body, again=again).body, shape)

    def pages(
        self,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        shape: TypeAdapter[list[T]],
        size: str = "per_page",
        rest: bool = False,
        most: int = MOST_PAGES,
    ) -> Iterator[T]:
        """Yield what a list holds, asking for the next page when it is needed; ``size``: its word for how much of it.

        Of a list of more than ``most`` pages the ``rest`` is left out. Raises ForgeError where it must not be.
        """
        for number in range(1, most + 1):
            answer = self._asked("GET", path, {**(query or {}), size: PAGE, "page": number})
            yield from _shaped(answer.body, shape)
            if not answer.more:
                return
        if not rest:
            raise ForgeError(
                f"{self._host} has more than {most * PAGE} things at {_shown(path)}: a list that long is not read",
                hint="close what is not needed",
            )

    @property
    def _host(self) -> str:
        return urlsplit(self._api).hostname or ""

    def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: Json = None,
        *,
        again: bool = False,
    ) -> Answer:
        if self._now() < self._until:
            raise self._waiting(self._until)
        url = self._api + path + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        asked = _Asked(method=method, url=url, body=content, again=again or method == "GET")
        token = self._admission.token()
        answer = self._tried(asked, token)
        if answer.status == httpx2.codes.UNAUTHORIZED and self._admission.renewed(token):
            token = self._admission.token()
            answer = self._tried(asked, token)
        try:
            return judge(answer, f"{self._host} ({method} {_shown(path)})", self._now(), token)
        except ForgeAway as error:
            self._until = max(self._until, error.until)
            raise

    def _waiting(self, until: float) -> ForgeAway:
        left = max(1, round(until - self._now()))
        return ForgeAway(f"{self._host} has us wait for {left} s", code="HF-4703", until=until)

    def _tried(self, asked: _Asked, token: str) -> Answer:
        """Return the forge's answer, tried for again where that does no harm."""
        for number in range(1, self._patience.tries + 1):
            last = number == self._patience.tries
            try:
                answer = self._led(asked, token)
            except httpx2.RequestError as error:
                reached = not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
                if last or (reached and not asked.again):
                    # An error's own text may hold the whole URL.
                    raise ForgeAway(
                        f"{self._host} does not answer: {type(error).__name__}", hint="is it up and reachable?"
                    ) from None
                self._pause(self._patience.pause_s * number)
                continue
            wait = answer.retry_after or self._patience.pause_s * number
            passing = answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR and wait <= self._patience.longest_s
            if last or not (passing and asked.again):
                return answer
            self._pause(wait)
        raise AssertionError(asked.method)  # pragma: no cover -- the last try returns or raises

    def _led(self, asked: _Asked, token: str) -> Answer:
        """Return the answer from where it leads: elsewhere on this very host, nowhere else."""
        method, url, body = asked.method, asked.url, asked.body
        deadline = time.monotonic() + self._patience.whole_s
        for _ in range(_HOPS):
            answer = self._once(method, url, body, token, deadline)
            if answer.status not in _MOVED or (method != "GET" and answer.status not in _MOVED_WHOLE):
                return answer
            url = self._elsewhere_here(url, answer.location)
        raise ForgeError(f"{self._host} leads from one address to the next", hint="mend api: of the source's forge")

    def _elsewhere_here(self, url: str, location: str) -> str:
        here = httpx2.URL(url)
        try:
            there = here.join(location)
        except httpx2.InvalidURL:
            there = httpx2.URL("")
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            raise ForgeError(
                f"{self._host} leads elsewhere, to {there.host or 'nowhere'}: nothing is sent there",
                hint="mend api: of the source's forge",
            )
        return str(there)

    def _once(self, method: str, url: str, body: bytes | None, token: str, deadline: float) -> Answer:
        headers = {"Authorization": f"{self._scheme} {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        kept = self._kept.find(url) if method == "GET" else None
        if kept:
            headers["If-None-Match"] = kept.etag
        with self._client.stream(method, url, headers=headers, content=body) as response:
            if kept and response.status_code == httpx2.codes.NOT_MODIFIED:
                return Answer.of(httpx2.codes.OK, kept.headers, kept.text)
            text = self._read(response, deadline)
        if method == "GET" and response.status_code == httpx2.codes.OK:
            self._kept.keep(url, _Told(headers=response.headers, text=text))
        return Answer.of(response.status_code, response.headers, text)

    def _read(self, response: httpx2.Response, deadline: float) -> bytes:
        read = bytearray()
        for chunk in response.iter_bytes():
            read += chunk
            if len(read) > MOST_BYTES:
                raise ForgeError(f"{self._host} answers more than {MOST_BYTES >> 20} MiB: it is not read")
            if time.monotonic() > deadline:
                raise ForgeAway(
                    f"{self._host} did not answer within {self._patience.whole_s:g} s", hint="is it up and reachable?"
                )
        return bytes(read)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A good answer as it came: read anew it takes longer, and kept it takes far less."""

    headers: Mapping[str, str]
    text: bytes

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "")


@dataclass(slots=True)
class _Kept:
    """Answers with an ETag, the longest unused of them forgotten first."""

    _told: OrderedDict[str, _Told] = field(default_factory=OrderedDict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def find(self, url: str) -> _Told | None:
        with self._turn:
            if url in self._told:
                self._told.move_to_end(url)
            return self._told.get(url)

    def keep(self, url: str, told: _Told) -> None:
        with self._turn:
            self._told.pop(url, None)
            if not told.etag or len(told.text) > _LONGEST_KEPT:
                return
            self._told[url] = told
            while sum(len(one.text) for one in self._told.values()) > _KEPT_BYTES:
                self._told.popitem(last=False)


def there(ask: Callable[[], object]) -> bool:
    """Whether what is asked about is still there. Raises ForgeError where it is something else that is wrong."""
    try:
        ask()
    except ForgeError as error:
        if error.code != "HF-4704":
            raise
        return False
    return True


def stamp(at: float) -> str:
    """Return a moment, in seconds since the epoch, as ISO 8601 has it."""
    return datetime.fromtimestamp(max(at, 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def safe_api(url: str) -> str:
    """Return the URL without a slash at its end. Raises ForgeError where a token would go over the network in clear."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    # A login in a URL would be sent instead of the token.
    if host and "@" not in parts.netloc and (parts.scheme == "https" or (parts.scheme == "http" and loopback(host))):
        return url.rstrip("/")
    raise ForgeError(
        f"{host or 'that'} is not spoken to over https: a token would go over the network in clear",
        hint="write https:// in api: of the source's forge",
    )


def loopback(host: str) -> bool:
    """Whether what is sent to a host does not leave this one."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(path: str) -> str:
    return plain(unquote(path), 200)


def _shaped(body: Any, shape: TypeAdapter[T]) -> T:
    try:
        return shape.validate_python(body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "all of it"
        raise ForgeError(
            f"the forge's answer is not what its description says: {where}", hint="mend api: of the source's forge"
        ) from None

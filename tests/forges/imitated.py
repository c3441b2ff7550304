"""A forge, imitated: a server on loopback that keeps one repository's pull requests. What each forge says of them is its own.

Every request is held against what the forge's makers say of their API, and so is every answer of the imitation: what does
not agree is kept in `faults`.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


class Refused(Exception):
    """What was asked is not done."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request that came in."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    status: int = 0


@dataclass(slots=True, kw_only=True)
class Refusal:
    """An answer that is given whatever was asked."""

    status: int
    headers: Mapping[str, str]
    times: int
    body: bytes
    #: Part of the path that it is for.
    only: str
    #: The method that it is for, empty for each.
    method: str
    #: Whether what was asked is done all the same, and only the answer is lost.
    done: bool
    #: Writes the answer itself, where it is to be none that is whole.
    raw: Callable[[BaseHTTPRequestHandler], None] | None


@dataclass(slots=True, kw_only=True)
class Written:
    """A comment."""

    id: int
    pull: int
    by: str
    text: str
    at: float
    changed_at: float
    #: Below an issue that is no pull request.
    issue: bool = False


@dataclass(slots=True, kw_only=True)
class Opened:
    """A pull request."""

    number: int
    head: str
    base: str
    title: str
    author: str
    branch: str
    fork: bool
    draft: bool
    state: str = "open"
    merged_as: str = ""
    #: In the order in which they were said: login, state, commit.
    reviews: list[tuple[str, str, str]] = field(default_factory=list)


class Imitated:
    """The repository acme/infra. Threads may ask and change it."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Be as it was made, at the same URL."""
        #: Token -> login that it writes as.
        self.tokens: dict[str, str] = {}
        self.requests: list[Sent] = []
        #: What did not agree with the description: empty at the end of a good test.
        self.faults: list[str] = []
        #: Comment -> reactions.
        self.reactions: dict[int, list[str]] = {}
        #: A list whose every page says that there is another.
        self.endless = False
        self._pulls: dict[int, Opened] = {}
        self._comments: dict[int, Written] = {}
        #: Every commit that it has seen: none is forgotten.
        self._commits: set[str] = set()
        self._statuses: dict[str, list[dict[str, Any]]] = {}
        self._refusals: list[Refusal] = []
        self._last_id, self._now = 1000, 0.0

    def answer(self, sent: Sent) -> tuple[int, Any]:
        """Return the status and the body."""
        raise NotImplementedError

    # What a test does at the forge.

    @contextmanager
    def at_work(self) -> Iterator[Self]:
        """Answer at `url` on loopback."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def open_pull(
        self,
        head: str,
        *,
        number: int = 0,
        base: str = "main",
        title: str = "A change",
        author: str = "ana-gh",
        branch: str = "change",
        fork: bool = False,
        draft: bool = False,
    ) -> int:
        """Open a pull request; returns its number."""
        with self._turn:
            number = number or max(self._pulls, default=0) + 1
            self._commits.add(head)
            self._pulls[number] = Opened(
                number=number, head=head, base=base, title=title, author=author, branch=branch, fork=fork, draft=draft
            )
            return number

    def push(self, number: int, head: str) -> None:
        with self._turn:
            self._pulls[number].head = head
            self._commits.add(head)

    def merge(self, number: int, as_: str) -> None:
        with self._turn:
            self._pulls[number].state, self._pulls[number].merged_as = "closed", as_
            self._commits.add(as_)

    def close(self, number: int) -> None:
        with self._turn:
            self._pulls[number].state = "closed"

    def review(self, number: int, by: str, state: str = "APPROVED", commit: str = "") -> None:
        with self._turn:
            self._pulls[number].reviews.append((by, state, commit or self._pulls[number].head))

    def comment(self, number: int, by: str, text: str, *, at: float | None = None, issue: bool = False) -> int:
        """Write a comment; returns its id."""
        with self._turn:
            self._now = max(self._now + 1, time.time()) if at is None else at
            self._last_id += 1
            self._comments[self._last_id] = Written(
                id=self._last_id, pull=number, by=by, text=text, at=self._now, changed_at=self._now, issue=issue
            )
            return self._last_id

    def edit_comment(self, comment: int, text: str) -> None:
        with self._turn:
            self._now = max(self._now + 1, time.time())
            self._comments[comment].text, self._comments[comment].changed_at = text, self._now

    def delete_comment(self, comment: int) -> None:
        with self._turn:
            del self._comments[int(comment)]

    def comments(self, number: int) -> list[Written]:
        with self._turn:
            return [one for one in self._comments.values() if one.pull == number]

    def statuses(self, head: str) -> list[dict[str, Any]]:
        with self._turn:
            return list(self._statuses.get(head, []))

    def fail_next(
        self,
        status: int = 500,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        *,
        body: bytes = b'{"message": "not now"}',
        only: str = "",
        method: str = "",
        done: bool = False,
        raw: Callable[[BaseHTTPRequestHandler], None] | None = None,
    ) -> None:
        """Answer so, the next times; ``done``: after having done what was asked."""
        with self._turn:
            self._refusals.append(
                Refusal(
                    status=status,
                    headers=headers or {},
                    times=times,
                    body=body,
                    only=only,
                    method=method,
                    done=done,
                    raw=raw,
                )
            )

    def heal(self) -> None:
        """Forget what was to go wrong, and what came in."""
        with self._turn:
            self._refusals.clear()
            self.requests.clear()
            self.endless = False

    # What it does about a request.

    def refusal(self, method: str, path: str) -> Refusal | None:
        with self._turn:
            meant = (one for one in self._refusals if one.only in path and one.method in {"", method})
            found = next((one for one in meant if one.times > 0), None)
            if found:
                found.times -= 1
            return found


def length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise Refused(422, f"{name} is too long (maximum is {most} characters)")


def _serving(mock: Imitated) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
            pass

        def _do(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = Sent(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                body=json.loads(text) if text else None,
                headers={name.lower(): value for name, value in self.headers.items()},
            )
            refusal = mock.refusal(self.command, parts.path)
            if refusal is None or refusal.done:
                status, body = mock.answer(sent)
            if refusal is not None:
                status = refusal.status
            mock.requests.append(replace(sent, status=status))
            if refusal is not None and refusal.raw:
                refusal.raw(self)
                self.close_connection = True
            elif refusal is not None:
                self._say(refusal.status, refusal.body, refusal.headers)
            else:
                self._say_page(sent, status, body)

        def _say_page(self, sent: Sent, status: int, body: Any) -> None:
            headers = {"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
            if isinstance(body, list) and "page" in sent.query:
                size, page = int(sent.query.get("per_page") or sent.query.get("limit", 30)), int(sent.query["page"])
                more = mock.endless or len(body) > size * page
                # As GitHub has it: by the repository's number, which no description knows.
                link = f'<{mock.url}/repositories/1/list?page={page + 1}>; rel="next"'
                headers |= {"Link": link} if more else {}
                body = body[:size] if mock.endless else body[size * (page - 1) : size * page]
            text = json.dumps(body).encode()
            headers["ETag"] = f'W/"{hashlib.sha256(text).hexdigest()}"'
            if sent.method == "GET" and sent.headers.get("if-none-match") == headers["ETag"]:
                mock.requests[-1] = replace(sent, status=304)
                status, text = 304, b""
            self._say(status, text, headers)

        def _say(self, status: int, text: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _do  # noqa: N815 -- http.server's own names

    return Answering

"""A receiver of messages on loopback, which can be told how to answer, and a journal that keeps what it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from orchestrator.ports import Level


class Received:
    """One request."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes, status: int) -> None:
        self.path, self.headers, self.body, self.status = path, headers, body, status

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent, and answers what `answer` returns for it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.got: list[Received] = []
        self.answer: Callable[[bytes], int] = lambda _: 200

    @property
    def taken(self) -> list[Received]:
        return [one for one in self.got if one.status == 200]

    def url(self, scheme: str = "json", path: str = "/hook") -> str:
        return f"{scheme}://127.0.0.1:{self.server_port}{path}"


class _Request(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = self.server.answer(body)
        self.server.got.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body, status))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", self.server.url("http", "/elsewhere"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


class Said:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[Level, str, dict[str, Any]]] = []

    def say(self, level: Level, what: str, **about: object) -> None:
        self.lines.append((level, what, about))

    def of(self, what: str) -> list[dict[str, Any]]:
        return [about for _, said, about in self.lines if said.startswith(what)]


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)

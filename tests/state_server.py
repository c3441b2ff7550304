"""A backend for Terraform's state on loopback, which can be told to refuse writing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StateServer(ThreadingHTTPServer):
    """Keeps one state and its lock, and can be told to refuse writing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StateRequest)
        self.state = b""
        self.lock = b""
        self.refuses = False
        self.refuses_unlock = False
        #: How often somebody tried to write.
        self.writes = 0

    @property
    def settings(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.server_port}/state"
        backend = {"address": url, "lock_address": url, "unlock_address": url, "retry_max": 0}
        return {"backend_config": backend}


class StateRequest(BaseHTTPRequestHandler):
    server: StateServer

    def do_GET(self) -> None:
        self.answer(200 if self.server.state else 404, self.server.state)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.writes += 1
        if not self.server.refuses:
            self.server.state = content
        self.answer(500 if self.server.refuses else 200)

    def do_LOCK(self) -> None:
        wanted = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.lock:
            self.answer(423, self.server.lock)
        else:
            self.server.lock = wanted
            self.answer(200)

    def do_UNLOCK(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.server.refuses_unlock:
            self.server.lock = b""
        self.answer(500 if self.server.refuses_unlock else 200)

    def answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[StateServer]:
    """Serve for as long as the block runs."""
    made = StateServer()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()

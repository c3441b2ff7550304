"""A server that answers whatever a test says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler, int], None]


@dataclass
class Fake:
    """One such server, and what it was asked."""

    answer: Answer
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                number = len(fake.asked)
                asked = {name.lower(): value for name, value in self.headers.items()}
                fake.asked.append({**asked, "path": self.path, "method": self.command})
                fake.answer(self, number)
                self.close_connection = True

            do_GET = do_POST = answer  # noqa: N815 -- the standard library's names

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


def send(
    request: BaseHTTPRequestHandler, status: int, body: Any, kind: str = "application/json", **headers: str
) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    request.send_response(status)
    for name, value in {"content-type": kind, "content-length": str(len(text)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(text)


def refuse(request: BaseHTTPRequestHandler, status: int, code: str, **more: Any) -> None:
    send(request, status, {"code": code, "detail": "why", "status": status, **more}, "application/problem+json")


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.close()

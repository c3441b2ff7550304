"""Servers that are none of ours, fakes by their very purpose: they answer as no service of ours would."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import Fake


@contextmanager
def _at_work(answer: Callable[[BaseHTTPRequestHandler, int], None]) -> Iterator[Fake]:
    fake = Fake(answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), fake.handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def fake() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler, int], None]], Fake]]:
    """Return what starts a fake server; ``answer`` is called with each request and its number."""
    with ExitStack() as opened:
        yield lambda answer: opened.enter_context(_at_work(answer))

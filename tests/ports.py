"""Ports for servers that must be told one before they begin, and cannot say which one the kernel gave them."""

from __future__ import annotations

import os
import socket
from itertools import count

#: Below those that the kernel gives to whoever asks for any: between the look and the start nobody gets it by chance.
_FIRST, _OF_EACH, _WORKERS = 12_000, 1_000, 16
_WORKER = int("0" + os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")) % _WORKERS
#: Another run on this machine most likely begins elsewhere.
_TURNS = count(os.getpid())


def free_port() -> int:
    """Return a port of this worker's own on which nothing listens."""
    for turn in _TURNS:
        port = _FIRST + _WORKER * _OF_EACH + turn % _OF_EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError

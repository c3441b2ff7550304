"""Keeps a second service away from a home that one works in already."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.effects.home import make_home
from orchestrator.errors import Conflict


@contextmanager
def sole(home: Path) -> Iterator[None]:
    """Be the only service that works in ``home`` for as long as the block runs.

    The lock is the kernel's, so that it ends with the process however that ends. Raises Conflict (HF-4206) where
    another service has it.
    """
    make_home(home)
    file = os.open(home / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held_by = os.pread(file, 32, 0).decode("ascii", "replace").strip()
            raise Conflict(
                f"another service works in {home}{f', process {held_by}' if held_by else ''}",
                code="HF-4206",
                hint="stop that one first, or give this one a --home of its own",
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)

"""Files that a change must find as they were approved: proven at the last moment, and handed over out of reach.

A saved plan has no integrity of its own, and between the moment it is laid down and the moment that a tool opens it
lie an append, an ``init`` and a process start. So a command names its files with their digests; a file that stands on
its command line is copied into memory, sealed there by the kernel, and the tool opens that copy: there is no later.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from adapters.contract import Command, PlanStale
from orchestrator.errors import NotStarted

_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@contextmanager
def sealed(command: Command) -> Iterator[tuple[Command, tuple[int, ...]]]:
    """Prove the command's sealed files; yield it naming the copies of those on its line, and their descriptors.

    The tool must inherit the descriptors. Raises PlanStale where a file is not as it was sealed, NotStarted.
    """
    handed: dict[str, int] = {}
    try:
        for path, digest in command.sealed.items():
            content = _proven(path, digest)
            if str(path) in command.argv:
                handed[str(path)] = _out_of_reach(content)
        argv = tuple(f"/proc/self/fd/{handed[word]}" if word in handed else word for word in command.argv)
        yield replace(command, argv=argv), tuple(handed.values())
    finally:
        for handle in handed.values():
            os.close(handle)


def _proven(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise PlanStale(f"{path.name} was altered before it could be used", hint="nothing was applied; plan again")
    return content


def _out_of_reach(content: bytes) -> int:
    try:
        handle = os.memfd_create("sealed", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(handle, "wb", closefd=False) as copy:
            copy.write(content)
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
    except OSError as error:
        raise NotStarted(f"no room for a copy of the saved plan: {error.strerror}") from error
    return handle

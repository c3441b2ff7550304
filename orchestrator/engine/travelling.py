"""Has what an adapter keeps for a stack follow the stack from host to host, by way of the artifacts."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Final

from adapters.contract import Workspace
from orchestrator.engine.outside import Outside
from orchestrator.model.observed import State

#: In the scratch folder: the copy that what lies on this host came from, or became.
_MARK: Final = "kept-copy"


def mark(workspace: Workspace, sha256: str) -> None:
    """Remember which copy in Artifacts what lies here is the same as."""
    (workspace.scratch / _MARK).write_text(sha256, "ascii")


def follow(outside: Outside, state: State, workspace: Workspace) -> None:
    """Lay out what another host kept last for the stack; for a record that several hosts share.

    Where nobody else has been at it since, what lies here stays: it may know more than the record.
    """
    marked = workspace.scratch / _MARK
    if not state.kept or (marked.exists() and marked.read_text("ascii") == state.kept):
        return
    here = pack(workspace.kept)
    if here:
        # It can be found again by its digest.
        outside.artifacts.put(here)
    _unpack(outside.artifacts.get(state.kept), workspace.kept)
    mark(workspace, state.kept)


def _unpack(content: bytes, folder: Path) -> None:
    import tarfile  # noqa: PLC0415 -- as in `pack`

    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for entry in archive:
            target = folder / entry.name
            # `pack` made it, and it was encrypted since: all the same, nothing is written outside of the folder.
            if not entry.isreg() or not target.resolve().is_relative_to(folder.resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(archive.extractfile(entry) or io.BytesIO(), file)


def pack(folder: Path) -> bytes:
    """Return a canonical tar of the files below ``folder``: equal content gives equal bytes. Empty for no files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return b""
    import tarfile  # noqa: PLC0415 -- with all that it imports the slowest of the engine, and only an apply packs

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            content = path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()

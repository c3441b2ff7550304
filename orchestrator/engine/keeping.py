"""Copies the state that Holdfast keeps for a stack aside, so that no good state is ever the only one."""

from __future__ import annotations

import io
from pathlib import Path

from adapters.contract import Workspace
from orchestrator.engine.station import Case
from orchestrator.model.event import Event, StateKept


def keep_state(case: Case, workspace: Workspace, moment: str) -> tuple[Event, ...]:
    """Put a copy of the kept folder into Artifacts; returns the event to append, none where it is as last time."""
    content = pack(workspace.kept)
    if not content:
        return ()
    sha256 = case.outside.artifacts.put(content)
    if sha256 == case.asked.state.kept:
        return ()
    return (StateKept(sha256=sha256, note=moment),)


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

"""Copies the state that Holdfast keeps for a stack aside, so that no good state is ever the only one."""

from __future__ import annotations

from adapters.contract import Workspace
from orchestrator.engine.station import Case
from orchestrator.engine.travelling import mark, pack
from orchestrator.model.event import Event, StateKept


def keep_state(case: Case, workspace: Workspace, moment: str) -> tuple[Event, ...]:
    """Put a copy of the kept folder into Artifacts; returns the event to append, none where it is as last time."""
    content = pack(workspace.kept)
    if not content:
        return ()
    sha256 = case.outside.artifacts.put(content)
    mark(workspace, sha256)
    if sha256 == case.asked.state.kept:
        return ()
    return (StateKept(sha256=sha256, note=moment),)

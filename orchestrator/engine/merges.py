"""Merges of ours that stacks are held at: no ref of the remote leads to one, so every host has to make it itself.

The same two commits always make the same merge. What each is made of is remembered with the stack that is held at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from orchestrator.model.source import Revision, Source
from orchestrator.model.stack import StackKey

if TYPE_CHECKING:
    from adapters.contract import Json
    from orchestrator.engine.outside import Outside, Reading

_TOPIC: Final = "pulls merged"


def note_merge(outside: Outside, key: StackKey, reading: Reading, *, ref: str, head: str) -> None:
    """Remember what ``reading`` is made of, at which ``key`` is held; the remote's ``ref`` leads to ``head``."""
    base = reading.base.revision.id if reading.base else ""
    if base and reading.revision.id not in {base, head}:
        kept: Json = {"revision": reading.revision.id, "base": base, "ref": ref, "head": head}
        outside.record.remember(_TOPIC, {str(key): kept})


def remade(outside: Outside, source: Source, revision: str) -> Revision | None:
    """Make a merge of ours that is not at hand, and keep it; None where ``revision`` is none. Raises SourceError.

    Whether ``head`` may be run is looked at again.
    """
    found = outside.record.recollect(_TOPIC)
    ours = (
        cast("dict[str, Any]", one)
        for key, one in found.items()
        if isinstance(one, dict) and one["revision"] == revision and StackKey.parse(key).source == source.id
    )
    made_of = next(ours, None)
    if made_of is None:
        return None
    outside.sources.bring(source, {made_of["ref"]: made_of["head"]})
    made = outside.sources.merged(source, made_of["base"], made_of["head"])
    if made.id != revision:
        return None
    outside.sources.pin(source, revision, revision)
    return made

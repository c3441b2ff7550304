"""What is asked about people whenever a decision is made: who wrote it, and who has left a team since their yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from orchestrator.engine.outside import Outside, Reading
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Applied, Consent, Proposal, State, TrackView
from orchestrator.model.stack import Stack
from orchestrator.ports import People


def left(people: People, consents: Iterable[Consent]) -> Mapping[str, frozenset[str]]:
    """Return, of each who said yes, the teams that vouched for them then and do not any more.

    A yes counts by teams that the person was in when they spoke, *and* is in still: who was let in afterwards never
    had a say, and who was put out has none left.
    """
    found: dict[str, frozenset[str]] = {}
    for one in consents:
        gone = frozenset(one.teams) - frozenset(people.teams_of(one.by)) if one.teams else frozenset()
        found[one.by] = found.get(one.by, frozenset()) | gone
    return {person: gone for person, gone in found.items() if gone}


def authors(
    outside: Outside, reading: Reading, stack: Stack, state: State, parts: Parts, paths: Iterable[PurePosixPath]
) -> frozenset[str]:
    """Return who wrote what a plan of the stack would do; ``paths`` are those that it reads outside its folder.

    Where policy lets authors approve, or nothing is proposed, only the revision's own author is known. Otherwise
    everybody counts who changed what the stack reads since it was applied: somebody else's commit on top of it must
    not make one's own change approvable. Raises SourceError.
    """
    newest = frozenset(filter(None, [reading.revision.email]))
    if stack.policy.approvals.allow_author or not _proposed(state, reading.track) or not reading.revision.committed:
        return newest
    applied = state.applied
    return newest | outside.sources.authors(
        reading.source,
        reading.revision.id,
        applied.revision if applied else "",
        read_by(reading, stack, applied, parts, paths),
    )


def read_by(
    reading: Reading, stack: Stack, applied: Applied | None, parts: Parts, paths: Iterable[PurePosixPath]
) -> frozenset[PurePosixPath]:
    """Return every path that a plan of the stack depends on; ``paths`` are those that it reads outside its folder."""
    written = _written_in(stack, reading) if _settings_differ(applied, parts) else ()
    return frozenset({stack.path, *paths, *written})


def _proposed(state: State, track: str) -> Proposal | None:
    return state.tracks.get(track, TrackView()).proposal


def _settings_differ(applied: Applied | None, parts: Parts) -> bool:
    return applied is None or (applied.parts.settings, applied.parts.tool) != (parts.settings, parts.tool)


def _written_in(stack: Stack, reading: Reading) -> Iterable[PurePosixPath]:
    """Yield the files of the revision that the stack's settings stand in."""
    for name in {origin.rpartition(":")[0] for origin in stack.origins.values()}:
        path = PurePosixPath(name)
        # What stands in the operator's file, or was given on the way in, is nobody's commit.
        if path.parts and not path.is_absolute() and ".." not in path.parts and reading.tree.id_of(path):
            yield path

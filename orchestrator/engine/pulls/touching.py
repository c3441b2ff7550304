"""Which stacks each pull request touches, or touched while it was open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orchestrator.engine.acts.words import NO_RUN, append
from orchestrator.engine.post import Post
from orchestrator.model.pull import track_of
from orchestrator.model.pull_events import TrackEnded
from orchestrator.model.stack import StackKey

_TOPIC: Final = "pulls touched"


def note_touch(post: Post, number: int, keys: Iterable[StackKey]) -> None:
    """Remember what a pull request touches."""
    record, name, names = post.outside.record, f"{post.source.id}#{number}", sorted(map(str, keys))
    if record.remembered(_TOPIC, name) != names:
        record.remember(_TOPIC, {name: list(names)})


def forget_touch(post: Post, number: int) -> None:
    """Forget it: the pull request is over."""
    post.outside.record.remember(_TOPIC, {f"{post.source.id}#{number}": None})


def touch_of(post: Post, number: int) -> frozenset[StackKey]:
    """Return what a pull request touched when it was last looked at."""
    known = post.outside.record.remembered(_TOPIC, f"{post.source.id}#{number}")
    if isinstance(known, list):
        return frozenset(StackKey.parse(str(one)) for one in known)
    # That was only remembered: what was planned for it stands in the record.
    track, rows = track_of(number), post.outside.record.rows(post.source.id)
    return frozenset(StackKey.parse(row.key) for row in rows if track in row.state.tracks)


def end_track(post: Post, track: str, keys: Iterable[StackKey]) -> None:
    """End a track of stacks, with its proposals and yeses, where they have it. Raises Conflict."""
    for key in sorted(keys):
        if track in post.outside.record.row(str(key)).state.tracks:
            append(post.outside, key, lambda _: TrackEnded(track=track), run=NO_RUN)

"""The newest reading of each source that was accepted, whichever host accepted it. Fetches nothing."""

from __future__ import annotations

import threading

from orchestrator.engine.outside import Reading, read_at
from orchestrator.engine.post import Post, row_of


class Newest:
    """Reads each revision of a source once. Safe to share between threads."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Post, Reading]] = {}
        #: Whoever comes while a source is being read waits for that: a commit makes many stacks due at once.
        self._turns: dict[str, threading.Lock] = {}

    def of(self, post: Post) -> Reading | None:
        """Return the newest reading, None where the source was never read. Raises OrchestratorError."""
        name = post.source.id
        revision = post.outside.record.row(row_of(name)).looks.revision
        if not revision:
            return None
        with self._lock:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            kept = self._kept.get(name)
            # Another post is another operator's file: what it says of stacks may have changed.
            if kept is not None and kept[0] is post and kept[1].revision.id == revision:
                return kept[1]
            reading = read_at(post.outside, post.source, revision)
            self._kept[name] = (post, reading)
            return reading

    def forget(self) -> None:
        """Read every source anew."""
        with self._lock:
            self._kept.clear()

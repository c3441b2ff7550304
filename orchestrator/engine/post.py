"""What is served: one source with the hands for it, and which of them there are now."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.engine.outside import Outside
from orchestrator.engine.pulls.desk import Desk
from orchestrator.model.source import Source

#: What the names of the rows of sources in agenda and record begin with; no key of a stack looks like it.
SOURCES: Final = "source:"
#: What those begin with that have somebody looked for news: sources, and their pull requests.
LOOKING: Final = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One source that is served."""

    source: Source
    outside: Outside
    #: Where its pull requests are seen to; None where nobody asked for that.
    desk: Desk | None = None


class Posts:
    """The sources that are served at this moment; a reload replaces them all at once."""

    def __init__(self, posts: Iterable[Post] = ()) -> None:
        """``posts``: those to begin with."""
        self._lock = threading.Lock()
        self._posts: Mapping[str, Post] = {}
        self.replace(posts)

    def replace(self, posts: Iterable[Post]) -> None:
        """Serve these from now on; what runs for others ends as it began."""
        found = {post.source.id: post for post in posts}
        with self._lock:
            self._posts = found

    def get(self, source: str) -> Post | None:
        """Return the post of a source, None where it is not served."""
        with self._lock:
            return self._posts.get(source)

    def every(self) -> tuple[Post, ...]:
        """Return all of them, by the name of their source."""
        with self._lock:
            return tuple(self._posts[name] for name in sorted(self._posts))


def row_of(source: str) -> str:
    """Return what the rows of a source are called, in the agenda and in the record."""
    return f"{SOURCES}{source}"


def source_of(row: str) -> str:
    """Return the source that a row of the agenda stands for, empty where it stands for a stack."""
    return row.removeprefix(SOURCES) if row.startswith(SOURCES) else ""

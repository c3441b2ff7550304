"""Looks at one source when it is due, keeps what came of that, and says when it is due next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from adapters.contract import AdapterError, Json
from orchestrator.engine.post import Post
from orchestrator.engine.renaming import follow_renames
from orchestrator.engine.watch import NO_RUN, Watch
from orchestrator.errors import OrchestratorError
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Record
from orchestrator.rules.pace import jittered
from orchestrator.rules.silence import Glimpse

#: Where the last look at each source is remembered: it can be taken again at any time.
_TOPIC: Final = "sources"
#: The longest wait after failures in a row, in seconds.
_MOST_S: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of a source from the last looks at it. Times are seconds since the epoch, 0 for never."""

    source: str
    #: The newest revision that could be read.
    revision: str = ""
    read_at: float = 0.0
    looked_at: float = 0.0
    #: Why the last look failed, empty where it did not.
    code: str = ""
    message: str = ""
    failures: int = 0
    #: Looks that came to nothing since the source is known.
    failures_ever: int = 0

    @property
    def silent(self) -> bool:
        """Whether the last look came to nothing: what is asked for now is not known."""
        return bool(self.code)


def sight_of(record: Record, source: str) -> Sight:
    """Return what is known of a source; of one never looked at that it was not."""
    found = record.remembered(_TOPIC, source)
    return Sight(source=source, **cast("Mapping[str, Any]", found)) if isinstance(found, dict) else Sight(source=source)


def glimpse_of(record: Record, source: Source) -> Glimpse:
    """Return what is known of a declared source, as far as it tells whether it is silent."""
    sight = sight_of(record, source.id)
    return Glimpse(
        source=source.id, every_s=source.every_s, read_at=sight.read_at, looked_at=sight.looked_at, code=sight.code
    )


class Watcher:
    """Follows one source for the service."""

    def __init__(self, post: Post) -> None:
        """The first look is at every stack: what happened while nobody watched is not known."""
        self.post = post
        self._watch = Watch(post.outside, post.source)

    def look(self) -> tuple[Sight, frozenset[StackKey], float]:
        """Look once; return what is known now, the stacks that are due because of it, and when to look again.

        What is wrong with a source is no error here: the last good revision stays in force, and that is said.
        """
        outside, source = self.post.outside, self.post.source
        before, now = sight_of(outside.record, source.id), outside.clock.now()
        due: frozenset[StackKey] = frozenset()
        try:
            reading, due = self._watch.look()
            follow_renames(outside, reading, NO_RUN)
            sight = Sight(
                source=source.id,
                revision=reading.revision.id,
                read_at=now,
                looked_at=now,
                failures_ever=before.failures_ever,
            )
        except (OrchestratorError, AdapterError) as error:
            sight = Sight(
                source=source.id,
                revision=before.revision,
                read_at=before.read_at,
                looked_at=now,
                code=error.code,
                message=error.message,
                failures=before.failures + 1,
                failures_ever=before.failures_ever + 1,
            )
        _keep(outside.record, sight)
        return sight, due, now + self._pause(sight)

    def _pause(self, sight: Sight) -> float:
        every = self.post.source.every_s
        wait = every if not sight.failures else min(max(every, _MOST_S), every * 2.0 ** min(sight.failures - 1, 20))
        return jittered(wait, f"{sight.source} {sight.looked_at}")


def _keep(record: Record, sight: Sight) -> None:
    kept: dict[str, Json] = {
        "revision": sight.revision,
        "read_at": sight.read_at,
        "looked_at": sight.looked_at,
        "code": sight.code,
        "message": sight.message,
        "failures": sight.failures,
        "failures_ever": sight.failures_ever,
    }
    record.remember(_TOPIC, {sight.source: kept})

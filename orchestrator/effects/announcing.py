"""Passes on what the kernel says of changes in served folders, so that nobody waits for the next look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from orchestrator.effects.watcher import DirectoryWatch, spots
from orchestrator.model.source import Source

#: How long one wait for changes lasts: a folder that was replaced is watched anew after it. Seconds.
_WAIT_S: Final = 5.0


class Announcing:
    """Watches the sources that are folders of this host; what it misses, the next look at the source finds."""

    def __init__(self, changed: Callable[[Source], None]) -> None:
        """``changed`` is told of each source in which something may have changed, from threads of ours."""
        self._changed = changed
        self._ears: list[_Ear] = []

    def follow(self, sources: Iterable[Source]) -> None:
        """Watch these from now on, and no others."""
        for ear in self._ears:
            ear.close()
        found = [(source, DirectoryWatch(spots(source, None))) for source in sources if source.announced]
        self._ears = [_Ear(source, watch, self._changed) for source, watch in found if watch.watches]
        for ear in self._ears:
            ear.thread.start()


@dataclass
class _Ear:
    source: Source
    watch: DirectoryWatch
    changed: Callable[[Source], None]
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        # A daemon: that a folder of a dead network file system never answers must not keep the process.
        self.thread = threading.Thread(target=self.listen, name=f"announce-{self.source.id}", daemon=True)

    def listen(self) -> None:
        with self.watch:
            while not self.over.is_set():
                if self.watch.wait(_WAIT_S) and not self.over.is_set():
                    self.changed(self.source)

    def close(self) -> None:
        self.over.set()
        self.watch.wake()

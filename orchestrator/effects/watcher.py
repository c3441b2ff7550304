"""Says soon after it happened that something may have changed in a source on this machine.

A hint and nothing more: whoever waits looks again after a while anyway, and only that look tells what is true. A
change that nobody announces (the kernel's limit on watches, a folder that was replaced) costs time, never a change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import TracebackType
from typing import Final, Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from orchestrator.effects.directory import is_desired
from orchestrator.effects.mounts import MOUNTS, NETWORK, file_system
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.model.source import Source, SourceKind

#: Seconds without a further change after which what was going on counts as over.
QUIET_S: Final = 0.3
#: Seconds between two looks at each file where the file system announces nothing.
_POLL_S: Final = 5.0
#: Kinds of event that say that something is different now; reading a file is announced, too.
_CHANGES: Final = frozenset({"created", "modified", "moved", "deleted", "closed", "attrib"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One folder, and what in it matters."""

    folder: Path
    #: Whether what lies below its folders matters, too.
    deep: bool
    #: Whether a path, relative to the folder, matters.
    matters: Callable[[PurePath], bool]


def spots(source: Source, checkout: WorkingTree | None) -> tuple[Spot, ...]:
    """Return where a source's new revisions show first; nowhere where it lies on another machine."""
    if source.kind is SourceKind.DIRECTORY:
        return (Spot(folder=Path(source.location), deep=True, matters=is_desired),)
    if checkout is None:
        return ()
    own, common = checkout.git_folder, checkout.common
    return (
        # The same folder, but for a linked worktree.
        *(Spot(folder=folder, deep=False, matters=_is_head) for folder in sorted({own, common})),
        # A commit on a detached HEAD, for one, shows nowhere else.
        Spot(folder=own / "logs", deep=False, matters=_is_head),
        Spot(folder=common / "refs", deep=True, matters=_is_no_lock),
        Spot(folder=common / "reftable", deep=False, matters=_is_no_lock),
    )


def _is_head(path: PurePath) -> bool:
    return path.name in {"HEAD", "packed-refs"}


def _is_no_lock(path: PurePath) -> bool:
    return path.suffix != ".lock"


class DirectoryWatch:
    """Waits for changes in some folders, for as long as the block runs."""

    def __init__(self, places: Sequence[Spot], *, quiet_s: float = QUIET_S, mounts: Path = MOUNTS) -> None:
        """``quiet_s``: seconds without a change after which a burst of them is over; ``mounts``: the kernel's table."""
        self._places = [_Place(spot=spot) for spot in places]
        self._quiet_s = quiet_s
        self._mounts = mounts
        self._changed = threading.Event()
        self._observers: dict[bool, BaseObserver] = {}

    @property
    def watches(self) -> bool:
        """Whether there is anything to watch."""
        return bool(self._places)

    def __enter__(self) -> Self:
        self._arm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for observer in self._observers.values():
            observer.stop()
        for observer in self._observers.values():
            observer.join()

    def wait(self, seconds: float) -> bool:
        """Wait until something changed and the burst is over, or ``seconds`` have passed; return whether it did."""
        self._arm()
        deadline = time.monotonic() + seconds
        if not self._changed.wait(seconds):
            return False
        while (left := deadline - time.monotonic()) > 0:
            self._changed.clear()
            if not self._changed.wait(min(self._quiet_s, left)):
                break
        self._changed.clear()
        return True

    def wake(self) -> None:
        """Have whoever waits stop waiting, as if something had changed."""
        self._changed.set()

    def _arm(self) -> None:
        """Watch what is not watched: folders that are new, or that were replaced by others."""
        for place in self._places:
            identity = _identity(place.spot.folder)
            if identity != place.identity:
                self._watch(place, identity)

    def _watch(self, place: _Place, identity: tuple[int, int] | None) -> None:
        observer = self._observer(place.spot.folder)
        if place.watch is not None:
            with suppress(KeyError, OSError):
                observer.unschedule(place.watch)
            # What it held is gone, or another took its place.
            self._changed.set()
        place.watch, place.identity = None, identity
        if identity is None:
            return
        handler = _Noticing(place.spot, self._changed)
        # No watches left, or the folder went away this moment.
        with suppress(OSError):
            place.watch = observer.schedule(handler, str(place.spot.folder), recursive=place.spot.deep)

    def _observer(self, folder: Path) -> BaseObserver:
        polled = file_system(folder, self._mounts) in NETWORK
        if polled not in self._observers:
            self._observers[polled] = PollingObserver(timeout=_POLL_S) if polled else Observer()
            self._observers[polled].start()
        return self._observers[polled]


@dataclass(slots=True, kw_only=True)
class _Place:
    spot: Spot
    #: Device and inode of the folder that is watched, None where none is.
    identity: tuple[int, int] | None = None
    watch: ObservedWatch | None = field(default=None)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Noticing(FileSystemEventHandler):
    """Sets a flag at each change that matters."""

    def __init__(self, spot: Spot, changed: threading.Event) -> None:
        self._spot = spot
        self._changed = changed

    def dispatch(self, event: FileSystemEvent) -> None:
        """See one event. That a folder was modified says nothing that its files do not say."""
        if event.event_type not in _CHANGES or (event.is_directory and event.event_type == "modified"):
            return
        if any(self._matters(path) for path in (event.src_path, event.dest_path) if path):
            self._changed.set()

    def _matters(self, path: bytes | str) -> bool:
        place = Path(path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path)
        return place.is_relative_to(self._spot.folder) and self._spot.matters(place.relative_to(self._spot.folder))

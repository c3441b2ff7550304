"""A run's log for people: one file per stack, redacted before it is written."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orchestrator.effects.redact import Redactor, Stream
from orchestrator.ports import Clock

#: Bytes read at once from a growing file.
_PIECE: Final = 1 << 16
#: A line longer than this is handed on in parts. Characters.
_LONGEST: Final = 1 << 20
#: A stack's log takes no more in one run. Bytes.
_MOST: Final = 1 << 24
_FULL: Final = "(the log is full: no more of this run is kept here)"


def log_path(home: Path, run: int, stack: str) -> Path:
    """Return where the lines of ``stack`` in ``run`` are: ``<home>/logs/<run>/<source>+<name>=<environment>.log``."""
    return home / "logs" / str(run) / f"{stack.replace('/', '+').replace('@', '=')}.log"


@dataclass(slots=True, kw_only=True)
class RunLog:
    """Appends lines with the time in front.

    A log that cannot be written never stops a run: it gets a gap, and says so. One that is full says that, too.
    """

    path: Path
    redactor: Redactor
    clock: Clock
    #: Lines lost since the last one that could be written.
    _lost: int = field(default=0, init=False)

    def write(self, text: str) -> None:
        """Append each line of ``text``, masked."""
        time = datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        lines = self.redactor.mask(text).splitlines() or [""]
        gap = [f"({self._lost} lines could not be written here)"] if self._lost else []
        written = "".join(f"{time}Z {line}\n" for line in [*gap, *lines])
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            try:
                if os.fstat(handle).st_size < _MOST:
                    _write_all(handle, written.encode("utf-8", "backslashreplace"))
                    if os.fstat(handle).st_size >= _MOST:
                        _write_all(handle, f"{time}Z {_FULL}\n".encode())
            finally:
                os.close(handle)
        except OSError:
            self._lost += len(lines)
        else:
            self._lost = 0


@dataclass(slots=True, kw_only=True)
class Follower:
    """Reads a file while it grows and hands on each whole line, redacted. It never holds up who writes."""

    path: Path
    redactor: Redactor
    on_line: Callable[[str], None]
    #: Where it notes how many lines it has handed on, for whoever goes on in its place.
    told: Path | None = None
    _count: int = field(default=0, init=False)
    _at: int = field(default=0, init=False)
    _line: str = field(default="", init=False)
    _stream: Stream = field(init=False)
    _decoder: codecs.IncrementalDecoder = field(init=False)

    def __post_init__(self) -> None:
        self._stream = Stream(self.redactor)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def pull(self) -> None:
        """Hand on what came since the last time; what cannot be read now is read the next time."""
        while piece := self._piece():
            self._at += len(piece)
            self._hand_on(self._stream.feed(self._decoder.decode(piece)))

    def close(self) -> None:
        """Hand on the rest, a last line without an end included."""
        self.pull()
        self._hand_on(self._stream.feed(self._decoder.decode(b"", final=True)) + self._stream.close())
        if self._line:
            line, self._line = self._line, ""
            self.on_line(line)

    def _piece(self) -> bytes:
        with suppress(OSError), self.path.open("rb", buffering=0) as growing:
            growing.seek(self._at)
            return growing.read(_PIECE)
        return b""

    def _hand_on(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        if len(self._line) > _LONGEST:
            lines, self._line = [*lines, self._line], ""
        for line in lines:
            self.on_line(line)
        self._note(len(lines))

    def _note(self, lines: int) -> None:
        self._count += lines
        if self.told and lines:
            # At worst a line is told twice.
            with suppress(OSError):
                self.told.write_bytes(b"%d" % self._count)


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]

"""Reads the logs of a run while they grow, from any offset on, a bounded piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.effects.runlog import log_path
from orchestrator.model.stack import StackKey

#: Bytes read at once of one log; a line that is longer is read whole.
_PIECE: Final = 1 << 16
#: No line is longer: those that wrote it saw to that. Bytes.
_LONGEST: Final = 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a stack's log."""

    #: When it was written, as it stands there.
    at: str
    stack: str
    text: str
    #: Where in the log the next line begins, in bytes.
    end: int


def logs_of(home: Path, run: int) -> dict[StackKey, Path]:
    """Return the logs that a run has left on this host."""
    found = {}
    for path in sorted((home / "logs" / str(run)).glob("*.log")):
        source, _, rest = path.name.removesuffix(".log").partition("+")
        name, _, environment = rest.rpartition("=")
        try:
            key = StackKey.parse(f"{source}/{name.replace('+', '/')}@{environment}")
        except ValueError:
            continue
        if log_path(home, run, str(key)) == path:
            found[key] = path
    return found


def lines_after(logs: Mapping[StackKey, Path], offsets: Mapping[str, int]) -> list[Line]:
    """Return some whole lines of each log from its offset on, in the order in which they were written."""
    found = [line for key, path in logs.items() for line in _some(str(key), path, offsets.get(str(key), 0))]
    # The time stands in front of each line: it puts the stacks' lines in one order and keeps that of each.
    return sorted(found, key=lambda line: line.at)


def _some(stack: str, path: Path, offset: int) -> Iterator[Line]:
    try:
        with path.open("rb") as growing:
            growing.seek(offset)
            piece = growing.read(_PIECE)
            if b"\n" not in piece and len(piece) == _PIECE:
                piece += growing.readline(_LONGEST)
    except OSError:
        return
    for raw in piece[: piece.rfind(b"\n") + 1].splitlines(keepends=True):
        offset += len(raw)
        at, _, text = raw.decode("utf-8", "replace").rstrip("\n").partition(" ")
        yield Line(at=at, stack=stack, text=text, end=offset)

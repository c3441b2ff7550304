"""The folder of an attempt: one numbered folder for each command that may change the world.

    <attempt>/1/    claim stdout stderr tool.json exit.json cancel home/ tmp runtime/     see ``keeper``
                            told                    how many lines of stdout its worker has told people of
    <attempt>/2/    … aside      it says nothing of how the attempt ended

Two rules make it impossible that a command is run twice or that one starts behind our back:

- A step's folder is made by whoever wants to run it, and making it fails where it exists.
- A step belongs to whoever makes ``claim`` first: its keeper, which then runs it, or somebody who found it
  unclaimed and leaves an empty one, and then nobody ever runs it. To close an attempt is to do both to the step
  after its last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.contract import Result
from orchestrator.effects import liveness
from orchestrator.errors import ExecutionError, NotStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a keeper left in ``exit.json``."""

    #: None where a signal ended the tool or it could not be started.
    exit_code: int | None
    signal: int | None
    #: Why the tool could not be started; 0 where it was.
    errno: int
    timed_out: bool
    cancelled: bool
    ended_at: float

    @property
    def interrupted(self) -> bool:
        """Whether the tool did not end of its own accord: what it did is then unknown."""
        return self.errno == 0 and self.exit_code != 0 and (self.exit_code is None or self.timed_out or self.cancelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Who claimed a step."""

    pid: int
    start: int
    boot_id: str
    pid_space: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command's folder."""

    folder: Path

    @property
    def number(self) -> int:
        """Counts up from 1 within an attempt."""
        return int(self.folder.name)

    @property
    def aside(self) -> bool:
        """Whether it says nothing of how the attempt ended: it saved what others left, or freed a lock."""
        return (self.folder / "aside").exists()

    @property
    def keeping(self) -> Keeping | None:
        """Return the keeper that claimed the step, None where none has, or somebody gave it up."""
        words = _read(self.folder / "claim")
        return Keeping(**words) if words else None

    @property
    def word(self) -> Word | None:
        """Return how it ended, None where its keeper has not said so."""
        words = _read(self.folder / "exit.json")
        return Word(**words) if words else None

    @property
    def result(self) -> Result | None:
        """Return what came of the command, None where it has not ended of its own accord."""
        word = self.word
        if word is None or word.exit_code is None or word.interrupted:
            return None
        stdout, stderr = (self.folder / "stdout").read_bytes(), (self.folder / "stderr").read_bytes()
        return Result(exit_code=word.exit_code, stdout=stdout, stderr=stderr)

    @property
    def told(self) -> int:
        """Return how many lines of standard output a worker has told people of."""
        try:
            return int((self.folder / "told").read_bytes() or b"0")
        except FileNotFoundError:
            return 0

    def give_up(self) -> bool:
        """Claim the step for nobody; False where a keeper has it. An empty claim needs no room on a full disk."""
        try:
            os.close(os.open(self.folder / "claim", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return self.keeping is None
        sync_folder(self.folder)
        return True

    def cancel(self) -> None:
        """Have the keeper stop the tool; it looks every half second."""
        (self.folder / "cancel").touch(mode=0o600)

    def certain(self) -> list[int]:
        """Return the living processes that are this step's beyond doubt, the oldest first.

        For the step's own boot and pid namespace only.
        """
        table = liveness.table()
        roots = liveness.marked(table, str(self.folder.parent))
        for pid, start in self._known():
            if pid in table and table[pid].start == start:
                roots |= {life.pid for life in table.values() if pid in {life.pid, life.session}}
        return sorted(liveness.descendants(table, roots), key=lambda pid: (table[pid].start, pid))

    def lives(self) -> set[int]:
        """Return the processes of this step that are alive, those in doubt with them.

        In doubt is who belongs to the tool's session when the tool itself is gone: its number may have been given anew.
        """
        if self.word:
            # Written once every descendant was gone.
            return set()
        orphaned = {pid for pid, _ in self._known() if not liveness.life(pid)}
        return {*self.certain()} | {life.pid for life in liveness.table().values() if life.session in orphaned}

    def _known(self) -> list[tuple[int, int]]:
        words = (_read(self.folder / "claim"), _read(self.folder / "tool.json"))
        return [(found["pid"], found["start"]) for found in words if found.get("pid")]


def steps_of(attempt: Path) -> list[Step]:
    """Return the steps of an attempt, the last one first."""
    numbers = sorted((int(entry.name) for entry in attempt.iterdir() if entry.name.isdecimal()), reverse=True)
    return [Step(folder=attempt / str(number)) for number in numbers]


def begin(attempt: Path, number: int, *, aside: bool = False) -> Step:
    """Make the folder of the step ``number``. Raises ExecutionError (HF-5003) where somebody closed the attempt."""
    folder = attempt / str(number)
    try:
        folder.mkdir(mode=0o700)
        if aside:
            # Before anybody can claim it: nobody may take it for what the attempt was for.
            (folder / "aside").touch(mode=0o600)
            sync_folder(folder)
        sync_folder(attempt)
    except (FileExistsError, FileNotFoundError):
        message = f"the attempt in {attempt} was closed by somebody else"
        raise ExecutionError(message, code="HF-5003", hint="nothing ran: see how it ended, then run it again") from None
    except OSError as error:
        raise NotStarted(f"cannot write to {attempt}: {error.strerror}") from error
    return Step(folder=folder)


def close(attempt: Path) -> Step | None:
    """Have nothing more start in an attempt; returns the last step that a keeper claimed, None where none did.

    A step that still runs is left alone and returned: close again once it has ended. Raises FileNotFoundError where
    the folder is gone.
    """
    while True:
        steps = steps_of(attempt)
        last = next((step for step in steps if not step.give_up()), None)
        sealed = bool(steps) and (last is None or last.number < steps[0].number)
        if sealed or (last and last.word is None and last.lives()):
            return last
        with suppress(FileExistsError):
            (attempt / str(steps[0].number + 1 if steps else 1)).mkdir(mode=0o700)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a keeper wrote, nothing where it did not or somebody gave the step up."""
    try:
        words: Mapping[str, Any] = json.loads(path.read_bytes() or b"{}")
    except FileNotFoundError:
        return {}
    return words

"""What is left of attempts: adopts, waits for and ends runs of tools whose worker is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from adapters.contract import Handle
from orchestrator.effects import liveness, steps
from orchestrator.effects.environment import Private
from orchestrator.effects.holder import Holder, this_process
from orchestrator.errors import ExecutionError, NotStarted
from orchestrator.model.observed import Applying
from orchestrator.ports import Clock, Elsewhere, NeverStarted, Place

#: Seconds between looks at processes that are not our children.
_TICK: Final = 0.05
#: Seconds after which nobody will record an attempt any more whose folder is empty.
_IDLE: Final = 3600.0
_OTHER_CONTAINER: Final = "it runs in another container of this host"
#: Seconds within which killed processes have to be gone.
_DEATH: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAttempts:
    """`ports.Attempts` in the folder ``attempts`` of Holdfast's home on this host."""

    home: Path
    clock: Clock
    #: Folders of attempts that a person takes for dead: what their processes seem to be counts for nothing.
    dead: frozenset[str] = frozenset()

    def prepare(self) -> Place:
        """Make a new attempt folder on this host. Raises NotStarted where there is no room for one."""
        me = this_process()
        folder = self._attempts / uuid4().hex
        try:
            self._attempts.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
            steps.sync_folder(self._attempts)
        except OSError as error:
            raise NotStarted(f"cannot make {folder}: {error.strerror}", hint="free some space") from error
        return Place(host=me.host, boot_id=me.boot_id, folder=folder)

    def look(self, attempt: Applying) -> Handle | NeverStarted | Elsewhere:
        """Say what is left of an attempt, and have nothing more start in it unless it is still at work.

        For whoever holds the stack. `Handle.folder` is the folder that the last keeper wrote to: ``stdout`` and
        ``stderr`` lie there even where no result does. A tool that did not end of its own accord left no result.
        Steps set aside say nothing: where no other was claimed nothing was started that the attempt was for.
        """
        me = this_process()
        folder = Path(attempt.folder)
        if attempt.folder in self.dead:
            return self._remains(folder)
        if attempt.host != me.host:
            return Elsewhere(why=_far(attempt, me), dead=False)
        rebooted = attempt.boot_id != me.boot_id
        with _disk(f"cannot look at {folder}"):
            try:
                step = steps.close(folder)
            except FileNotFoundError:
                return self._vanished(folder, rebooted=rebooted)
            if step is None or (step.number == 1 and step.word and step.word.errno):
                return NeverStarted()
            if step.word or (not rebooted and self._comparable(step, me)):
                return self._look_at(folder, step)
        if rebooted:
            return Elsewhere(why=f"{me.host} was started anew before it ended", dead=True)
        return Elsewhere(why=_OTHER_CONTAINER, dead=False)

    def _look_at(self, folder: Path, last: steps.Step) -> Handle | NeverStarted:
        """Say what is left where ``last``, the attempt's last step, is over or can be judged here."""
        alive = last.word is None and bool(last.lives())
        spoke = next((step for step in steps.steps_of(folder) if step.keeping and not step.aside), None)
        if spoke is None:
            return Handle(folder=last.folder, result=None, alive=True) if alive else NeverStarted()
        return Handle(folder=spoke.folder, result=None if alive else spoke.result, alive=alive, told=spoke.told)

    def alive(self, attempt: Applying) -> bool:
        """Whether a process is alive on this host that is the attempt's beyond doubt."""
        me = this_process()
        if attempt.boot_id != me.boot_id:
            return False
        # The mark is seen in containers of this host, too, where their numbers mean nothing.
        marked = bool(liveness.marked(liveness.table(), attempt.folder))
        return marked or any(step.certain() for step in self._at_work(attempt) if self._comparable(step, me))

    def doubt(self, attempt: Applying) -> str:
        """Say why nobody here can prove that the attempt is dead; empty where a look will tell. Claims nothing."""
        me = this_process()
        if attempt.host != me.host:
            return _far(attempt, me)
        if attempt.boot_id != me.boot_id:
            return ""
        for step in self._at_work(attempt):
            if not self._comparable(step, me):
                return _OTHER_CONTAINER
            if doubtful := step.lives() - set(step.certain()):
                return f"process {min(doubtful)} is alive, and may be its own"
        return ""

    def taken_for_dead(self, attempt: Applying) -> KeptAttempts:
        """Return attempts among which this one is dead, whatever its processes seem to be: a person says so."""
        return replace(self, dead=self.dead | {attempt.folder})

    def wait(self, attempt: Applying, timeout: float) -> bool:
        """Wait for the last word or the death of an attempt; False where it still runs after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self._over(attempt):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_TICK)
        return True

    def cancel(self, attempt: Applying) -> None:
        """Have an attempt's tool stopped by its keeper; nothing happens where none is at work on this host."""
        folder = Path(attempt.folder)
        if folder.parent != self._attempts or not folder.exists():
            return
        with _disk(f"cannot write to {folder}"):
            for step in steps.steps_of(folder):
                if step.word is None:
                    step.cancel()

    def kill(self, attempt: Applying) -> bool:
        """End the whole process tree of an attempt; True where it is proven dead. Nothing more starts in it."""
        me = this_process()
        if attempt.folder in self.dead:
            return True
        if attempt.host != me.host or attempt.boot_id != me.boot_id:
            return attempt.host == me.host
        folder = Path(attempt.folder)
        deadline = time.monotonic() + _DEATH
        with _disk(f"cannot look at {folder}"):
            while not self._over(attempt):
                if time.monotonic() >= deadline:
                    return False
                self._end(folder)
                time.sleep(_TICK)
            if folder.exists():
                steps.close(folder)
        return True

    def close(self, attempt: Applying) -> None:
        """Remove the folder of an attempt whose end is recorded, raw output and private folders with it."""
        folder = Path(attempt.folder)
        if folder.parent != self._attempts or not folder.exists():
            # Another host's, or another home's: not ours to remove.
            return
        _remove(folder)

    def sweep(self, in_use: Callable[[], Collection[str]]) -> None:
        """Remove what killed workers left of attempts that are over: raw output holds secrets.

        ``in_use`` returns the folders of attempts that are at work or of unknown end. It is asked only once the
        folders have been seen: an attempt that begins meanwhile is either not among those or in the answer.
        """
        found = [one for one in self._attempts.glob("*") if self._is_left(one)]
        kept = in_use() if found else ()
        for folder in found:
            if str(folder) not in kept:
                _remove(folder)

    def _is_left(self, folder: Path) -> bool:
        with suppress(FileNotFoundError):
            # An empty folder may be somebody's who has yet to record the attempt.
            return any(folder.iterdir()) or folder.stat().st_mtime < self.clock.now() - _IDLE
        # Every command sweeps: another one was quicker.
        return False

    @property
    def _attempts(self) -> Path:
        return self.home / "attempts"

    def _over(self, attempt: Applying) -> bool:
        """Whether nothing of the attempt is alive, as far as this host can tell."""
        me = this_process()
        if attempt.folder in self.dead:
            return True
        if attempt.host != me.host:
            return False
        folder = Path(attempt.folder)
        if attempt.boot_id != me.boot_id:
            return True
        if not folder.exists():
            return not liveness.marked(liveness.table(), str(folder))
        kept = [step for step in steps.steps_of(folder) if step.keeping]
        return all(self._comparable(step, me) and not step.lives() for step in kept)

    def _end(self, folder: Path) -> None:
        """Kill what is alive; keepers go last: as long as one lives no descendant can hide from it."""
        if not folder.exists():
            liveness.end(liveness.marked(liveness.table(), str(folder)))
            return
        for step in steps.steps_of(folder):
            keeping = step.keeping
            if keeping is None or step.word:
                continue
            found = step.certain()
            liveness.end([pid for pid in found if pid != keeping.pid] or found)

    def _vanished(self, folder: Path, *, rebooted: bool) -> Handle | Elsewhere:
        if rebooted:
            return Elsewhere(why="its folder is gone, and this host was started anew since", dead=True)
        return Handle(folder=folder, result=None, alive=bool(liveness.marked(liveness.table(), str(folder))))

    def _remains(self, folder: Path) -> Handle:
        """Return what lies in an attempt's folder, if it can be read here at all."""
        with _disk(f"cannot look at {folder}"), suppress(FileNotFoundError):
            for step in steps.steps_of(folder):
                if (step.keeping or step.word) and not step.aside:
                    return Handle(folder=step.folder, result=step.result, alive=False)
        return Handle(folder=folder, result=None, alive=False)

    def _at_work(self, attempt: Applying) -> list[steps.Step]:
        """Return the steps that a keeper has and that it left no word of."""
        folder = Path(attempt.folder)
        with _disk(f"cannot look at {folder}"), suppress(FileNotFoundError):
            return [step for step in steps.steps_of(folder) if step.keeping and not step.word]
        return []

    def _comparable(self, step: steps.Step, me: Holder) -> bool:
        """Whether the step's process ids mean anything here."""
        keeping = step.keeping
        return keeping is None or (keeping.boot_id, keeping.pid_space) == (me.boot_id, me.namespace)


def _far(attempt: Applying, me: Holder) -> str:
    return f"it ran on {attempt.host}, this is {me.host}"


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        for step in steps.steps_of(folder):
            Private(folder=step.folder).remove()
    Private(folder=folder).remove()


@contextmanager
def _disk(what: str) -> Iterator[None]:
    """Say in one line what the disk refused. Raises ExecutionError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"{what}: {error.strerror or os.strerror(error.errno or 0)}"
        raise ExecutionError(message, hint="free some space or mend the folder's permissions") from error

"""A reader at work: a thread of its own that goes round, and whose troubles are nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Final

from orchestrator.errors import Conflict, OrchestratorError
from orchestrator.ports import Journal, Level

#: Seconds between two looks at the record.
POLL_S: Final = 1.0
#: The same after a look that failed, and while another process reads in this reader's place.
_LATER_S: Final = 10.0

#: Makes sure that of many processes one reads; raises Conflict where another does.
Alone = Callable[[str], AbstractContextManager[None]]


def among_nobody(_: str) -> AbstractContextManager[None]:
    """Return an `Alone` for a process that has the record for itself."""
    return nullcontext()


class Reading:
    """Calls `turn` again and again until it is stopped."""

    def __init__(self, name: str, journal: Journal, *, alone: Alone = among_nobody, poll_s: float = POLL_S) -> None:
        """``poll_s``: seconds between two turns."""
        self.name, self.journal = name, journal
        self.stopping = threading.Event()
        self._alone, self._poll_s = alone, poll_s
        self._thread = threading.Thread(target=self._run, name=f"report {name}", daemon=True)
        self._trouble = ""

    def start(self) -> None:
        """Begin: what happens from now on is not missed, however late the thread comes to its first turn."""
        with suppress(OrchestratorError):
            # It is tried again with the first turn, and said then.
            self.begin()
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Have it end, after one last turn; False where it did not within so many seconds: it dies with the process."""
        self.stopping.set()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def begin(self) -> None:
        """Find the place from which to read. Raises OrchestratorError."""

    def turn(self) -> None:
        """Do what is to be done now. Raises OrchestratorError."""
        raise NotImplementedError

    def _run(self) -> None:
        while True:
            wait = _LATER_S
            try:
                with self._alone(self.name):
                    wait = self._turns()
            except Conflict:
                # Another process reads.
                pass
            except OrchestratorError as error:
                self._tell(error.code, error.message)
            except Exception as error:  # noqa: BLE001 -- a reader that dies would be missed by nobody
                self._tell("HF-9000", f"{type(error).__name__}: {error}")
            if self.stopping.wait(wait):
                return

    def _turns(self) -> float:
        last = False
        while not last:
            # One last turn once it is to stop: what has just happened is still told.
            last = self.stopping.is_set()
            self.turn()
            self._trouble = ""
            self.stopping.wait(self._poll_s)
        return 0.0

    def _tell(self, code: str, why: str) -> None:
        if code != self._trouble:
            self.journal.say(Level.ERROR, "a report cannot be read", reader=self.name, code=code, why=why)
        self._trouble = code

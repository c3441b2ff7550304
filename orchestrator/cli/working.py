"""Whether a command is to end, and what becomes then of what runs: Ctrl-C, signals, and `holdfast cancel`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from orchestrator.cli.place import Place
from orchestrator.engine.acts import caller
from orchestrator.errors import EXIT_INTERRUPTED
from orchestrator.ports import Run


class Stop:
    """Whether somebody wants the command to end, and what happens then."""

    def __init__(self, *, detaches: bool, told: Callable[[], bool]) -> None:
        """``detaches``: the first Ctrl-C leaves tools that run to their keepers instead of stopping them.

        ``told`` says whether ``holdfast cancel`` was called, in another process.
        """
        self._wanted = threading.Event()
        self._detaches = detaches
        self._told = told

    @property
    def wanted(self) -> bool:
        """Whether nothing new is to be started."""
        return self._wanted.is_set() or self._told()

    @property
    def detaches(self) -> bool:
        """Whether to leave at once what runs; only in front of a person: a script waits for the end."""
        return self._detaches and self._wanted.is_set() and sys.stdin.isatty()

    def cancelled(self) -> bool:
        """Whether tools that run are to be stopped; an apply only by ``holdfast cancel``, never by a key."""
        return self._told() or (self._wanted.is_set() and not self._detaches)

    def wish(self, _number: int, _frame: FrameType | None) -> None:
        """Take a signal for a wish to end."""
        self._wanted.set()


@contextmanager
def listening(place: Place, run: Run, *, detaches: bool = False) -> Iterator[Stop]:
    """Turn SIGINT, SIGTERM, SIGHUP and ``holdfast cancel`` into a wish to end, for as long as the block runs."""
    stop = Stop(detaches=detaches, told=lambda: place.outside.running.asked_to_stop(run.number))
    # Whoever started us with nohup means us to go on without a terminal.
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    before = {number: signal.signal(number, stop.wish) for number in (signal.SIGINT, signal.SIGTERM, *hangup)}
    try:
        yield stop
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the command while it asks a person something: nothing is at work that it could leave undone."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def leave(place: Place, run: Run) -> None:
    """End this process and nothing else: tools that change the world go on under their keepers."""
    if place.at_work(run.number):
        place.screen.say(f"detached: run {run.number} goes on")
        place.screen.say(f"Next:  holdfast logs -f {run.number}")
    else:
        place.screen.say(f"run {run.number} ends here: nothing of it was being applied")
    place.outside.record.close_run(run.number)
    sys.stdout.flush()
    # Threads of this process still wait for those tools; an ordinary exit would wait for the threads.
    os._exit(EXIT_INTERRUPTED)


@contextmanager
def begun(place: Place, verb: str) -> Iterator[Run]:
    """Open a run, and close it whatever happens."""
    with caller.begun(place.outside, place.caller, place.reading, verb) as run:
        yield run

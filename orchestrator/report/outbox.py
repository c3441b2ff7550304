"""What is yet to be sent to one receiver. The record is the outbox: a cursor in it says how far everything was sent.

A batch of entries is marked before anything of it is sent, and the cursor moves after all of it was. Killed in
between, the next service sends the very same batch again, each message under the very same id: at least once, and
whoever takes note of ids hears nothing twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from orchestrator.errors import OrchestratorError, Undelivered
from orchestrator.ports import Cursors, Entry, Journal, Level, Record, Spot
from orchestrator.report.absence import Absence, Telling
from orchestrator.report.feed import Feed
from orchestrator.report.happening import Happening, Selection
from orchestrator.report.reading import POLL_S, Alone, Reading, among_nobody

_M = TypeVar("_M")

#: Entries of one batch at most.
_AT_ONCE: Final = 500
#: The first and the longest wait after a try that came to nothing, in seconds.
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0
#: A message that a receiver takes offence at, while it takes others, is tried so often.
MOST_TRIES: Final = 8
#: Seconds after which a receiver that takes nothing is spoken of once more.
_AGAIN_S: Final = 3600.0
#: Seconds between two words on how far a reader has come that had nothing to send.
_IDLE_S: Final = 5.0


class Sink(Protocol[_M]):
    """Where messages go."""

    def pack(self, happenings: Sequence[Happening]) -> Sequence[tuple[str, _M]]:
        """Return what is to be sent, each with its id."""
        ...

    def send(self, message: _M) -> None:
        """Send one. Raises Undelivered, SecretMissing where the address is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How quickly an outbox goes about its work, in seconds."""

    #: So long what happens is gathered before it is sent.
    gather_s: float = 10.0
    poll_s: float = POLL_S
    first_wait_s: float = FIRST_WAIT_S
    longest_wait_s: float = LONGEST_WAIT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every outbox stands on."""

    record: Record
    cursors: Cursors
    journal: Journal
    #: Returns seconds since the epoch.
    now: Callable[[], float] = time.time
    external_url: str = ""
    alone: Alone = among_nobody


class Outbox(Reading, Generic[_M]):
    """Reads the record for one receiver and sends it what it wants to hear of."""

    def __init__(
        self,
        name: str,
        ground: Ground,
        sink: Sink[_M],
        wanted: Selection,
        *,
        absence: Absence | None = None,
        pace: Pace | None = None,
    ) -> None:
        """``name`` tells it from every other: its place in the record is kept under it."""
        self._pace = pace or Pace()
        super().__init__(name, ground.journal, alone=ground.alone, poll_s=self._pace.poll_s)
        self._ground, self._sink, self._wanted, self._absence = ground, sink, wanted, absence
        self._feed = Feed(ground.record, ground.external_url)
        self._at: Spot | None = None
        #: Whether a batch may be under way: one of a service before this, or one of ours that was interrupted.
        self._under_way = True
        #: When the first thing that is gathered was seen, None while there is none.
        self._since: float | None = None
        self._kept_at = 0.0
        self._down_since: float | None = None
        self._spoken_at = 0.0

    def begin(self) -> None:
        """Find the entry that it has come to; a new one begins with what happens from now on."""
        self._begun()

    def turn(self) -> None:
        """Send what is to be sent. Raises OrchestratorError where the record does not answer."""
        at = self._begun()
        pending = self._ground.cursors.at(f"{self.name} sending") if self._under_way else None
        if pending is not None and pending.number > at.number:
            self._send(self._read(at, pending.number), pending)
        else:
            self._under_way = False
            self._send_news(at)
        if self._absence:
            for telling in self._absence.look(self._ground.now()):
                self._say(telling)

    def _begun(self) -> Spot:
        if self._at is None:
            self._at, new = self._ground.cursors.begin(self.name)
            if new:
                self.journal.say(Level.INFO, "tells what happens from now on", receiver=self.name)
        return self._at

    def _read(self, at: Spot, until: int | None = None) -> Sequence[Entry]:
        entries = self._ground.record.events(after=at.number, limit=_AT_ONCE)
        return [entry for entry in entries if until is None or entry.seq <= until]

    def _send_news(self, at: Spot) -> None:
        entries = self._read(at)
        if not entries:
            return
        upto = Spot(entries[-1].seq, entries[-1].chain)
        if not self._wanted.of(self._feed.read(entries)):
            self._skip(upto)
            return
        now = time.monotonic()
        self._since = self._since or now
        gathered = now - self._since >= self._pace.gather_s or len(entries) >= _AT_ONCE
        if gathered or self.stopping.is_set():
            self._under_way = True
            self._ground.cursors.keep(f"{self.name} sending", upto)
            self._send(entries, upto)

    def _skip(self, upto: Spot) -> None:
        """Go on where nothing was to be told; that is kept now and then, for it does no harm to read it again."""
        self._at = upto
        if time.monotonic() - self._kept_at >= _IDLE_S or self.stopping.is_set():
            self._kept_at = time.monotonic()
            self._ground.cursors.keep(self.name, upto, durable=False)

    def _send(self, entries: Sequence[Entry], upto: Spot) -> None:
        wanted = self._wanted.of(self._feed.read(entries))
        for name, message in self._sink.pack(wanted):
            if not self._deliver(name, message):
                return
        self._ground.cursors.keep(self.name, upto)
        self._at, self._since, self._under_way = upto, None, False

    def _say(self, telling: Telling) -> None:
        wanted = self._wanted.of((telling.happening,))
        if all(self._deliver(name, message) for name, message in self._sink.pack(wanted)):
            telling.told()

    def _deliver(self, name: str, message: _M) -> bool:
        """Send one message, however long that takes; False where the service ends before it is sent."""
        tries = 0
        while True:
            tries += 1
            try:
                self._sink.send(message)
            except OrchestratorError as error:
                if isinstance(error, Undelivered) and error.offended and tries >= MOST_TRIES:
                    self._give_up(name, error)
                    return True
                self._say_down(error, tries)
            else:
                self._say_up()
                return True
            wait = min(self._pace.longest_wait_s, self._pace.first_wait_s * 2.0 ** min(tries - 1, 20))
            # Whoever was cut off together does not come back together.
            if self.stopping.wait(wait * random.uniform(0.8, 1.2)):  # noqa: S311 -- no secret is made of it
                return False

    def _give_up(self, name: str, error: OrchestratorError) -> None:
        self.journal.say(
            Level.ERROR,
            "a message was given up: its receiver takes others, and not this one",
            receiver=self.name,
            message=name,
            code="HF-4601",
            why=error.message,
        )

    def _say_down(self, error: OrchestratorError, tries: int) -> None:
        now = time.monotonic()
        if self._down_since is None or now - self._spoken_at >= _AGAIN_S:
            self._spoken_at = now
            self.journal.say(
                Level.WARNING,
                "a receiver does not take what happens: it is kept and tried again",
                receiver=self.name,
                code=error.code,
                tries=tries,
                why=error.message,
            )
        self._down_since = self._down_since or now

    def _say_up(self) -> None:
        if self._down_since is not None:
            after = round(time.monotonic() - self._down_since)
            self.journal.say(Level.INFO, "a receiver takes messages again", receiver=self.name, after_s=after)
        self._down_since = None

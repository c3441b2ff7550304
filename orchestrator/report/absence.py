"""Says aloud what no entry says: that a source tells nothing any more, once and each day, and that it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from orchestrator.model.telling import Kind
from orchestrator.ports import Cursors, Journal, Level, Spot
from orchestrator.report.happening import Happening
from orchestrator.report.reading import Alone, Reading
from orchestrator.rules.silence import Glimpse, silent_for, tellings, word_of

#: Seconds between two looks at the sources.
_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing to be told, and how to keep that it was."""

    happening: Happening
    told: Callable[[], None]


class Absence:
    """Which silences one reader has told of."""

    def __init__(
        self, reader: str, cursors: Cursors, glimpses: Callable[[], Iterable[Glimpse]], *, watched_since: float
    ) -> None:
        """``watched_since``: when this service began to wait for its sources, in seconds since the epoch."""
        self._reader, self._cursors, self._glimpses = reader, cursors, glimpses
        self._since = watched_since
        self._looked_at = float("-inf")

    def look(self, now: float) -> Iterator[Telling]:
        """Yield what is to be told at ``now``. Raises OrchestratorError."""
        if now - self._looked_at < _EVERY_S:
            return
        for glimpse in self._glimpses():
            yield from self._of(glimpse, now)
        self._looked_at = now

    def _of(self, glimpse: Glimpse, now: float) -> Iterator[Telling]:
        name = f"{self._reader} silence {glimpse.source}"
        told = self._cursors.at(name) or Spot(0)
        silence = silent_for(glimpse, now, watched_since=self._since)
        if silence is None:
            if told.number and glimpse.read_at:
                yield self._telling(name, Spot(0), _back(glimpse, now))
            return
        # Each day of one silence is told once; another silence begins anew.
        began = str(int(glimpse.read_at))
        number = tellings(silence)
        if told.proof != began or told.number < number:
            yield self._telling(name, Spot(number, began), _silent(glimpse, now, silence, number))

    def _telling(self, name: str, spot: Spot, happening: Happening) -> Telling:
        return Telling(happening, lambda: self._cursors.keep(name, spot))


class AbsenceJournal(Reading):
    """Tells the service's own journal."""

    def __init__(self, absence: Absence, journal: Journal, now: Callable[[], float], alone: Alone) -> None:
        super().__init__("journal", journal, alone=alone)
        self._absence, self._now = absence, now

    def turn(self) -> None:
        """Say what is to be said. Raises OrchestratorError."""
        for telling in self._absence.look(self._now()):
            happening = telling.happening
            level = Level.ERROR if happening.kind is Kind.SOURCE_SILENT else Level.INFO
            self.journal.say(level, happening.summary, source=happening.source)
            telling.told()


def _silent(glimpse: Glimpse, now: float, silence: float, number: int) -> Happening:
    return Happening(
        kind=Kind.SOURCE_SILENT,
        seq=0,
        id=f"{glimpse.source}-silent-{int(glimpse.read_at)}-{number}",
        at=now,
        source=glimpse.source,
        summary=word_of(glimpse, silence, now),
        command="holdfast doctor",
    )


def _back(glimpse: Glimpse, now: float) -> Happening:
    return Happening(
        kind=Kind.SOURCE_BACK,
        seq=0,
        id=f"{glimpse.source}-back-{int(glimpse.read_at)}",
        at=now,
        source=glimpse.source,
        summary=f"source {glimpse.source}: read again",
        command="holdfast status",
    )

"""When an apply may start: windows of the wall clock somewhere, right on the days when clocks change.

A window is ``DAYS HH:MM-HH:MM ZONE``: ``Mon-Fri 09:00-16:00 Europe/Berlin``, ``Sat,Sun 22:00-04:00 UTC``,
``daily 00:00-24:00 UTC``. One that ends before it starts runs into the next day. Windows joined by
`` & `` are open while all of them are; of several windows one suffices. Zones are those of the IANA
database (https://www.iana.org/time-zones), read through the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT = re.compile(r"(?P<days>\S+)\s+(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)\s+(?P<zone>\S+)")
_DAY_MINUTES = 24 * 60
# A pair of windows in two zones can be shut for months where their clocks change on different days.
_HORIZON_DAYS = 370

#: Joins windows that must all be open.
ALL_OF = " & "


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window of the wall clock."""

    #: 0 is Monday.
    days: frozenset[int]
    #: Minutes since midnight; ``end`` may be 1440.
    start: int
    end: int
    zone: ZoneInfo

    def holds(self, at: float) -> bool:
        """Whether the window is open at ``at`` (seconds since the epoch)."""
        local = datetime.fromtimestamp(at, self.zone)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.weekday() in self.days, (local.weekday() - 1) % 7 in self.days
        if self.start < self.end:
            return today and self.start <= minute < self.end
        return (today and minute >= self.start) or (yesterday and minute < self.end)

    def turns(self, since: float) -> Iterator[float]:
        """Yield, day by day from ``since``, each moment at which the window may open or shut."""
        day = datetime.fromtimestamp(since, self.zone).date()
        for _ in range(_HORIZON_DAYS):
            midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
            found = _transition(midnight, self.zone)
            for minutes in (0, self.start, self.end):
                wall = midnight + timedelta(minutes=minutes)
                found += [wall.timestamp(), wall.replace(fold=1).timestamp()]
            yield from sorted(set(found))
            day += timedelta(days=1)


def _transition(midnight: datetime, zone: ZoneInfo) -> list[float]:
    """Return the second at which the zone's clock jumps on this day, if it does."""
    low, high = int(midnight.timestamp()), int((midnight + timedelta(days=1)).timestamp())
    before = _offset(low, zone)
    if before == _offset(high, zone):
        return []
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return [float(high)]


def _offset(at: float, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


@cache
def parse(text: str) -> tuple[Window, ...]:
    """Return the windows that ``text`` joins. Raises ValueError with a sentence for people."""
    return tuple(_window(part.strip()) for part in text.split(ALL_OF))


def _window(text: str) -> Window:
    found = _TEXT.fullmatch(text)
    if not found:
        message = f'"{text}" is no window: write days, times and a zone, as in "Mon-Fri 09:00-16:00 Europe/Berlin"'
        raise ValueError(message)
    start, end = _minutes(found["start"]), _minutes(found["end"])
    if start in {end, _DAY_MINUTES}:
        message = f'the window "{text}" is never open'
        raise ValueError(message)
    return Window(days=_days(found["days"]), start=start, end=end, zone=_zone(found["zone"]))


def _minutes(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes >= 60 or hours * 60 + minutes > _DAY_MINUTES:  # noqa: PLR2004 -- minutes of an hour
        message = f'"{text}" is no time of day'
        raise ValueError(message)
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            message = f'"{part}" is no day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun, a range of them, or daily'
            raise ValueError(message)
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        # Sat-Mon goes over the end of the week.
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = f'no time zone goes by "{name}"; write one such as Europe/Berlin or UTC'
        raise ValueError(message) from None


def opening(windows: Iterable[str], now: float) -> float | None:
    """Return when one of ``windows`` is open next: ``now`` itself while one is, None where none opens within a year.

    Without any window it is always open. Raises ValueError where one cannot be read.
    """
    choices = [parse(text) for text in windows]
    if not choices or _open(choices, now):
        return now
    return _next_opening(choices, now)


def _open(choices: list[tuple[Window, ...]], at: float) -> bool:
    return any(all(window.holds(at) for window in joined) for joined in choices)


def _next_opening(choices: list[tuple[Window, ...]], now: float) -> float | None:
    # Each window's turns come day by day, so the days are walked side by side.
    streams = [window.turns(now) for joined in choices for window in joined]
    horizon = (datetime.fromtimestamp(now, UTC) + timedelta(days=1)).timestamp()
    waiting: list[float] = []
    while streams:
        streams = [stream for stream in streams if _advance(stream, waiting, horizon)]
        due = sorted(at for at in set(waiting) if now < at <= horizon)
        for at in due:
            if _open(choices, at):
                return at
        waiting = [at for at in waiting if at > horizon]
        horizon += timedelta(days=1).total_seconds()
    return None


def _advance(stream: Iterator[float], waiting: list[float], horizon: float) -> bool:
    """Take turns from a stream until one lies beyond the horizon; False once it has run dry."""
    for at in stream:
        waiting.append(at)
        if at > horizon:
            return True
    return False

"""How often somebody may do something, counted in memory of a bounded size."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

#: The bits of an IPv6 address that belong to one customer.
_PREFIX: Final = 64


class Limiter:
    """At most ``most`` times in ``per_s`` seconds for each key. Counting is one step, however many ask at once."""

    def __init__(
        self, most: int, per_s: float, *, keys: int = 10_000, now: Callable[[], float] = time.monotonic
    ) -> None:
        """``keys``: of so many the count is kept; the one that asked longest ago is forgotten first."""
        self._most, self._per_s, self._keys, self._now = most, per_s, keys, now
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Count one more; False where that is too many."""
        now = self._now()
        with self._lock:
            since, count = self._counts.pop(key, (now, 0))
            if now - since >= self._per_s:
                since, count = now, 0
            over = count >= self._most
            self._counts[key] = (since, count if over else count + 1)
            while len(self._counts) > self._keys:
                self._counts.popitem(last=False)
        return not over

    def give_back(self, key: str) -> None:
        """Count one less: it was none of what is limited."""
        with self._lock:
            since, count = self._counts.get(key, (0.0, 0))
            if count:
                self._counts[key] = (since, count - 1)


class Heard:
    """Remembers for a while what was heard already, in memory of a bounded size."""

    def __init__(self, *, for_s: float = 3600.0, most: int = 10_000, now: Callable[[], float] = time.monotonic) -> None:
        """``for_s``: seconds until something may be heard anew."""
        self._for_s, self._most, self._now = for_s, most, now
        self._lock = threading.Lock()
        self._at: OrderedDict[str, float] = OrderedDict()

    def knows(self, *marks: str) -> bool:
        """Whether one of the marks was noted lately."""
        now = self._now()
        with self._lock:
            return any(now - self._at.get(mark, float("-inf")) < self._for_s for mark in marks)

    def note(self, *marks: str) -> None:
        """Remember marks from now on."""
        now = self._now()
        with self._lock:
            for mark in marks:
                self._at.pop(mark, None)
                self._at[mark] = now
            while len(self._at) > self._most:
                self._at.popitem(last=False)


def counted_as(address: str) -> str:
    """Return what an address counts as: of IPv6 the network that one customer has."""
    try:
        found = ip_address(address)
    except ValueError:
        return "?"
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped.compressed if found.ipv4_mapped else found.exploded[: _PREFIX // 4 + 3]
    return found.compressed

"""How a reader follows the record: from where it was last, also after the service began anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.ports import Entry, Record

#: Where it is remembered how far each reader has come. Should that be lost, a reader begins with the first entry.
_TOPIC: Final = "readers"
_AT_ONCE: Final = 500


class Cursor:
    """One reader's place in the record. Not for several threads at once."""

    def __init__(self, record: Record, reader: str) -> None:
        """``reader``: its name, under which its place is remembered."""
        self._record, self._reader = record, reader
        found = record.remembered(_TOPIC, reader)
        self.at = found if isinstance(found, int) else 0

    def news(self) -> Iterator[Entry]:
        """Yield what happened since, in order. An entry counts as read once the next one is asked for."""
        while entries := self._record.events(after=self.at, limit=_AT_ONCE):
            for entry in entries:
                yield entry
                self.at = entry.seq
            self.keep()

    def keep(self) -> None:
        """Remember how far the reader has come."""
        self._record.remember(_TOPIC, {self._reader: self.at})

"""The book of a source's pull requests, kept in the record as what happened to them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.engine.acts.words import NO_RUN
from orchestrator.engine.pulls.desk import row_of_pulls
from orchestrator.errors import Conflict
from orchestrator.model.event import Event
from orchestrator.ports import Record
from orchestrator.rules.following import Book, follow

#: So many entries are read at once.
_PAGE = 1000
#: How often a word is offered to a book that moves meanwhile.
_OFFERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A book as far as the record goes."""

    book: Book
    #: The last entry that it knows, and the version of the stream there.
    seq: int = 0
    version: int = 0


class Books:
    """Reads each source's book, folding only what is new. Safe to share between threads."""

    def __init__(self, record: Record) -> None:
        """``record`` is that of every source."""
        self._record = record
        self._lock = threading.Lock()
        self._pages: dict[str, Page] = {}

    def read(self, source: str) -> Book:
        """Return what is known now. Raises OrchestratorError."""
        return self._page(source).book

    def write(self, source: str, events: Sequence[Event]) -> Book:
        """Append to a book and return it. Raises Conflict where somebody else wrote meanwhile: look again."""
        if events:
            page = self._page(source)
            self._record.append(row_of_pulls(source), events, expected=page.version, run=NO_RUN)
        return self.read(source)

    def _page(self, source: str) -> Page:
        with self._lock:
            page = self._pages.get(source, Page(book=Book()))
            while True:
                entries = self._record.events(stack=row_of_pulls(source), after=page.seq, limit=_PAGE)
                book = page.book
                for entry in entries:
                    book = follow(book, entry.event, entry.at)
                if entries:
                    page = Page(book=book, seq=entries[-1].seq, version=entries[-1].version)
                if len(entries) < _PAGE:
                    break
            self._pages[source] = page
            return page


def note(record: Record, source: str, event: Event) -> None:
    """Append to a book what is true whatever else stands in it. Raises Conflict where it moves again and again."""
    name = row_of_pulls(source)
    for offer in range(_OFFERS):
        try:
            record.append(name, [event], expected=record.row(name).state.version, run=NO_RUN)
        except Conflict:
            if offer == _OFFERS - 1:
                raise
        else:
            return

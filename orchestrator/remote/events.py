"""Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) line by line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event."""

    kind: str
    body: str
    #: What to send back to read on behind it; empty where the stream gave none.
    id: str


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a stream; one that is cut off before its empty line is none."""
    kind, last, body = "", "", list[str]()
    for line in lines:
        if not line:
            if body:
                yield Event(kind=kind or "message", body="\n".join(body), id=last)
            kind, body = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                kind = value
            case "data":
                body.append(value)
            case "id":
                last = value
            case _:
                # A comment, or a field that came later than we did.
                continue

"""Drift in its parts: what differs where, each occurrence of it from its first look to its end, and what is ignored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from adapters.contract import MASK, AttributeChange, ChangeKind, DriftItem, Json
from adapters.testimony import Testimony
from orchestrator.model.fingerprint import canonical
from orchestrator.model.policy import Ignore

#: Occurrences that are over and still kept with a stack's state; the record itself keeps all.
KEPT: Final = 200
#: Longer values are cut in what is kept of an occurrence.
_LONGEST: Final = 80


class Ending(StrEnum):
    """How an occurrence of drift ended."""

    #: An apply of the same files put it back.
    REPAIRED = "repaired"
    #: Other files were applied over it.
    SUPERSEDED = "superseded"
    #: Other files ask for what was there, or an apply took it over as it was.
    ADOPTED = "adopted"
    #: Somebody changed the same thing once more.
    CHANGED = "changed"
    #: A look no longer found it, and no apply of ours had put it back.
    GONE = "gone"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The smallest difference there is: one attribute, or a whole resource that appeared or went."""

    address: str
    #: Empty where the whole resource is meant.
    path: str
    #: Digest of all of it, the values as they may be shown: two looks that see the same have the same.
    mark: str
    attribute: AttributeChange | None = None

    @property
    def place(self) -> str:
        """Return what differs, whatever it is now."""
        return _mark(self.address, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One difference from the look that first saw it to its end."""

    address: str
    path: str
    mark: str
    kind: ChangeKind
    expected: str
    actual: str
    will_be_reverted: bool
    revision: str
    since: float
    #: Since when this very thing has differed without a break, whatever its value was.
    drifting_since: float
    until: float | None = None
    #: None while it lasts.
    ended: Ending | None = None
    #: The run that ended it, or, while it lasts and where it went by itself, the last that tried and failed.
    run: int = 0
    by: str = ""
    #: When it is last known not to have been, as of when witnesses were asked.
    unseen_at: float = 0.0
    #: When witnesses were asked who changed it, 0 for not yet; and what they said, the best first.
    asked_at: float = 0.0
    testimonies: tuple[Testimony, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How many looks in a row have seen one thing differ.

    Whatever its value was: what takes another one between two looks would else never be seen twice.
    """

    place: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One apply that put drift back."""

    at: float
    run: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A difference, and the rule that has it left alone."""

    item: DriftItem
    rule: Ignore


def parts(item: DriftItem) -> tuple[Part, ...]:
    """Return what differs, attribute by attribute; of a resource that came or went, the resource."""
    change = item.change
    if change.kind is not ChangeKind.UPDATE or not change.attributes:
        return (Part(address=change.address, path="", mark=_mark(change.address, "", change.kind.value)),)
    return tuple(
        Part(
            address=change.address,
            path=one.path,
            mark=_mark(change.address, one.path, *_sides(one)),
            attribute=one,
        )
        for one in change.attributes
    )


def part_of(item: DriftItem, kept: Iterable[Part]) -> DriftItem:
    """Return ``item`` with those of its parts alone that are ``kept``."""
    attributes = tuple(part.attribute for part in kept if part.attribute is not None)
    if not attributes or len(attributes) == len(item.change.attributes):
        return item
    return replace(item, change=replace(item.change, attributes=attributes))


def seen(
    open_now: tuple[Occurrence, ...], items: Iterable[DriftItem], revision: str, at: float
) -> tuple[Occurrence, ...]:
    """Return the occurrences after a look: those that it saw again, those that are new, and those that ended.

    What is over already is handed through.
    """
    over, present = _divided(open_now)
    by_mark = {one.mark: one for one in present}
    since = {(one.address, one.path): one.drifting_since for one in present}
    found: dict[str, Occurrence] = {}
    for item in items:
        for part in parts(item):
            known = by_mark.get(part.mark)
            fresh = _occurrence(item, part, revision, at, since.get((part.address, part.path), at))
            found[part.mark] = replace(known, will_be_reverted=item.will_be_reverted) if known is not None else fresh
    again = {(one.address, one.path) for one in found.values()}
    left = [
        replace(one, until=at, ended=Ending.CHANGED if (one.address, one.path) in again else Ending.GONE)
        for one in present
        if one.mark not in found
    ]
    return (*over, *left)[-KEPT:] + tuple(found.values())


def ended(
    occurrences: tuple[Occurrence, ...], how: Ending, at: float, *, run: int = 0, by: str = "", kept: bool = False
) -> tuple[Occurrence, ...]:
    """Return the occurrences with all that last brought to an end; ``kept`` spares what no apply puts back.

    Of what an apply does not put back nobody may say that it was repaired, or overwritten: it was taken over.
    """
    over, present = _divided(occurrences)
    applies = how in {Ending.REPAIRED, Ending.SUPERSEDED}

    def end(one: Occurrence) -> Occurrence:
        ending = Ending.ADOPTED if applies and not one.will_be_reverted else how
        return replace(one, until=at, ended=ending, run=run or one.run, by=by or one.by)

    spared = tuple(one for one in present if kept and not one.will_be_reverted)
    closed = [end(one) for one in present if one not in spared]
    return (*over, *closed)[-KEPT:] + spared


def tried(occurrences: tuple[Occurrence, ...], run: int, by: str) -> tuple[Occurrence, ...]:
    """Return the occurrences after an attempt that did not end well: it may have put back some of what lasts."""
    return tuple(one if one.ended else replace(one, run=run, by=by) for one in occurrences)


def lasting(occurrences: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    """Return those that are not over."""
    return tuple(one for one in occurrences if one.ended is None)


def sighted(last: Iterable[Sighting], known: Iterable[DriftItem], items: Iterable[DriftItem]) -> tuple[Sighting, ...]:
    """Count a look: how often in a row each part was seen. Only what is ``known`` to last has been seen before."""
    still = {part.place for item in known for part in parts(item)}
    before = {one.place: one.count for one in last if one.place in still}
    return tuple(
        Sighting(place=part.place, count=before.get(part.place, 0) + 1) for item in items for part in parts(item)
    )


def _divided(occurrences: Iterable[Occurrence]) -> tuple[list[Occurrence], list[Occurrence]]:
    every = list(occurrences)
    return [one for one in every if one.ended], [one for one in every if one.ended is None]


def _occurrence(item: DriftItem, part: Part, revision: str, at: float, drifting_since: float) -> Occurrence:
    expected, actual = _sides(part.attribute) if part.attribute else ("", "")
    return Occurrence(
        address=part.address,
        path=part.path,
        mark=part.mark,
        kind=item.change.kind,
        expected=_short(expected),
        actual=_short(actual),
        will_be_reverted=item.will_be_reverted,
        revision=revision,
        since=at,
        drifting_since=drifting_since,
    )


def _sides(attribute: AttributeChange) -> tuple[Json, Json]:
    """Return both values as they may be kept: a sensitive one is masked here again, twice is cheap."""
    return (MASK, MASK) if attribute.sensitive else (attribute.before, attribute.after)


def _short(value: Json) -> str:
    text = value if isinstance(value, str) and value in {"", MASK} else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _mark(*values: Json) -> str:
    return hashlib.sha256(canonical(list(values))).hexdigest()[:16]

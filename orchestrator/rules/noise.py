"""Takes out of what a tool calls drift what is none: other spellings of the same value. Pure.

An item is only ever left out where the tool itself would not change it: what an apply would put back differs, however
alike it looks. Of an item that stays, what is noise beside a real difference is left out as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from adapters.contract import AttributeChange, ChangeKind, DriftItem, Drifts, Json

#: A position in a list, at the end of a path; a key of a map stands in quotes.
_POSITION: Final = re.compile(r"\[\d+\]$")


def quiet(found: Drifts) -> tuple[Drifts, tuple[str, ...]]:
    """Return ``found`` without noise, and a line for each thing that was left out."""
    items: list[DriftItem] = []
    left_out: list[str] = []
    for item in found.items:
        kept, lines = _quiet(item)
        left_out += lines
        items += [kept] if kept is not None else []
    return replace(found, items=tuple(items)), tuple(left_out)


def _quiet(item: DriftItem) -> tuple[DriftItem | None, list[str]]:
    change = item.change
    if change.kind is not ChangeKind.UPDATE or not change.attributes:
        return item, []
    reasons = _moved(change.attributes) | {one.path: why for one in change.attributes if (why := noise_in(one))}
    real = tuple(one for one in change.attributes if one.path not in reasons)
    if not real and item.will_be_reverted:
        return item, []
    lines = [f"{change.address} {path}: no drift, {why}" for path, why in sorted(reasons.items())]
    kept = replace(item, change=replace(change, attributes=real)) if real else None
    return kept, lines


def noise_in(attribute: AttributeChange) -> str:
    """Say why an attribute's difference is none, empty where it is one."""
    # What both sides hide may differ for all anybody can tell.
    if attribute.sensitive:
        return ""
    before, after = attribute.before, attribute.after
    if attribute.computed:
        return "no value was ever asked for"
    if is_nothing(before) and is_nothing(after):
        return "nothing is written in two ways"
    if isinstance(before, list) and isinstance(after, list) and before != after and _bag(before) == _bag(after):
        return "the same in another order"
    return ""


def is_nothing(value: Json) -> bool:
    """Whether a value says that there is none: ``null``, ``""``, ``[]``, ``{}``. Zero and false are values."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _moved(attributes: Sequence[AttributeChange]) -> dict[str, str]:
    """Find lists of plain values that are told position by position, and hold the same in another order."""
    found: dict[str, str] = {}
    by_list = sorted((one for one in attributes if _POSITION.search(one.path)), key=_list_of)
    for _, some in groupby(by_list, key=_list_of):
        ones = list(some)
        plain = all(not one.sensitive and not one.computed for one in ones)
        if len(ones) > 1 and plain and _bag([one.before for one in ones]) == _bag([one.after for one in ones]):
            found |= {one.path: "the same in another order" for one in ones}
    return found


def _list_of(attribute: AttributeChange) -> str:
    return attribute.path.rpartition("[")[0]


def _bag(values: Sequence[Json]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)

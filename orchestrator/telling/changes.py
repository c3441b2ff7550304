"""Changes of single resources, for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.contract import MASK, AttributeChange, Change, Json
from orchestrator.telling.counts import SYMBOLS

_ORDER = tuple(SYMBOLS)


def by_risk(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the destructive ones first, then by address."""
    return sorted(changes, key=lambda change: (_ORDER.index(change.kind), change.address))


def value(change: Change) -> Json:
    """Return one change for programs."""
    return {
        "address": change.address,
        "kind": change.kind.value,
        "destructive": change.kind.destructive,
        "reason": change.reason,
        "attributes": [_attribute_value(attribute) for attribute in change.attributes],
    }


def _attribute_value(attribute: AttributeChange) -> Json:
    # A sensitive value is masked here again: twice is cheap.
    before, after = (MASK, MASK) if attribute.sensitive else (attribute.before, attribute.after)
    return {
        "path": attribute.path,
        "before": before,
        "after": after,
        "sensitive": attribute.sensitive,
        "computed": attribute.computed,
        "forces_replacement": attribute.forces_replacement,
    }

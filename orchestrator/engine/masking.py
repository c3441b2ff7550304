"""Masks what is about to be stored or shown: a tool may repeat a secret in any text and call it nothing special."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from adapters.contract import MASK, AdapterError, Drifts, Json, Plan
from orchestrator.model.codec import decode, encode

_T = TypeVar("_T", Plan, Drifts)


def masked(value: _T, mask: Callable[[str], str]) -> _T:
    """Return a plan or drifts with every text in it masked, but for the saved plan's own path."""
    body = encode(value)
    if not isinstance(body, dict):
        return value
    # Of a path nothing is shown, and whoever plans again compares with what the adapter itself said.
    path = body.pop("saved", None)
    found = {name: _masked(item, mask) for name, item in body.items()}
    kept: dict[str, Json] = {} if path is None else {"saved": path}
    if isinstance(value, Plan):
        kept["unmasked"] = value.unmasked or value.digest
    return decode(type(value), {**found, **kept})


def _masked(value: Json, mask: Callable[[str], str]) -> Json:
    if isinstance(value, dict):
        return {mask(name): _masked(item, mask) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, mask) for item in value]
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and mask(str(value)) != str(value):
        return MASK
    return value


def mask_error(error: AdapterError, mask: Callable[[str], str]) -> None:
    """Mask an error's texts where they stand: it travels on to the record and to people."""
    error.message, error.hint = mask(error.message), mask(error.hint)
    error.args = (error.message,)
    error.problems = tuple(replace(one, summary=mask(one.summary), detail=mask(one.detail)) for one in error.problems)

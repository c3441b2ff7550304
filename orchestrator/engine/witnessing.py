"""Asks who changed what a look found for the first time. Whoever cannot answer never costs the look itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from adapters.contract import AdapterError, Drifts, ToolStopped
from adapters.testimony import Confidence, Testifying, Testimony
from orchestrator.engine.faults import trace
from orchestrator.engine.station import Case, Station
from orchestrator.errors import OrchestratorError, RecordAway
from orchestrator.model.event import DriftWitnessed
from orchestrator.model.inquiry import Inquiry
from orchestrator.model.observed import Applied
from orchestrator.rules.witnessing import inquiries, ranked

#: What is kept of a sentence and of a name: both come from outside.
_LONGEST: Final = 300
#: What is kept of one inquiry.
_MOST: Final = 200
_KEY: Final = "AWS_ACCESS_KEY_ID"


def witnessed(case: Case, then: Case, place: Station, found: Drifts, applied: Applied) -> tuple[DriftWitnessed, ...]:
    """Ask about what ``found`` holds and nobody was asked about yet; ``then`` is the case as it was applied.

    Returns the events that say what came of it, none where nothing is new, or where the run is to stop.
    """
    state, now = case.asked.state, case.outside.clock.now()
    policy = case.asked.stack.policy.drift
    asked = inquiries(case.asked.stack.key, state, case.asked.row.looks, found.items, policy, now)
    if not asked:
        return ()
    known = replace(
        asked[0],
        applied=applied,
        author=then.asked.reading.revision.author,
        folder=place.workspace.private,
        region=_region(then),
        granted=place.granted,
        ours=_keys(case) if _KEY in place.granted else frozenset(),
    )
    try:
        return tuple(
            _heard(case, place, replace(known, items=one.items, marks=one.marks, since=one.since, until=one.until))
            for one in asked
        )
    except ToolStopped:
        # Whoever looks next asks.
        return ()


def named(found: Drifts, names: Mapping[str, tuple[str, ...]]) -> Drifts:
    """Return what was found with the names that witnesses know it by, by its address; only to ask, never to keep."""
    items = tuple(replace(item, identities=names.get(item.change.address, ())) for item in found.items)
    return replace(found, items=items)


def _region(then: Case) -> str:
    region = then.asked.stack.settings.get("region")
    return region if isinstance(region, str) and "${" not in region else ""


def _heard(case: Case, place: Station, inquiry: Inquiry) -> DriftWitnessed:
    adapter = place.adapter
    said: list[Testimony] = []
    if isinstance(adapter, Testifying):
        ask = partial(adapter.testify, place.workspace, inquiry.items, inquiry.since)
        said += _said(case, place, case.asked.stack.tool, ask)
    for witness in case.outside.witnesses:
        said += _said(case, place, witness.name, partial(witness.testify, inquiry, place.shell))
    masked = [_masked(one, place.shell.mask) for one in said]
    return DriftWitnessed(about=inquiry.marks, since=inquiry.since, testimonies=ranked(masked)[:_MOST])


def _said(case: Case, place: Station, name: str, ask: Callable[[], tuple[Testimony, ...]]) -> tuple[Testimony, ...]:
    """Return what a witness says; of one that fails, why. Raises ToolStopped where the run is to stop."""
    try:
        return ask()
    except RecordAway:
        raise
    except (AdapterError, OrchestratorError) as error:
        if isinstance(error, ToolStopped) and case.was_stopped(error):
            raise
        why = error.message
    except Exception as error:  # noqa: BLE001 -- an adapter may be anybody's, and what was found stays found
        place.shell.report(trace(error))
        why = f"{type(error).__name__}, see the run's log"
    return (Testimony(what=f"could not be asked: {why}", source=name, confidence=Confidence.HINT),)


def _masked(one: Testimony, mask: Callable[[str], str]) -> Testimony:
    return replace(one, who=_short(mask(one.who)), what=_short(mask(one.what)), source=_short(mask(one.source)))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _keys(case: Case) -> frozenset[str]:
    """Return the ids of the access keys that the stack is applied with, as far as that can be told."""
    stack = case.asked.stack
    try:
        granted = case.outside.credentials.environment(stack.credentials.apply, stack.key)
    except OrchestratorError:
        return frozenset()
    return frozenset({granted[_KEY]} if granted.get(_KEY) else ())

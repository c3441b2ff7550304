"""Folding what is stored: a stack's state out of its snapshot, or out of its entries."""

from __future__ import annotations

import json
from typing import cast

from sqlalchemy import Connection, select

from orchestrator.effects.record_tables import events, stacks
from orchestrator.errors import RecordError
from orchestrator.model.codec import decode, decode_union, encode
from orchestrator.model.event import Event
from orchestrator.model.fold import fold
from orchestrator.model.observed import State


def text_of(value: object) -> str:
    """Return the JSON text for a value of the model."""
    return json.dumps(encode(value), separators=(",", ":"))


def event_of(seq: int, body: str) -> Event:
    """Read one entry's event. Raises RecordError (HF-4302) where no event of this release looks like it."""
    try:
        return cast("Event", decode_union(Event, json.loads(body)))
    except ValueError as error:
        raise RecordError(
            f"entry {seq} of the record cannot be read: {error}",
            code="HF-4302",
            hint="update Holdfast on this host; if it is the newest, run holdfast doctor",
        ) from error


def snapshot_of(text: str) -> State | None:
    """Read a snapshot; None where it does not fit this release, and has to be rebuilt."""
    try:
        return decode(State, json.loads(text))
    except (ValueError, TypeError, AttributeError):
        return None


def ground_of(connection: Connection, stack: str) -> State:
    """Return what the stack's pruned entries folded to. Raises RecordError where that cannot be read."""
    text = connection.execute(select(stacks.c.ground).where(stacks.c.key == stack)).scalar()
    if not text:
        return State()
    ground = snapshot_of(text)
    if ground is None:
        raise RecordError(f"what was pruned of {stack} cannot be read", code="HF-4302", hint="update Holdfast")
    return ground


def fold_rows(connection: Connection, stack: str, ground: State, *, until: int | None = None) -> State:
    """Fold the stack's entries that are left, on top of ``ground``, up to sequence number ``until``."""
    wanted = select(events.c.seq, events.c.at, events.c.body).where(events.c.stack == stack)
    if until is not None:
        wanted = wanted.where(events.c.seq <= until)
    state = ground
    for row in connection.execute(wanted.order_by(events.c.version)):
        state = fold(state, event_of(row.seq, row.body), row.at)
    return state

"""Has the record keep that somebody tried what is not theirs to do: what is refused is as much part of an audit."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import Request

from orchestrator.errors import OrchestratorError
from orchestrator.model.door_events import ActDenied
from orchestrator.ports import Level
from orchestrator.rules.rights import Identity
from orchestrator.web.inside import inside_of

#: Of a request so much is kept.
_LONGEST: Final = 300
READING: Final = frozenset({"GET", "HEAD"})


def tell_refused(request: Request, who: Identity, code: str) -> None:
    """Record that an act was refused: the same one once an hour, and of one identity so many in a minute.

    Reading what is not theirs to read is no act. That it cannot be recorded makes nothing of a refusal.
    """
    if request.method in READING:
        return
    house, what = inside_of(request), f"{request.method} {request.url.path}"[:_LONGEST]
    mark = f"refused {who.name} {code} {what}"
    if house.heard.knows(mark) or not house.refusals.take(who.name):
        return
    house.heard.note(mark)
    house.journal.say(Level.WARNING, "an act was refused", who=who.speaker, token=who.name, asked=what, code=code)
    try:
        replace(house.served.host.record, actor=who.name).note(ActDenied(by=who.speaker, what=what, code=code))
    except OrchestratorError as error:
        house.journal.say(Level.ERROR, "a refusal could not be recorded", code=error.code, why=error.message)

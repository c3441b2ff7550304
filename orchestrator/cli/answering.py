"""Which proposals the words ``RUN|STACK`` mean, for approve and reject."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract import Json
from orchestrator.cli.place import Place
from orchestrator.cli.standings import proposed
from orchestrator.engine.survey import Asked, Survey
from orchestrator.errors import UsageError
from orchestrator.model.observed import Proposal
from orchestrator.model.stack import StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A proposal that waits for a word, and what was asked of its stack."""

    asked: Asked
    proposal: Proposal

    @property
    def key(self) -> StackKey:
        """The stack."""
        return self.asked.stack.key

    def said(self, by: str, reason: str) -> dict[str, Json]:
        """Return what programs read of a word on it; see docs/json.md."""
        return {
            "stack": self.key.short,
            "key": str(self.key),
            "proposal": self.proposal.number,
            "digest": self.proposal.changes_digest,
            "by": by,
            "reason": reason,
        }


def waiting(place: Place, what: str, number: int | None) -> list[Waiting]:
    """Return each proposal that is meant; ``number`` names the one of a stack that was seen.

    Raises UsageError (HF-1906) where none waits, or another one than was seen.
    """
    survey = Survey(place.outside, place.reading)
    run = place.run(int(what)).number if what.isdigit() else None
    keys = tuple(place.recorded()) if run else (place.one(what),)
    looks = [asked for key in keys if (asked := survey.look(key))]
    found = [
        Waiting(asked=asked, proposal=one) for asked in looks if (one := proposed(asked)) and run in {None, one.run}
    ]
    if not found:
        raise UsageError(f"nothing waits for a word in {what}", code="HF-1906", hint="see: holdfast status")
    others = [one for one in found if number not in {None, one.proposal.number}]
    if others:
        name = others[0].key.short
        raise UsageError(
            f"proposal {number} of {name} does not stand: {others[0].proposal.number} does",
            code="HF-1906",
            hint=f"look again: holdfast show {name}",
        )
    return found

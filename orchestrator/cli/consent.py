"""A person's yes or no, bound to exactly the proposal that they saw."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.cli.place import Place
from orchestrator.errors import Conflict, UsageError
from orchestrator.model.event import Approved, Event, Rejected
from orchestrator.model.observed import Consent, Proposal, State, TrackView
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.ports import Due

#: How often a word is offered to a record that moves meanwhile.
_OFFERS = 10


def approve(place: Place, key: StackKey, proposal: Proposal, *, run: int, reason: str, duplicates: bool) -> None:
    """Record a yes to ``proposal``. Raises UsageError (HF-1906) where another one stands in its place by now."""

    def yes(_: State) -> Event:
        consent = Consent(
            by=place.world.actor,
            at=place.now,
            binding=proposal.binding(str(key)),
            reason=reason,
            teams=place.world.operator.teams_of(place.world.actor),
            accepts_duplicates=duplicates,
        )
        return Approved(track=proposal.track, proposal=proposal.number, consent=consent)

    _say(place, key, proposal, run, yes)


def reject(place: Place, key: StackKey, proposal: Proposal, *, run: int, reason: str) -> None:
    """Record a no to ``proposal``. Raises UsageError (HF-1906) where another one stands in its place by now."""

    def no(_: State) -> Event:
        return Rejected(
            track=proposal.track,
            proposal=proposal.number,
            binding=proposal.binding(str(key)),
            by=place.world.actor,
            reason=reason,
        )

    _say(place, key, proposal, run, no)


def _say(place: Place, key: StackKey, proposal: Proposal, run: int, word: Callable[[State], Event]) -> None:
    def event(state: State) -> Event:
        now = state.tracks.get(proposal.track, TrackView()).proposal
        if now is None or now.number != proposal.number:
            raise UsageError(
                f"proposal {proposal.number} of {key.short} no longer stands",
                code="HF-1906",
                hint=f"look again: holdfast show {key.short}",
            )
        return word(state)

    append(place, key, event, run=run)
    nudge(place, key, f"{place.world.actor} spoke")


def append(place: Place, key: StackKey, event: Callable[[State], Event], *, run: int) -> None:
    """Append what a person said; where the stack moved meanwhile it is looked at again. Raises Conflict."""
    record = place.outside.record
    for offer in range(_OFFERS):
        state = record.row(str(key)).state
        try:
            record.append(str(key), [event(state)], expected=state.version, run=run)
        except Conflict:
            if offer == _OFFERS - 1:
                raise
        else:
            return


def nudge(place: Place, key: StackKey, why: str) -> None:
    """Make whoever works this source look at the stack now."""
    place.outside.agenda.nudge(Due(stack=str(key), track=MAIN, at=place.now, why=why, priority=0))

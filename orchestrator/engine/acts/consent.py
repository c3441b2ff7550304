"""A person's yes or no, bound to exactly the proposal that they saw."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.acts.words import append, nudge
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.standings import proposed
from orchestrator.engine.survey import Asked, Survey
from orchestrator.errors import UsageError
from orchestrator.model.event import Approved, Event, Rejected
from orchestrator.model.observed import Consent, Proposal, State, TrackView
from orchestrator.model.stack import StackKey
from orchestrator.rules.eligible import may, who
from orchestrator.rules.rights import is_program


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A proposal that waits for a word, and what was asked of its stack."""

    asked: Asked
    proposal: Proposal

    @property
    def key(self) -> StackKey:
        """The stack."""
        return self.asked.stack.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody says about a proposal."""

    caller: Caller
    reason: str = ""
    #: A yes even where applying it may create something a second time.
    duplicates: bool = False


def waiting(outside: Outside, reading: Reading, keys: Collection[StackKey], *, run: int | None = None) -> list[Waiting]:
    """Return each proposal of these stacks that waits for a word; ``run`` narrows them to those made in that run."""
    survey = Survey(outside, reading)
    looks = [asked for key in keys if (asked := survey.look(key))]
    return [
        Waiting(asked=asked, proposal=one) for asked in looks if (one := proposed(asked)) and run in {None, one.run}
    ]


def seen(found: Collection[Waiting], number: int) -> None:
    """Raise UsageError (HF-1906) unless proposal ``number``, the one that a person saw, is all that waits."""
    for one in found:
        if one.proposal.number != number:
            raise UsageError(
                f"proposal {number} of {one.key.short} does not stand: {one.proposal.number} does",
                code="HF-1906",
                hint=f"look again: holdfast show {one.key.short}",
            )


def unheard(one: Waiting, caller: Caller, teams: Mapping[str, tuple[str, ...]]) -> str:
    """Say why a person's yes does not count for a stack, empty where it does; ``teams`` are each team's members."""
    policy, authors = one.asked.stack.policy, one.asked.desired.authors
    if may(policy, caller.actor, caller.teams, authors):
        return ""
    if is_program(caller.actor):
        return (
            f"nobody knows whose word that of {caller.actor} is, and {one.key.short} does not ask for it by that name: "
            "make a token for a person with --for, or name this one under approvals: from:"
        )
    return (
        f"the word of {caller.actor} does not count for {one.key.short}: "
        f"it takes {', '.join(who(teams, policy, authors))}"
    )


def approve(outside: Outside, key: StackKey, proposal: Proposal, word: Word, *, run: int, wakes: bool = True) -> None:
    """Record a yes to ``proposal``. Raises UsageError (HF-1906) where another one stands in its place by now.

    Whether it counts is judged whenever it is read: see `unheard`. ``wakes``: whoever works the source looks at once;
    not where it is applied in the very next breath, which two would only fight over.
    """

    def yes(_: State) -> Event:
        consent = Consent(
            by=word.caller.actor,
            at=outside.clock.now(),
            binding=proposal.binding(str(key)),
            reason=word.reason,
            teams=word.caller.teams,
            accepts_duplicates=word.duplicates,
        )
        return Approved(track=proposal.track, proposal=proposal.number, consent=consent)

    _say(outside, key, proposal, yes, run=run)
    if wakes:
        nudge(outside, key, f"{word.caller.actor} spoke")


def reject(outside: Outside, key: StackKey, proposal: Proposal, word: Word, *, run: int) -> None:
    """Record a no to ``proposal``. Raises UsageError (HF-1906) where another one stands in its place by now."""

    def no(_: State) -> Event:
        return Rejected(
            track=proposal.track,
            proposal=proposal.number,
            binding=proposal.binding(str(key)),
            by=word.caller.actor,
            reason=word.reason,
        )

    _say(outside, key, proposal, no, run=run)
    nudge(outside, key, f"{word.caller.actor} spoke")


def _say(outside: Outside, key: StackKey, proposal: Proposal, word: Callable[[State], Event], *, run: int) -> None:
    def event(state: State) -> Event:
        now = state.tracks.get(proposal.track, TrackView()).proposal
        if now is None or now.number != proposal.number:
            raise UsageError(
                f"proposal {proposal.number} of {key.short} no longer stands",
                code="HF-1906",
                hint=f"look again: holdfast show {key.short}",
            )
        return word(state)

    append(outside, key, event, run=run)

"""Where each stack stands, read from record and files; starts no tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.contract import Goal
from orchestrator.cli.axes import standing
from orchestrator.cli.place import Place
from orchestrator.cli.show_status import Row
from orchestrator.cli.stillness import held_at, still
from orchestrator.engine.survey import Asked, Survey
from orchestrator.model.action import Action, Reason
from orchestrator.model.observed import Proposal
from orchestrator.model.stack import StackKey
from orchestrator.rules.decide import decide


def standings(place: Place, words: Sequence[str]) -> list[Row]:
    """Return a row for each stack that ``words`` mean, by key; no words mean all, also those gone from the source."""
    survey = Survey(place.outside, place.reading, whole=True)
    rows = [row for key in place.chosen(words) if (row := _row(place, survey, key))]
    if not words:
        rows += _gone(place, survey)
    survey.keep()
    return sorted(rows, key=lambda row: row.key)


def _row(place: Place, survey: Survey, key: StackKey) -> Row | None:
    asked = survey.look(key)
    return None if asked is None else row_of(place, asked)


def row_of(place: Place, asked: Asked) -> Row:
    """Return the row of one stack as of now."""
    now = place.now
    action: Action = decide(asked.desired, asked.observed, asked.stack.policy, now)
    if action.reason is Reason.APPLYING:
        from orchestrator.engine.work import still_applying  # noqa: PLC0415 -- heavy, and seldom so

        # Whether it is at work for certain no record can say.
        action = still_applying(place.outside, asked)
    # As it counts: what is ignored or still to be confirmed drifts for nobody.
    state = replace(asked.state, drift=asked.observed.drift)
    return Row(
        key=asked.stack.key,
        tool=asked.stack.tool,
        state=state,
        unconfirmed=len(asked.observed.unconfirmed),
        ignored=len(asked.observed.ignored),
        standing=standing(state, asked.desired.fingerprint),
        action=action,
        asked_revision=asked.desired.revision,
        looks=asked.row.looks,
        still=still(asked, now),
        lost=_is_lost(place, asked),
    )


def _is_lost(place: Place, asked: Asked) -> bool:
    """Whether nothing is alive of the attempt that is said to be at work; only looks."""
    attempt, agenda = asked.state.applying, place.outside.agenda
    # Whoever holds the stack may be about to start the tool.
    return (
        attempt is not None and not agenda.is_held(str(asked.stack.key)) and place.outside.attempts.wait(attempt, 0.0)
    )


def proposed(asked: Asked) -> Proposal | None:
    """Return the proposal that waits for a word: one that is for what is asked for now, and would change something."""
    proposal, desired = asked.observed.progress, asked.desired
    if not isinstance(proposal, Proposal) or proposal.empty or _nothing_differs(asked):
        return None
    # Planned for other files, another goal or another policy: it is planned anew before anybody is asked.
    planned_for = (proposal.fingerprint, proposal.goal, proposal.policy_digest)
    return proposal if planned_for == (desired.fingerprint, desired.goal, desired.policy_digest) else None


def _nothing_differs(asked: Asked) -> bool:
    """Whether there is nothing that a plan could be for; what one look saw, a person may have planned to put back."""
    seen = asked.observed
    return asked.settled and not (seen.drift or seen.unconfirmed)


def _gone(place: Place, survey: Survey) -> list[Row]:
    """Return the stacks that are no longer in their source while what they made still stands."""
    rows = []
    for key in survey.recorded():
        state = survey.row(key).state
        outside = place.wish.environment not in {"", key.environment}
        if key in place.reading.layout.stacks or state.applied is None or state.moved_to or outside:
            continue
        if state.applied.goal is Goal.DESTROY:
            continue
        here, kept = standing(state, ""), held_at(key, state)
        tool = state.applied.tool.name
        rows.append(
            Row(
                key=key,
                tool=tool,
                state=state,
                standing=here,
                action=None,
                asked_revision="",
                looks=survey.row(key).looks,
                still=kept,
            )
        )
    return rows

"""Where each stack stands, read from record and files: both axes, what is next, and why. Starts no tool."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.contract import Goal
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.survey import Asked, Survey
from orchestrator.model.action import Action, Reason, Rest
from orchestrator.model.gate import Act, GateKind
from orchestrator.model.observed import Looks, Proposal, State
from orchestrator.model.stack import StackKey
from orchestrator.rules.axes import Standing, conditions, standing
from orchestrator.rules.decide import decide
from orchestrator.rules.stillness import Still, held_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Where one stack stands, and all that is to be said of it in one line."""

    key: StackKey
    tool: str
    #: Its drift as it counts: what is ignored or still to be confirmed drifts for nobody.
    state: State
    standing: Standing
    #: What is next and why; None where the stack is no longer in its source.
    action: Action | None
    #: The revision asked for now.
    asked_revision: str
    looks: Looks
    #: What people said that keeps it where it is.
    still: Still
    #: Differences that too few looks have seen, and those that people have left alone.
    unconfirmed: int = 0
    ignored: int = 0
    #: Whether nothing is alive any more of the attempt that the record has at work.
    lost: bool = False

    @property
    def why(self) -> str:
        """What people said about it, and the sentence of the decision."""
        if self.action is None:
            return "it is no longer in its source; what it made still stands"
        # An attempt without an end comes before all that people said: the next apply settles it, held or not.
        return self.action.why if self.lost else self.still.told(self.action)

    @property
    def revision(self) -> str:
        """The revision applied, empty where none was."""
        return self.state.applied.revision if self.state.applied else ""

    @property
    def conditions(self) -> dict[str, bool]:
        """The conditions that programs ask for, by name."""
        return conditions(self.state, self.standing, self.action, still=bool(self.still))


def standings(
    outside: Outside, reading: Reading, keys: Iterable[StackKey], *, gone_from: frozenset[str] = frozenset()
) -> list[Situation]:
    """Return where each of these stacks of the reading stands, sorted by key.

    And each that left the source while what it made still stands, in the environments ``gone_from``; an empty name
    among them means every environment.
    """
    survey = Survey(outside, reading, whole=True)
    found = [situation_of(outside, asked) for key in keys if (asked := survey.look(key))]
    found += _gone(survey, reading, gone_from) if gone_from else []
    survey.keep()
    return sorted(found, key=lambda one: one.key)


def situation_of(outside: Outside, asked: Asked) -> Situation:
    """Return where one stack stands as of now."""
    now = outside.clock.now()
    action: Action = decide(asked.desired, asked.observed, asked.stack.policy, now)
    lost, attempt = False, asked.state.applying
    if attempt:
        from orchestrator.engine.recovery import sign_of  # noqa: PLC0415 -- heavy, and seldom so

        # Whether it is at work for certain no record can say.
        sign = sign_of(outside, asked.stack.key, attempt)
        action, lost = Rest(reason=Reason.APPLYING, why=sign.why), sign.lost
    state = replace(asked.state, drift=asked.observed.drift)
    return Situation(
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
        lost=lost,
    )


def still(asked: Asked, now: float) -> Still:
    """Return what people said that keeps a stack at ``now`` (seconds since the epoch)."""
    suspensions = tuple(
        gate
        for gate in asked.desired.gates
        if gate.kind is GateKind.SUSPENSION and any(gate.stands(act, now) for act in Act)
    )
    return replace(held_at(asked.stack.key, asked.state), suspensions=suspensions)


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


def _gone(survey: Survey, reading: Reading, environments: frozenset[str]) -> list[Situation]:
    """Return the stacks that are no longer in their source while what they made still stands."""
    found = []
    for key in survey.recorded():
        row = survey.row(key)
        state, elsewhere = row.state, environments.isdisjoint({"", key.environment})
        if key in reading.layout.stacks or state.applied is None or state.moved_to or elsewhere:
            continue
        if state.applied.goal is Goal.DESTROY:
            continue
        found.append(
            Situation(
                key=key,
                tool=state.applied.tool.name,
                state=state,
                standing=standing(state, ""),
                action=None,
                asked_revision="",
                looks=row.looks,
                still=held_at(key, state),
            )
        )
    return found

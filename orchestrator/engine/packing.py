"""Packs plans so that they can be applied elsewhere, and takes in those that were packed: exactly these, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.survey import Asked, Survey
from orchestrator.errors import Conflict, PlanRefused
from orchestrator.model.event import FoundStanding, Planned
from orchestrator.model.moment import stamp
from orchestrator.model.observed import Applied, Proposal, TrackView
from orchestrator.model.parcel import Packed, Parcel
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.rules.decide import settled
from orchestrator.rules.order import ancestors, edges, waves


def pack(outside: Outside, reading: Reading, plans: Mapping[StackKey, Proposal]) -> Parcel:
    """Return ``plans`` with what else the record must know where they are applied."""
    packed = [Packed(stack=str(key), proposal=one, binding=one.binding(str(key))) for key, one in sorted(plans.items())]
    return Parcel(
        source=reading.source.id,
        revision=reading.revision.id,
        made_at=outside.clock.now(),
        stacks=tuple(packed),
        standing=_standing(outside, {*ancestors(reading.layout.stacks, plans), *plans}),
    )


def _standing(outside: Outside, keys: Iterable[StackKey]) -> dict[str, Applied]:
    rows = ((str(key), outside.record.row(str(key)).state.applied) for key in sorted(keys))
    # What it was made with is nobody's business where nothing of it is made.
    return {name: replace(applied, inputs="") for name, applied in rows if applied is not None}


def take_in(
    outside: Outside, reading: Reading, parcel: Parcel, content: Callable[[str], bytes], *, run: int
) -> dict[StackKey, Proposal]:
    """Record the plans of a parcel as this record's own, and return those that are still to be applied.

    ``content`` returns what a digest of the parcel names. To be called before anybody says yes to any of them:

    Raises:
        PlanRefused: they are another repository's (HF-1607), something that they were made of has changed (HF-1608),
            or they are older than policy allows (HF-1609).
    """
    if parcel.source != reading.source.id:
        raise PlanRefused(
            f"the plans are for {parcel.source}, and this is {reading.source.id}",
            code="HF-1607",
            hint="check out the repository that they were made in",
        )
    for digest in parcel.artifacts():
        outside.artifacts.put(content(digest))
    for name, applied in parcel.standing.items():
        _stand(outside, name, applied, run)
    plans = {StackKey.parse(one.stack): one.proposal for one in parcel.stacks}
    found: dict[StackKey, Proposal] = {}
    for wave in waves(edges(reading.layout.stacks), plans):
        # What a plan of an upstream leaves as it is, its readers were planned with: theirs are looked at after it.
        survey = Survey(outside, reading)
        checked = {key: _checked(outside, survey, key, plans[key]) for key in wave}
        due = {key: one for key, one in checked.items() if not _done(*one)}
        found |= {key: _recorded(outside, asked, proposal, run) for key, (asked, proposal) in due.items()}
    return found


def _stand(outside: Outside, name: str, applied: Applied, run: int) -> None:
    """Have a record that has never heard of a stack know what it was brought to; one that has knows better."""
    state = outside.record.row(name).state
    if state.version == 0:
        outside.record.append(name, [FoundStanding(applied=applied)], expected=state.version, run=run)


def _checked(outside: Outside, survey: Survey, key: StackKey, proposal: Proposal) -> tuple[Asked, Proposal]:
    asked = survey.look(key)
    if asked is None:
        raise _stale(key, "it is no longer in its source")
    if not _done(asked, proposal):
        desired = asked.desired
        if (desired.fingerprint, desired.goal) != (proposal.fingerprint, proposal.goal):
            parts = ", ".join(desired.parts.changed_since(proposal.parts))
            raise _stale(key, f"changed since it was planned: {parts or 'what it is made of'}")
        if desired.policy_digest != proposal.policy_digest:
            raise _stale(key, "its policy changed since it was planned")
        good_until = proposal.made_at + asked.stack.policy.plan_ttl_s
        if outside.clock.now() > good_until:
            raise PlanRefused(
                f"the plan of {key.short} was good until {stamp(good_until)}",
                code="HF-1609",
                hint="plan again",
            )
    return asked, proposal


def _done(asked: Asked, proposal: Proposal) -> bool:
    """Whether what the plan asks for was applied already, and nothing has moved since."""
    applied = asked.observed.applied
    same = applied is not None and applied.fingerprint == proposal.fingerprint and applied.at >= proposal.made_at
    return same and settled(asked.desired, asked.observed)


def _recorded(outside: Outside, asked: Asked, proposal: Proposal, run: int) -> Proposal:
    key, state = str(asked.stack.key), asked.state
    standing = state.tracks.get(MAIN, TrackView()).proposal
    if standing is not None and standing.binding(key) == proposal.binding(key):
        return standing
    if state.applying is not None:
        raise Conflict(f"{asked.stack.key.short} is being applied", code="HF-4203", hint="holdfast runs")
    ours = replace(proposal, number=state.proposals + 1, run=run, track=MAIN, looked_after=0)
    outside.record.append(key, [Planned(proposal=ours)], expected=state.version, run=run)
    return ours


def _stale(key: StackKey, why: str) -> PlanRefused:
    return PlanRefused(f"the plan of {key.short} cannot be applied any more: {why}", code="HF-1608", hint="plan again")

"""What counts as drift: ignored or not, seen often enough or not, and whether it keeps coming back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from adapters.contract import DriftItem
from orchestrator.model.drift import Ignored, Part, lasting, part_of, parts
from orchestrator.model.observed import Looks, Observed, State
from orchestrator.model.policy import DriftPolicy, Ignore, RepairLimit


def weigh(observed: Observed, state: State, looks: Looks, policy: DriftPolicy, now: float) -> Observed:
    """Return ``observed`` with all that differs parted: what counts, what is to be confirmed, and what is ignored.

    Judged whenever it is read, not when it was seen: a rule that ends has what it hid count again at once.
    """
    drift = state.drift
    if drift is None:
        return replace(observed, drift=None, unconfirmed=(), ignored=())
    rules = tuple(rule for rule in (*state.ignores, *policy.ignore) if rule.holds(now))
    counts = {one.place: one.count for one in looks.sightings}
    present = {one.mark: one for one in lasting(state.occurrences)}
    real: list[DriftItem] = []
    unconfirmed: list[DriftItem] = []
    ignored: list[Ignored] = []
    counted: list[Part] = []
    for item in drift.items:
        by_rule: dict[Ignore, list[Part]] = {}
        once: list[Part] = []
        often: list[Part] = []
        for part in parts(item):
            rule = next((one for one in rules if covers(one, part)), None)
            if rule is not None:
                by_rule.setdefault(rule, []).append(part)
            elif counts.get(part.place, 1) < policy.confirm:
                once.append(part)
            else:
                often.append(part)
        ignored += [Ignored(item=part_of(item, hidden), rule=rule) for rule, hidden in by_rule.items()]
        unconfirmed += [part_of(item, once)] if once else []
        real += [part_of(item, often)] if often else []
        counted += often
    known = [present[part.mark] for part in counted if part.mark in present]
    found = replace(
        drift,
        items=tuple(real),
        first_seen=min((one.drifting_since for one in known), default=drift.first_seen),
        changed_at=max((one.since for one in known), default=drift.first_seen),
    )
    return replace(observed, drift=found if real else None, unconfirmed=tuple(unconfirmed), ignored=tuple(ignored))


def covers(rule: Ignore, part: Part) -> bool:
    """Whether a rule means this difference. One for an attribute never hides that the resource itself is gone."""
    if not _fits(part.address, rule.address):
        return False
    return not rule.path or (bool(part.path) and _fits(part.path, rule.path))


def _fits(text: str, glob: str) -> bool:
    # Addresses and paths hold brackets that mean themselves: x.y["a"], ingress[0].port.
    return fnmatchcase(text, glob.replace("[", "[[]"))


def expired(state: State, policy: DriftPolicy, now: float) -> tuple[Ignore, ...]:
    """Return the rules that have ended and would still hide something: nobody took them back or made them anew."""
    rules = (*state.ignores, *policy.ignore)
    differing = [part for item in (state.drift.items if state.drift else ()) for part in parts(item)]
    bare = [part for part in differing if not any(rule.holds(now) and covers(rule, part) for rule in rules)]
    return tuple(rule for rule in rules if not rule.holds(now) and any(covers(rule, part) for part in bare))


def recurring(observed: Observed, limit: RepairLimit | None) -> bool:
    """Whether what drifts now was put back so often already that somebody must see who keeps changing it.

    Counted back from when this drift began, so that the answer stays the same for as long as it lasts.
    """
    if limit is None or observed.drift is None:
        return False
    return repeats(observed, limit) >= max(1, limit.repairs)


def repeats(observed: Observed, limit: RepairLimit) -> int:
    """Return how often drift was put back in the window before what drifts now began."""
    began_at = observed.drift.first_seen if observed.drift else 0.0
    return sum(began_at - at < limit.within_s for at in observed.repaired_at)


def restorable(items: Iterable[DriftItem]) -> bool:
    """Whether an apply would put any of it back."""
    return any(item.will_be_reverted for item in items)

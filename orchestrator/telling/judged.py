"""A stack's drift as people are told of it: all that is said beside the differences that count. Pure."""

from __future__ import annotations

from orchestrator.model.moment import stamp
from orchestrator.rules.judged import Judged
from orchestrator.telling.counts import counted
from orchestrator.telling.ignoring import told
from orchestrator.telling.witnesses import by_whom


def sentences(it: Judged, name: str, *, whom: bool = False) -> list[str]:
    """Return what is to be said beside the differences that count, each in one line; with ``whom``, who made them."""
    found = []
    if it.recurring:
        found.append(
            f"recurring: repaired {counted(it.repairs, 'time')}, and no longer by itself: somebody or something keeps "
            f"changing it; holdfast drift --history {name} lists each time, "
            f"holdfast resume {name} has it repaired again"
        )
    for item in it.drift.items if it.drift and whom else ():
        said = it.witnessed(item)
        found += [] if said is None else [f"{item.change.address} {by_whom(said)}"]
    if it.unconfirmed:
        names = ", ".join(sorted({item.change.address for item in it.unconfirmed}))
        found.append(f"to be confirmed, counts once {it.policy.confirm} looks in a row saw it: {names}")
    for one in it.ignored:
        fate = "; an apply for another reason would put it back" if one.item.will_be_reverted else ""
        found.append(f"ignored: {told(one.rule)}{fate}")
    found += [f"no longer ignored since {stamp(rule.until or 0.0)}: {told(rule)}" for rule in it.expired]
    return list(dict.fromkeys(found))

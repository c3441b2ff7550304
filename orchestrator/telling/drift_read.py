"""What `telling.drift` told of a stack, read again by whoever asked a service for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import ChangeKind, DriftItem
from adapters.testimony import Confidence, Testimony
from orchestrator.model.drift import Ending, Ignored, Occurrence
from orchestrator.model.moment import moment_of
from orchestrator.model.observed import Drift, Looks
from orchestrator.model.policy import DriftAnswer, DriftPolicy, Ignore
from orchestrator.rules.difference import Difference
from orchestrator.rules.judged import Judged
from orchestrator.telling.errands import change_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldJudged(Judged):
    """Drift as a service judged it: what is said of each item is told, and not worked out anew."""

    #: Item, by its identity in this process -> what was told of it.
    told: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def times(self, item: DriftItem, looks: Looks) -> int:
        """Return how many looks in a row have seen an item."""
        _ = looks
        return int(self.told[id(item)]["times"])

    def since(self, item: DriftItem) -> float:
        """Return when the look was that first saw an item as it is now."""
        return moment_of(self.told[id(item)]["first_seen"])

    def witnessed(self, item: DriftItem) -> tuple[Testimony, ...] | None:
        """Return what witnesses said of an item as it is now, None where nobody was asked."""
        told = self.told[id(item)]
        return tuple(map(_testimony, told["witnesses"])) if told["witnesses_asked"] else None

    def occasions(self, item: DriftItem) -> int:
        """Return how many occurrences are known of what drifts in an item."""
        return int(self.told[id(item)]["occurrences"])


def read(document: Mapping[str, Any], occurrences: tuple[Occurrence, ...] = ()) -> Judged:
    """Return what `value` told. Raises KeyError, TypeError, ValueError where it is no such document."""
    told: dict[int, Mapping[str, Any]] = {}

    def item(one: Mapping[str, Any]) -> DriftItem:
        made = DriftItem(change=change_of(one["change"]), will_be_reverted=bool(one["will_be_reverted"]))
        told[id(made)] = one
        return made

    items = tuple(map(item, document["items"]))
    first, revision = moment_of(document["first_seen"]), str(document["revision"] or "")
    return ToldJudged(
        drift=Drift(items=items, first_seen=first, revision=revision) if items else None,
        unconfirmed=tuple(map(item, document["unconfirmed"])),
        ignored=tuple(Ignored(item=item(one), rule=_rule(one["rule"])) for one in document["ignored"]),
        expired=tuple(map(_rule, document["expired"])),
        occurrences=occurrences,
        repairs=int(document["repairs"]),
        recurring=bool(document["recurring"]),
        policy=DriftPolicy(answer=DriftAnswer(document["answer"]), confirm=int(document["confirm"])),
        told=told,
    )


def read_history(document: Mapping[str, Any]) -> tuple[Occurrence, ...]:
    """Return the occurrences that `history_value` told. Raises KeyError, TypeError, ValueError."""
    return tuple(map(_occurrence, document["occurrences"]))


def _occurrence(one: Mapping[str, Any]) -> Occurrence:
    since = moment_of(one["since"])
    return Occurrence(
        address=one["address"],
        path=one["path"],
        mark="",
        kind=ChangeKind(one["kind"]),
        expected=one["expected"],
        actual=one["actual"],
        will_be_reverted=bool(one["will_be_reverted"]),
        revision=one["revision"],
        since=since,
        drifting_since=since,
        until=moment_of(one["until"]) or None,
        ended=Ending(one["ended"]) if one["ended"] else None,
        run=int(one["run"] or 0),
        by=one["by"],
        unseen_at=moment_of(one["unseen_at"]),
        asked_at=moment_of(one["asked_at"]),
        testimonies=tuple(map(_testimony, one["witnesses"])),
    )


def _testimony(one: Mapping[str, Any]) -> Testimony:
    return Testimony(
        who=one["who"] or "",
        at=moment_of(one["at"]) or None,
        what=one["what"],
        source=one["source"],
        confidence=Confidence(one["confidence"]),
    )


def _rule(one: Mapping[str, Any]) -> Ignore:
    of = Difference.parse(one["what"])
    until = moment_of(one["until"]) or None
    return Ignore(address=of.address, path=of.path, owner=one["owner"], reason=one["reason"], until=until)

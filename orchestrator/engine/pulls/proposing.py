"""What a pull request proposes: its files merged into its base, under the base's rules."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.watch import changed_since
from orchestrator.model.policy import Policy
from orchestrator.model.pull import Pull
from orchestrator.model.source import Source
from orchestrator.model.stack import CredentialNames, Stack, StackKey
from orchestrator.ports import Layout
from orchestrator.rules.order import EdgeKind, dependents, edges

#: So many readings are kept for each source: a look at one costs three times Git.
_KEPT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one pull request proposes to one revision of its base."""

    #: Its files merged into the base, under the base's rules.
    reading: Reading
    #: Its configuration as it stands there: what it would be allowed once it is merged.
    wish: Layout
    #: The stacks whose own files or settings it changes.
    changed: frozenset[StackKey]


@dataclass(slots=True)
class _Place:
    """Where one merge is kept; whoever comes while somebody reads it waits for that."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    found: Proposal | None = None


class Proposed:
    """Reads what pull requests propose, each merge once. Safe to share between threads."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], _Place] = {}

    def read(self, outside: Outside, source: Source, base: Reading, pull: Pull) -> Proposal:
        """Return what ``pull`` proposes to ``base``. Raises OrchestratorError: it conflicts, or cannot be read."""
        mark = (source.id, base.revision.id, pull.head)
        place = self._place(mark)
        with place.turn:
            found = place.found
            if found is None or found.reading.base is not base:
                found = place.found = _read(outside, source, base, pull)
        return replace(found, reading=replace(found.reading, track=pull.track, strange=pull.fork))

    def _place(self, mark: tuple[str, str, str]) -> _Place:
        with self._lock:
            place = self._kept.get(mark)
            if place is None:
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                place = self._kept[mark] = _Place()
            return place


def _read(outside: Outside, source: Source, base: Reading, pull: Pull) -> Proposal:
    outside.sources.bring(source, {pull.ref: pull.head})
    revision = outside.sources.merged(source, base.revision.id, pull.head)
    tree = outside.sources.tree(source, revision.id)
    wish = outside.layouts.at(source, revision, tree)
    reading = Reading(
        source=source, revision=revision, tree=tree, layout=under(base.layout, wish), track=pull.track, base=base
    )
    changed = changed_since(outside, base, reading)
    touched = with_readers(changed, reading.layout)
    return Proposal(reading=replace(reading, touched=touched), wish=wish, changed=changed)


def under(base: Layout, proposed: Layout) -> Layout:
    """Return the stacks that are proposed, each with what people allow as its base says: policy, keys, owners.

    A proposal that could widen what it is allowed would allow itself. What its base does not know is allowed nothing by
    itself, and has no key.
    """
    return replace(
        proposed, stacks={key: _bound(stack, base.stacks.get(key)) for key, stack in proposed.stacks.items()}
    )


def _bound(stack: Stack, today: Stack | None) -> Stack:
    if today is None:
        return replace(stack, policy=_cautious(stack.policy), credentials=CredentialNames())
    return replace(
        stack,
        policy=today.policy,
        credentials=today.credentials,
        tier=today.tier,
        owners=today.owners,
        promote_from=today.promote_from,
    )


def _cautious(wish: Policy) -> Policy:
    """Return what a stack may do that nobody has accepted yet: the tool's own limits, and no more than being asked."""
    plain = Policy()
    return replace(
        wish,
        mode=min(wish.mode, plain.mode),
        timeout_s=min(wish.timeout_s, plain.timeout_s),
        retries=min(wish.retries, plain.retries),
    )


def with_readers(changed: frozenset[StackKey], layout: Layout) -> frozenset[StackKey]:
    """Return these stacks and all that read of them, however far down: their inputs may change."""
    data = {
        key: frozenset(edge for edge in found if edge.kind is EdgeKind.DATA)
        for key, found in edges(layout.stacks).items()
    }
    return changed | dependents(data, changed)

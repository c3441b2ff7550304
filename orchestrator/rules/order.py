"""Which stack comes before which: references are data edges, ``depends_on`` is order only. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from orchestrator.model.reference import output_references
from orchestrator.model.stack import Stack, StackKey
from orchestrator.rules.upstream import locate


class EdgeKind(StrEnum):
    """Why one stack waits for another."""

    #: It takes an output of the other.
    DATA = "data"
    #: ``depends_on``.
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edge:
    """One thing that a stack waits for."""

    upstream: StackKey
    kind: EdgeKind


Edges: TypeAlias = Mapping[StackKey, frozenset[Edge]]


class Cycle(ValueError):
    """Stacks wait for each other in a ring: each waits for the next one, the last for the first."""

    def __init__(self, ring: tuple[StackKey, ...]) -> None:
        """``ring`` begins with its smallest key."""
        super().__init__(" -> ".join(key.short for key in (*ring, ring[0])))
        self.ring = ring


def edges(stacks: Mapping[StackKey, Stack]) -> Edges:
    """Return what each stack waits for. Where one is both data and order, data counts."""
    return {key: frozenset(_edges_of(stack, stacks)) for key, stack in stacks.items()}


def _edges_of(stack: Stack, stacks: Mapping[StackKey, Stack]) -> Iterable[Edge]:
    found = {upstream: EdgeKind.ORDER for upstream in stack.depends_on if upstream in stacks}
    for ref in output_references(stack.inputs) if stack.inputs else ():
        upstream = locate(ref, stack.key, stacks)
        if upstream in stacks:
            found[upstream] = EdgeKind.DATA
    return (Edge(upstream=upstream, kind=kind) for upstream, kind in found.items())


def waves(graph: Edges, keys: Collection[StackKey] | None = None) -> tuple[tuple[StackKey, ...], ...]:
    """Return the stacks in waves: each waits for earlier ones only; sorted inside a wave.

    With ``keys`` only those, yet in an order that also heeds what lies between them. Raises Cycle.
    """
    before = {key: {edge.upstream for edge in found} for key, found in graph.items()}
    sorter = TopologicalSorter(before if keys is None else {key: _between(key, before, set(keys)) for key in keys})
    try:
        sorter.prepare()
    except CycleError as error:
        raise Cycle(_ring(error.args[1])) from None
    found = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(tuple(sorted(ready)))
        sorter.done(*ready)
    return tuple(found)


def _between(key: StackKey, before: Mapping[StackKey, set[StackKey]], keys: set[StackKey]) -> set[StackKey]:
    """Return the nearest of ``keys`` upstream of ``key``, through stacks that are not among them."""
    found: set[StackKey] = set()
    seen: set[StackKey] = set()
    waiting = list(before.get(key, ()))
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in keys:
            found.add(one)
        else:
            waiting += before.get(one, ())
    return found


def _ring(found: list[StackKey]) -> tuple[StackKey, ...]:
    # graphlib lists a ring from upstream to downstream, its first node again at the end.
    ring = list(reversed(found[1:]))
    start = ring.index(min(ring))
    return tuple(ring[start:] + ring[:start])


def dependents(graph: Edges, keys: Iterable[StackKey]) -> frozenset[StackKey]:
    """Return every stack that waits for one of ``keys``, directly or through others; without ``keys`` themselves."""
    after: dict[StackKey, list[StackKey]] = {}
    for key, found in graph.items():
        for edge in found:
            after.setdefault(edge.upstream, []).append(key)
    start = set(keys)
    seen: set[StackKey] = set()
    waiting = list(start)
    while waiting:
        for key in after.get(waiting.pop(), ()):
            if key not in seen:
                seen.add(key)
                waiting.append(key)
    return frozenset(seen - start)


def ancestors(stacks: Mapping[StackKey, Stack], keys: Collection[StackKey]) -> frozenset[StackKey]:
    """Return every stack that ``keys`` wait for, directly or through others: data, order, promotion; without these."""
    before: dict[StackKey, set[StackKey]] = {}
    for upstream, after in readers(stacks).items():
        for key in after if upstream in stacks else ():
            before.setdefault(key, set()).add(upstream)
    seen: set[StackKey] = set()
    waiting = list(keys)
    while waiting:
        for upstream in before.get(waiting.pop(), ()):
            if upstream not in seen:
                seen.add(upstream)
                waiting.append(upstream)
    return frozenset(seen.difference(keys))


def readers(stacks: Mapping[StackKey, Stack]) -> Mapping[StackKey, frozenset[StackKey]]:
    """Return for each stack those that wait for it directly: for its outputs, its order, or to be promoted after it."""
    found: dict[StackKey, set[StackKey]] = {}
    for key, waits in edges(stacks).items():
        for edge in waits:
            found.setdefault(edge.upstream, set()).add(key)
        before = stacks[key].promote_from
        if before:
            found.setdefault(replace(key, environment=before), set()).add(key)
    return {key: frozenset(after) for key, after in found.items()}

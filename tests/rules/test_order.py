"""Edges, waves, rings and dependents."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.policy import Policy
from orchestrator.model.stack import Stack, StackKey
from orchestrator.rules.order import Cycle, Edge, EdgeKind, dependents, edges, waves


def key(name: str, environment: str = "default") -> StackKey:
    return StackKey(source="infra", name=name, environment=environment)


def stacks(*found: Stack) -> dict[StackKey, Stack]:
    return {stack.key: stack for stack in found}


def stack(name: str, *depends_on: str, environment: str = "default", **inputs: str) -> Stack:
    return Stack(
        key=key(name, environment),
        tool="terraform",
        path=PurePosixPath(name),
        policy=Policy(),
        inputs=inputs,
        depends_on=tuple(key(one, environment) for one in depends_on),
    )


def test_a_reference_is_a_data_edge_and_depends_on_is_order_only():
    found = edges(stacks(stack("a"), stack("b", "a"), stack("c", x="${output:a.id}")))
    assert found[key("b")] == {Edge(upstream=key("a"), kind=EdgeKind.ORDER)}
    assert found[key("c")] == {Edge(upstream=key("a"), kind=EdgeKind.DATA)}


def test_what_is_both_counts_as_data():
    found = edges(stacks(stack("a"), stack("b", "a", x="${output:a.id}")))
    assert found[key("b")] == {Edge(upstream=key("a"), kind=EdgeKind.DATA)}


def test_a_reference_means_the_same_environment_else_the_stack_without_one():
    found = edges(
        stacks(
            stack("net", environment="dev"),
            stack("net", environment="prod"),
            stack("base"),
            stack("web", environment="dev", x="${output:net.id}", y="${output:base.id}", z="${output:net@prod.id}"),
        )
    )
    upstream = {edge.upstream for edge in found[key("web", "dev")]}
    assert upstream == {key("net", "dev"), key("base"), key("net", "prod")}


def test_waves_are_sorted_and_each_waits_for_earlier_ones():
    graph = edges(stacks(stack("web", "dns", "net"), stack("dns", "net"), stack("net"), stack("alone")))
    assert waves(graph) == ((key("alone"), key("net")), (key("dns"),), (key("web"),))


def test_a_choice_of_stacks_keeps_the_order_through_those_left_out():
    graph = edges(stacks(stack("web", "dns"), stack("dns", "net"), stack("net"), stack("alone", "zero"), stack("zero")))
    assert waves(graph, {key("web"), key("net"), key("alone")}) == ((key("alone"), key("net")), (key("web"),))


def test_a_ring_is_named_each_before_the_one_it_waits_for():
    graph = edges(stacks(stack("c", "a"), stack("a", "b"), stack("b", "c"), stack("outside", "a")))
    with pytest.raises(Cycle, match="a -> b -> c -> a") as caught:
        waves(graph)
    assert caught.value.ring == (key("a"), key("b"), key("c"))


def test_a_stack_that_waits_for_itself_is_a_ring():
    with pytest.raises(Cycle, match="a -> a"):
        waves(edges(stacks(stack("a", "a"))))


def test_dependents_go_all_the_way_and_leave_out_the_start():
    graph = edges(stacks(stack("web", "dns"), stack("dns", "net"), stack("net"), stack("alone")))
    assert dependents(graph, [key("net")]) == {key("dns"), key("web")}
    assert dependents(graph, [key("web")]) == frozenset()


def test_dependents_come_to_an_end_in_a_ring():
    graph = edges(stacks(stack("a", "b"), stack("b", "a")))
    assert dependents(graph, [key("a")]) == {key("b")}


@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.tuples(st.integers(0, n), st.integers(0, n)), max_size=30)))
def test_every_stack_comes_once_and_after_all_that_it_waits_for(pairs):
    # An edge from the higher number to the lower: no rings.
    wants: dict[int, set[int]] = {}
    for one, other in pairs:
        wants.setdefault(max(one, other), set()).update({min(one, other)} - {max(one, other)})
        wants.setdefault(min(one, other), set())
    graph = edges(stacks(*(stack(f"s{n:02}", *(f"s{m:02}" for m in found)) for n, found in wants.items())))
    found = waves(graph)
    wave_of = {one: number for number, wave in enumerate(found) for one in wave}
    assert sorted(wave_of) == sorted(graph)
    assert sum(map(len, found)) == len(graph)
    assert all(wave_of[edge.upstream] < wave_of[one] for one, before in graph.items() for edge in before)

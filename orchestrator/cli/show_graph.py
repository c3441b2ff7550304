"""Which stack waits for which, and where each stands: as waves for people, as values for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from adapters.contract import Json
from orchestrator.cli.screen import Page
from orchestrator.engine.nodes import Mood, Node
from orchestrator.model.stack import StackKey
from orchestrator.rules.order import EdgeKind, Edges

_STYLES: Final = {
    Mood.GOOD: "green",
    Mood.PENDING: "yellow",
    Mood.BUSY: "cyan",
    Mood.BAD: "bold red",
    Mood.UNKNOWN: "magenta",
}


def page(nodes: Mapping[StackKey, Node], edges: Edges, waves: Sequence[Sequence[StackKey]]) -> Page:
    """Return the graph in every form."""
    return Page(
        value=lambda: _value(nodes, edges, waves),
        records=lambda: [
            (key.short, edge.upstream.short, edge.kind.value) for key in sorted(nodes) for edge in sorted(edges[key])
        ],
        view=lambda whole: view(nodes, edges, waves, whole=whole),
    )


def view(
    nodes: Mapping[StackKey, Node], edges: Edges, waves: Sequence[Sequence[StackKey]], *, whole: bool = False
) -> RenderableType:
    """Return a tree of waves: all of one wave can be worked on side by side. ``whole`` says why each stands so."""
    parts: list[RenderableType] = []
    for number, wave in enumerate(waves, start=1):
        tree = Tree(Text(f"wave {number}", style="bold"), guide_style="dim")
        for key in wave:
            node = nodes[key]
            line = Text(key.short).append(f"  {node.tool}", style="dim")
            line.append(f"  {node.state}", style=_STYLES[node.mood])
            for edge in sorted(edges[key]):
                how = "←" if edge.kind is EdgeKind.DATA else "after"
                line.append(f"  {how} {edge.upstream.short}", style="cyan")
            branch = tree.add(line)
            if whole and node.why:
                branch.add(Text(node.why, style="dim"))
        parts.append(tree)
    number = sum(len(wave) for wave in waves)
    totals = f"{number} stack{'' if number == 1 else 's'} in {len(waves)} wave{'' if len(waves) == 1 else 's'}."
    return Group(*parts, Text(), Text(totals, style="bold"))


def _value(nodes: Mapping[StackKey, Node], edges: Edges, waves: Sequence[Sequence[StackKey]]) -> Json:
    return {
        "stacks": [
            {"stack": key.short, "key": str(key), "tool": nodes[key].tool, "state": nodes[key].state}
            for key in sorted(nodes)
        ],
        "edges": [
            {"from": edge.upstream.short, "to": key.short, "kind": edge.kind.value}
            for key in sorted(nodes)
            for edge in sorted(edges[key])
        ],
        "waves": [[key.short for key in wave] for wave in waves],
    }

"""Which stack waits for which: as waves for people, as Mermaid or DOT for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from adapters.contract import Json
from orchestrator.cli.screen import Page
from orchestrator.model.stack import Stack, StackKey
from orchestrator.rules.order import EdgeKind, Edges


def page(stacks: Mapping[StackKey, Stack], edges: Edges, waves: Sequence[Sequence[StackKey]]) -> Page:
    """Return the graph in every form; only edges between ``stacks`` are drawn."""
    return Page(
        value=lambda: _value(stacks, edges, waves),
        records=lambda: [
            (key.short, edge.upstream.short, edge.kind.value) for key in sorted(stacks) for edge in sorted(edges[key])
        ],
        view=lambda _: view(stacks, edges, waves),
    )


def view(stacks: Mapping[StackKey, Stack], edges: Edges, waves: Sequence[Sequence[StackKey]]) -> RenderableType:
    """Return a tree of waves: all of one wave can be worked on side by side."""
    parts: list[RenderableType] = []
    for number, wave in enumerate(waves, start=1):
        tree = Tree(Text(f"wave {number}", style="bold"), guide_style="dim")
        for key in wave:
            line = Text(key.short).append(f"  {stacks[key].tool}", style="dim")
            for edge in sorted(edges[key]):
                how = "←" if edge.kind is EdgeKind.DATA else "after"
                line.append(f"  {how} {edge.upstream.short}", style="cyan")
            tree.add(line)
        parts.append(tree)
    number = sum(len(wave) for wave in waves)
    totals = f"{number} stack{'' if number == 1 else 's'} in {len(waves)} wave{'' if len(waves) == 1 else 's'}."
    return Group(*parts, Text(), Text(totals, style="bold"))


def mermaid(stacks: Mapping[StackKey, Stack], edges: Edges) -> str:
    """Return the graph in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html)."""
    ids = {key: f"s{number}" for number, key in enumerate(sorted(stacks))}
    lines = ["flowchart LR"]
    lines += [f'  {ids[key]}["{_quoted(key.short, "#quot;")}"]' for key in sorted(stacks)]
    for key in sorted(stacks):
        for edge in sorted(edges[key]):
            if edge.upstream in ids:
                arrow = "-->" if edge.kind is EdgeKind.DATA else "-.->"
                lines.append(f"  {ids[edge.upstream]} {arrow} {ids[key]}")
    return "\n".join(lines) + "\n"


def dot(stacks: Mapping[StackKey, Stack], edges: Edges) -> str:
    """Return the graph in DOT (https://graphviz.org/doc/info/lang.html)."""

    def quoted(key: StackKey) -> str:
        return f'"{_quoted(key.short.replace(chr(92), chr(92) * 2), chr(92) + chr(34))}"'

    lines = ["digraph holdfast {", "  rankdir=LR;"]
    lines += [f"  {quoted(key)};" for key in sorted(stacks)]
    for key in sorted(stacks):
        for edge in sorted(edges[key]):
            if edge.upstream in stacks:
                style = "" if edge.kind is EdgeKind.DATA else " [style=dashed]"
                lines.append(f"  {quoted(edge.upstream)} -> {quoted(key)}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str, quote: str) -> str:
    return text.replace('"', quote)


def _value(stacks: Mapping[StackKey, Stack], edges: Edges, waves: Sequence[Sequence[StackKey]]) -> Json:
    return {
        "stacks": [{"stack": key.short, "key": str(key), "tool": stacks[key].tool} for key in sorted(stacks)],
        "edges": [
            {"from": edge.upstream.short, "to": key.short, "kind": edge.kind.value}
            for key in sorted(stacks)
            for edge in sorted(edges[key])
        ],
        "waves": [[key.short for key in wave] for wave in waves],
    }

"""The graph in the languages of other programs: Mermaid and DOT. Only edges between the nodes are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.engine.nodes import Mood, Node
from orchestrator.model.stack import StackKey
from orchestrator.rules.order import EdgeKind, Edges

#: Line and fill of a node, readable on white.
COLOURS: Final = {
    Mood.GOOD: ("#1a7f37", "#dafbe1"),
    Mood.PENDING: ("#9a6700", "#fff8c5"),
    Mood.BUSY: ("#0969da", "#ddf4ff"),
    Mood.BAD: ("#cf222e", "#ffebe9"),
    Mood.UNKNOWN: ("#8250df", "#fbefff"),
}


def mermaid(nodes: Mapping[StackKey, Node], edges: Edges) -> str:
    """Return the graph in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html)."""
    ids = {key: f"s{number}" for number, key in enumerate(sorted(nodes))}
    lines = ["flowchart LR"]
    for key in sorted(nodes):
        node = nodes[key]
        name = f"{_quoted(key.short, '#quot;')}<br/>{_quoted(node.tool, '#quot;')} · {node.state}"
        lines.append(f'  {ids[key]}["{name}"]:::{node.mood}')
    for key in sorted(nodes):
        for edge in sorted(edges[key]):
            if edge.upstream in ids:
                arrow = "-->" if edge.kind is EdgeKind.DATA else "-.->"
                lines.append(f"  {ids[edge.upstream]} {arrow} {ids[key]}")
    for mood in sorted({node.mood for node in nodes.values()}):
        line, fill = COLOURS[mood]
        lines.append(f"  classDef {mood} fill:{fill},stroke:{line},color:#1f2328")
    return "\n".join(lines) + "\n"


def dot(nodes: Mapping[StackKey, Node], edges: Edges) -> str:
    """Return the graph in DOT (https://graphviz.org/doc/info/lang.html)."""
    lines = ["digraph holdfast {", "  rankdir=LR;", '  node [shape=box, style="rounded,filled"];']
    for key in sorted(nodes):
        node = nodes[key]
        line, fill = COLOURS[node.mood]
        label = f"{_escaped(key.short)}\\n{_escaped(node.tool)}, {node.state}"
        lines.append(f'  "{_escaped(key.short)}" [label="{label}", color="{line}", fillcolor="{fill}"];')
    for key in sorted(nodes):
        for edge in sorted(edges[key]):
            if edge.upstream in nodes:
                style = "" if edge.kind is EdgeKind.DATA else " [style=dashed]"
                lines.append(f'  "{_escaped(edge.upstream.short)}" -> "{_escaped(key.short)}"{style};')
    return "\n".join([*lines, "}"]) + "\n"


def _escaped(text: str) -> str:
    return _quoted(text.replace("\\", "\\\\"), '\\"')


def _quoted(text: str, quote: str) -> str:
    return text.replace('"', quote)

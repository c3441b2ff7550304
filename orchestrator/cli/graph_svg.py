"""The graph as a picture that needs no other program: one column a wave, a box a stack, an arrow for what is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from orchestrator.cli.graph_text import COLOURS
from orchestrator.cli.printable import printable
from orchestrator.engine.nodes import Mood, Node
from orchestrator.model.stack import StackKey
from orchestrator.rules.order import EdgeKind, Edges

#: Pixels: of a box its height, between two columns and two rows, around everything.
_HEIGHT, _ACROSS, _DOWN, _MARGIN = 46, 72, 18, 24
#: Pixels that a letter of a name takes, and the narrowest and widest box. Longer names are cut; their title has all.
_LETTER, _NARROWEST, _WIDEST = 7.6, 140, 320
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>'
)
#: Lines and fills where the reader's screen is dark.
_DARK: Final = {
    Mood.GOOD: ("#3fb950", "#12261e"),
    Mood.PENDING: ("#d29922", "#272115"),
    Mood.BUSY: ("#58a6ff", "#121d2f"),
    Mood.BAD: ("#f85149", "#2d1519"),
    Mood.UNKNOWN: ("#a371f7", "#1f1a2e"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    x: float
    y: float
    width: float


def svg(nodes: Mapping[StackKey, Node], edges: Edges, waves: Sequence[Sequence[StackKey]]) -> str:
    """Return the graph as SVG 1.1 (https://www.w3.org/TR/SVG11/); only edges between the nodes are drawn."""
    boxes = _laid_out(edges, waves)
    right = max((box.x + box.width for box in boxes.values()), default=0) + _MARGIN
    bottom = max((box.y + _HEIGHT for box in boxes.values()), default=0) + _MARGIN
    size = f'viewBox="0 0 {right:.0f} {bottom:.0f}" width="{right:.0f}" height="{bottom:.0f}"'
    what = f"{len(boxes)} stacks in {len(waves)} waves"
    drawn = [(key, edge) for key in sorted(boxes) for edge in sorted(edges[key]) if edge.upstream in boxes]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{what}">',
        f"<style>{_style()}</style>",
        _TIP,
        *(_arrow(boxes[edge.upstream], boxes[key], edge.kind) for key, edge in drawn),
        *(_drawn(nodes[key], box) for key, box in sorted(boxes.items())),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _laid_out(edges: Edges, waves: Sequence[Sequence[StackKey]]) -> dict[StackKey, _Box]:
    """Place each wave in a column, its stacks beside what they wait for: fewer arrows cross."""
    boxes: dict[StackKey, _Box] = {}
    left = float(_MARGIN)
    for wave in waves:
        width = min(max(_NARROWEST, *(len(key.short) * _LETTER + 24 for key in wave)), _WIDEST)

        def height(key: StackKey) -> float:
            above = [boxes[edge.upstream].y for edge in edges[key] if edge.upstream in boxes]
            return sum(above) / len(above) if above else 0.0

        for row, key in enumerate(sorted(wave, key=lambda key: (height(key), key))):
            boxes[key] = _Box(x=left, y=_MARGIN + row * (_HEIGHT + _DOWN), width=width)
        left += width + _ACROSS
    return boxes


def _arrow(start: _Box, end: _Box, kind: EdgeKind) -> str:
    x1, y1 = start.x + start.width, start.y + _HEIGHT / 2
    x2, y2 = end.x - 2, end.y + _HEIGHT / 2
    bend = max((x2 - x1) / 2, _ACROSS / 2)
    line = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return f'<path class="edge {kind}" d="{line}" marker-end="url(#tip)"/>'


def _drawn(node: Node, box: _Box) -> str:
    fits = int((box.width - 20) / _LETTER)
    name = node.key.short if len(node.key.short) <= fits else f"{node.key.short[: fits - 1]}…"
    title = f"{node.key}: {node.state}" + (f", {node.why}" if node.why else "")
    return (
        f'<g class="{node.mood}"><title>{_text(title)}</title>'
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{_HEIGHT}" rx="8"/>'
        f'<text class="name" x="{box.x + 12:.0f}" y="{box.y + 19:.0f}">{_text(name)}</text>'
        f'<text x="{box.x + 12:.0f}" y="{box.y + 36:.0f}">{_text(f"{node.tool} · {node.state}")}</text></g>'
    )


def _text(text: str) -> str:
    return escape(printable(text))


def _style() -> str:
    light = "".join(f".{mood} rect{{stroke:{line};fill:{fill}}}" for mood, (line, fill) in COLOURS.items())
    dark = "".join(f".{mood} rect{{stroke:{line};fill:{fill}}}" for mood, (line, fill) in _DARK.items())
    return (
        "text{font:12px ui-monospace,monospace;fill:#59636e}.name{font-weight:bold;fill:#1f2328}"
        "rect{stroke-width:1.5}.edge{fill:none;stroke:#818b98;stroke-width:1.4}.order{stroke-dasharray:4 4}"
        f".tip{{fill:#818b98}}{light}"
        f"@media(prefers-color-scheme:dark){{text{{fill:#9198a1}}.name{{fill:#f0f6fc}}{dark}}}"
    )

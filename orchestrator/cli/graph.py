"""``holdfast graph``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import is_far, opened
from orchestrator.cli.screen import Screen

if TYPE_CHECKING:
    from orchestrator.engine.nodes import Node
    from orchestrator.model.stack import StackKey
    from orchestrator.rules.order import Edges

_FORMATS = ("tree", "mermaid", "dot", "svg")


@rich_click.command()
@stacks_argument
@click.option("--format", "drawn", type=click.Choice(_FORMATS), default="tree", help="How to draw.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, drawn: str) -> None:
    """Draw which stack waits for which, and where each stands: an arrow for an output that is taken, `after` for order.

    `holdfast graph --format svg > graph.svg` makes a picture; it needs no other program.
    """
    if is_far():
        from orchestrator.cli.far.values import graph  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        graph(ctx, stacks, drawn)
        return
    from orchestrator.engine.nodes import node_of  # noqa: PLC0415 -- the engine is heavy
    from orchestrator.rules.order import edges, waves  # noqa: PLC0415 -- needed once the files are read

    with opened(ctx) as place:
        keys = place.chosen(stacks)
        found = {row.key: node_of(row) for row in place.standings(stacks)}
        nodes = {key: found[key] for key in keys if key in found}
        between = edges(place.stacks)
        draw(place.screen, drawn, nodes, between, waves(between, tuple(nodes)))


def draw(
    screen: Screen, drawn: str, nodes: Mapping[StackKey, Node], edges: Edges, waves: Sequence[Sequence[StackKey]]
) -> None:
    """Print a graph in one of its formats."""
    if drawn == "tree":
        from orchestrator.cli.show_graph import page  # noqa: PLC0415 -- rich is heavy

        screen.emit(page(nodes, edges, waves))
    elif drawn == "svg":
        from orchestrator.cli.graph_svg import svg  # noqa: PLC0415 -- seldom asked for

        click.echo(svg(nodes, edges, waves), nl=False)
    else:
        from orchestrator.cli.graph_text import dot, mermaid  # noqa: PLC0415 -- likewise

        click.echo((mermaid if drawn == "mermaid" else dot)(nodes, edges), nl=False)

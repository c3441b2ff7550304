"""``holdfast graph``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import opened

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
    from orchestrator.engine.nodes import node_of  # noqa: PLC0415 -- the engine is heavy
    from orchestrator.rules.order import edges, waves  # noqa: PLC0415 -- needed once the files are read

    with opened(ctx) as place:
        keys = place.chosen(stacks)
        found = {row.key: node_of(row) for row in place.standings(stacks)}
        nodes = {key: found[key] for key in keys if key in found}
        graph = edges(place.stacks)
        order = waves(graph, tuple(nodes))
        if drawn == "tree":
            from orchestrator.cli.show_graph import page  # noqa: PLC0415 -- rich is heavy

            place.screen.emit(page(nodes, graph, order))
        elif drawn == "svg":
            from orchestrator.cli.graph_svg import svg  # noqa: PLC0415 -- seldom asked for

            click.echo(svg(nodes, graph, order), nl=False)
        else:
            from orchestrator.cli.graph_text import dot, mermaid  # noqa: PLC0415 -- likewise

            click.echo((mermaid if drawn == "mermaid" else dot)(nodes, graph), nl=False)

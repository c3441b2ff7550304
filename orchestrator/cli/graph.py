"""``holdfast graph``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import opened


@rich_click.command()
@stacks_argument
@click.option("--format", "drawn", type=click.Choice(["tree", "mermaid", "dot"]), default="tree", help="How to draw.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, drawn: str) -> None:
    """Draw which stack waits for which: an arrow for an output that is taken, `after` for order alone."""
    from orchestrator.cli.show_graph import dot, mermaid, page  # noqa: PLC0415 -- rich is heavy
    from orchestrator.rules.order import edges, waves  # noqa: PLC0415 -- needed once the files are read

    with opened(ctx) as place:
        keys = place.chosen(stacks)
        chosen = {key: place.stacks[key] for key in keys}
        graph = edges(place.stacks)
        match drawn:
            case "mermaid":
                click.echo(mermaid(chosen, graph), nl=False)
            case "dot":
                click.echo(dot(chosen, graph), nl=False)
            case _:
                place.screen.emit(page(chosen, graph, waves(graph, keys)))

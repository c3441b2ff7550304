"""``holdfast outputs STACK [NAME]``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
import rich_click

from adapters.contract import MASK, Json, Output
from orchestrator.cli.arguments import stack_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record, is_far
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page, Screen
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey
from orchestrator.nearest import did_you_mean
from orchestrator.telling.values import text_of

if TYPE_CHECKING:
    from rich.console import RenderableType


@rich_click.command()
@stack_argument
@click.argument("name", required=False, default="")
@click.option("--reveal", is_flag=True, help="Print sensitive values, too.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, name: str, *, reveal: bool) -> None:
    """Print the values that a stack hands to others, as they were when it was applied.

    With NAME only that value, bare, for scripts. Sensitive values are masked.
    """
    if is_far():
        from orchestrator.cli.far.values import outputs  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        outputs(ctx, stack, name, reveal=reveal)
        return
    with at_record(ctx) as place:
        key = place.one(stack)
        found = {
            one: {"value": _shown(output, reveal=reveal), "sensitive": output.sensitive}
            for one, output in sorted(_outputs(place, key).items())
        }
        tell(place.screen, key, found, name, reveal=reveal)


def tell(screen: Screen, key: StackKey, found: Mapping[str, Mapping[str, Json]], name: str, *, reveal: bool) -> None:
    """Print the outputs of a stack, or only that of a name. Raises UsageError where there is none, or it is hidden."""
    if not name:
        screen.emit(_page(found))
        return
    if name not in found:
        hint = did_you_mean(name, found) or f"there are: {', '.join(found)}"
        raise UsageError(f'{key.short} has no output "{name}"', hint=hint)
    if found[name]["sensitive"] and not reveal:
        raise UsageError(f'output "{name}" is sensitive', hint="--reveal prints it")
    bare = found[name]["value"]
    text = bare if isinstance(bare, str) else text_of(bare, whole=True)
    # A script gets the value itself, byte for byte; a terminal must not do what it says.
    click.echo(printable(text) if sys.stdout.isatty() else text, color=True)


def _outputs(place: Place, key: StackKey) -> Mapping[str, Output]:
    from orchestrator.engine.values import stored_outputs  # noqa: PLC0415 -- the engine is heavy

    applied = place.outside.record.row(str(key)).state.applied
    if applied is None:
        raise UsageError(f"{key.short} was never applied", code="HF-1906", hint=f"holdfast apply {key.short}")
    return stored_outputs(place.outside, applied)


def _shown(output: Output, *, reveal: bool) -> Json:
    return MASK if output.sensitive and not reveal else output.value


def _page(found: Mapping[str, Mapping[str, Json]]) -> Page:
    shown = {name: one["value"] for name, one in found.items()}

    def view(whole: bool) -> RenderableType:  # noqa: FBT001 -- the page's signature
        from rich.table import Table  # noqa: PLC0415 -- heavy
        from rich.text import Text  # noqa: PLC0415 -- likewise

        if not shown:
            return Text("No outputs.")
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, value in shown.items():
            table.add_row(Text(printable(name), style="bold"), Text(printable(text_of(value, whole=whole))))
        return table

    return Page(
        value=lambda: {"outputs": {name: dict(one) for name, one in found.items()}},
        records=lambda: [(name, text_of(value, whole=True)) for name, value in shown.items()],
        view=view,
    )

"""``holdfast init``."""

from __future__ import annotations

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import opened
from orchestrator.errors import UsageError


@rich_click.command()
@click.option("--project", default="", help="Name of this repository's record; else its origin URL.")
@click.option("--dry-run", is_flag=True, help="Print it, write nothing.")
@click.option("--force", is_flag=True, help="Write over the one that is there.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, *, project: str, dry_run: bool, force: bool) -> None:
    """Write a stacks.yaml from what this repository holds: roots, playbooks, templates."""
    from orchestrator.cli.writing import Found, deliver, root_of  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.config.init import find, stacks_text  # noqa: PLC0415 -- heavy

    with opened(ctx, dirty=True) as place:
        found = find(place.reading.tree)
        if not found:
            raise UsageError(
                "nothing here looks like a stack",
                hint="write stacks.yaml yourself: a tool: and a path: for each stack, see holdfast schema",
            )
        text = stacks_text(found, project=project)
    told: dict[str, Json] = {"found": [{"path": str(one.path), "tool": one.tool} for one in found]}
    words = [f"found {one.path / one.template}  {one.tool}" for one in found]
    deliver(place.screen, root_of(place.wish.directory), text, Found(told, words), dry_run=dry_run, force=force)

"""``holdfast init``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import world_options
from orchestrator.cli.place import opened
from orchestrator.errors import UsageError


@rich_click.command()
@click.option("--project", default="", help="Name of this repository's record; else its origin URL.")
@click.option("--dry-run", is_flag=True, help="Print it, write nothing.")
@click.option("--force", is_flag=True, help="Write over the one that is there.")
@world_options()
@click.pass_context
def command(ctx: click.Context, *, project: str, dry_run: bool, force: bool) -> None:
    """Write a stacks.yaml from what this repository holds: roots, playbooks, templates."""
    from orchestrator.cli.writing import deliver, root_of  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.config.init import find, stacks_text  # noqa: PLC0415 -- heavy

    with opened(ctx, dirty=True) as place:
        found = find(place.reading.tree)
        if not found:
            raise UsageError(
                "nothing here looks like a stack",
                hint="a folder with a Terraform provider is one",
            )
        for one in found:
            place.screen.say(f"found {one.path}  {one.tool}")
        text = stacks_text(found, project=project)
    deliver(place.screen, root_of(place.wish.directory), text, dry_run=dry_run, force=force)

"""``holdfast worker``."""

from __future__ import annotations

from pathlib import Path

import click
import rich_click

from orchestrator.cli.extras import extra
from orchestrator.cli.options import wish_of, world_options


@rich_click.command()
@click.option(
    "--config",
    metavar="FILE",
    envvar="HOLDFAST_CONFIG",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The operator's file; without it the one that every command finds.",
)
@world_options()
@click.pass_context
def command(ctx: click.Context, config: Path | None) -> None:
    """Do what a service does, beside others on other hosts that share its record in PostgreSQL.

    It opens no port. Signals mean what they mean to `holdfast serve`.
    """
    with extra("service"):
        from orchestrator.cli.serving import work  # noqa: PLC0415 -- the engine is heavy

    ctx.exit(work(config, wish_of(ctx).home))

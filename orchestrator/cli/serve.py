"""``holdfast serve``."""

from __future__ import annotations

import os
from pathlib import Path

import click
import rich_click

from orchestrator.cli.extras import extra
from orchestrator.cli.options import wish_of, world_options
from orchestrator.errors import UsageError


@rich_click.command()
@click.option(
    "--config",
    metavar="FILE",
    envvar="HOLDFAST_CONFIG",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The operator's file; without it the one that every command finds.",
)
@click.option(
    "--listen", metavar="ADDRESS:PORT", help="Where to answer, instead of what the file says; off for nowhere."
)
@world_options()
@click.pass_context
def command(ctx: click.Context, config: Path | None, listen: str | None) -> None:
    """Watch the declared sources, keep every stack as asked for, and look for drift, until told to stop.

    SIGTERM lets applies end and begins nothing new, a second one interrupts them once. SIGHUP reads the operator's
    file anew.
    """
    if os.environ.get("HOLDFAST_URL"):
        raise UsageError("HOLDFAST_URL is set: this would be its own client", code="HF-1915", hint="unset it to serve")
    with extra("service"):
        from orchestrator.cli.serving import serve  # noqa: PLC0415 -- the engine is heavy

    ctx.exit(serve(config, listen, wish_of(ctx).home))

"""The entry of ``holdfast``: global options, and the one place where errors become words and an exit code.

This module imports click and nothing heavy: ``holdfast --help`` is what people type first.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import click

import orchestrator
from orchestrator.cli.group import LazyGroup
from orchestrator.cli.options import world_options
from orchestrator.errors import EXIT_DONE, EXIT_USAGE

_EPILOG = (
    "Exit codes: 0 done or no changes, 1 failed, 2 changes found (--detailed-exitcode), 3 waits for approval, "
    "4 denied, 5 unknown, held or deferred, 64 wrong usage or configuration, 75 locked, 130 interrupted."
)


@click.group(
    "holdfast",
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(orchestrator.__version__, "-V", "--version", message="holdfast %(version)s")
@world_options(top=True)
@click.pass_context
def holdfast(ctx: click.Context) -> None:
    """Keep infrastructure as its repository asks for: plan, apply, and see drift.

    Begin with `holdfast demo`, or in a repository of your own with `holdfast plan`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Nothing that goes wrong inside reaches a person as a traceback."""
    # Loading modules makes many objects and no garbage: looking for it costs a quarter of a short command's time.
    gc.set_threshold(100_000, 20, 20)
    # Two means "changes found" here, as with Terraform: wrong usage needs a code of its own.
    click.UsageError.exit_code = EXIT_USAGE
    try:
        code = holdfast.main(
            args=None if arguments is None else list(arguments), prog_name="holdfast", standalone_mode=False
        )
    except Exception as error:  # noqa: BLE001 -- the last door: everything becomes words and a code here
        from orchestrator.cli.failure import report  # noqa: PLC0415 -- only a failure pays for it

        sys.exit(report(error))
    sys.exit(code if isinstance(code, int) else EXIT_DONE)

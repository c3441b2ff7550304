"""``holdfast wait [STACK…] --for Ready``."""

from __future__ import annotations

import time

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import is_far, opened, screen_of
from orchestrator.errors import EXIT_FAILED, OrchestratorError

_CONDITIONS = ("Ready", "Reconciling", "Stalled", "Drifted", "AwaitingApproval", "Suspended", "Destroyed")
#: Seconds between two looks.
_EVERY_S = 1.0


class TimeIsUp(OrchestratorError):
    """What was waited for did not come in time."""

    code = "HF-1916"
    exit_code = EXIT_FAILED


@rich_click.command()
@stacks_argument
@click.option("--for", "condition", type=click.Choice(_CONDITIONS), default="Ready", show_default=True, help="What.")
@click.option("--timeout", metavar="TIME", default="10m", show_default=True, help="At most so long.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, condition: str, timeout: str) -> None:
    """Wait until each stack is ready, or whatever else --for names."""
    from orchestrator.cli.moments import duration  # noqa: PLC0415 -- nothing is opened for a mistyped word

    ends_at = time.monotonic() + duration(timeout)
    while True:
        met, missing = _looked(ctx, stacks, condition)
        if not missing:
            break
        if time.monotonic() >= ends_at:
            raise TimeIsUp(
                f"after {timeout} still not {condition}: {', '.join(missing)}",
                hint=f"holdfast explain {missing[0]}",
            )
        time.sleep(_EVERY_S)
    # Its exit code says all to people.
    screen_of(ctx).did({"condition": condition, "stacks": list(met)})


def _looked(ctx: click.Context, words: tuple[str, ...], condition: str) -> tuple[list[str], list[str]]:
    """Return the stacks that meet the condition, and those that do not."""
    if is_far():
        from orchestrator.cli.far import seeing  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        return seeing.looked(ctx, words, condition)
    with opened(ctx) as place:
        rows = place.standings(words)
    met: list[str] = []
    missing: list[str] = []
    for row in rows:
        holds = row.conditions[condition]
        (met if holds else missing).append(row.key.short)
    return met, missing

"""``holdfast completion bash|zsh|fish``."""

from __future__ import annotations

import click
import rich_click
from click.shell_completion import get_completion_class

from orchestrator.errors import UsageError


@rich_click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script that completes words in your shell.

    For bash: `holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast`.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f'no completion for "{shell}"')
    click.echo(kind(ctx.find_root().command, {}, "holdfast", "_HOLDFAST_COMPLETE").source(), nl=False)

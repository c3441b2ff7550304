"""A click group that imports a command only when it is run."""

from __future__ import annotations

from importlib import import_module

import click

from orchestrator.cli.menu import COMMANDS, PANELS
from orchestrator.errors import UsageError
from orchestrator.nearest import did_you_mean


class LazyGroup(click.Group):
    """The group behind ``holdfast``.

    Listing asks for each command by name, and gets a card that bears its one line of help; running resolves
    the real one. (A subclass, against the habit of the house: click offers no other way in. And not rich-click's
    group: its rendering alone would double the time of ``holdfast --help``; every command's own help uses it.)
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return every command, in the menu's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- likewise
        """Return a card for the help and for completion; the command itself is not imported."""
        return card(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- likewise
        """Write the commands under the headings of the menu."""
        width = max(map(len, COMMANDS))
        for panel, commands in PANELS.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names. Raises UsageError with the nearest spelling."""
        name = args[0]
        if name not in COMMANDS:
            if ctx.resilient_parsing:
                return None, None, args[1:]
            raise UsageError(f'no command "{name}"', hint=did_you_mean(name, COMMANDS) or "see: holdfast --help")
        return name, load(name), args[1:]


def card(name: str) -> click.Command:
    """Return a stand-in with a command's name and one line of help."""
    summary = COMMANDS[name].summary
    return click.Command(name, help=summary, short_help=summary)


def load(name: str) -> click.Command:
    """Import a command."""
    command: click.Command = import_module(COMMANDS[name].module).command
    command.name = name
    return command

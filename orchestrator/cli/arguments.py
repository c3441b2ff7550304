"""The stacks that a command is about. A room of its own: only commands that take stacks pay for their completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.cli.complete import complete_name, complete_stack

_F = TypeVar("_F", bound=Callable[..., Any])


def stacks_argument(function: _F) -> _F:
    """Add ``[STACK…]``: names, ``name@env``, globs and selectors; none means all."""
    return click.argument("stacks", metavar="[STACK]...", nargs=-1, shell_complete=complete_stack)(function)


def stack_argument(function: _F) -> _F:
    """Add one ``STACK``."""
    return click.argument("stack", metavar="STACK", shell_complete=complete_stack)(function)


def confirm_option(function: _F) -> _F:
    """Add ``--confirm NAME`` to a command about one stack."""
    words = "The stack's name, said beforehand."
    option = click.option("--confirm", metavar="NAME", default="", shell_complete=complete_name, help=words)
    return option(function)


def confirm_options(function: _F) -> _F:
    """Add ``--confirm NAME`` to a command about several stacks."""
    words = "The stack's name, said beforehand; once for each stack."
    option = click.option("--confirm", metavar="NAME", multiple=True, shell_complete=complete_name, help=words)
    return option(function)

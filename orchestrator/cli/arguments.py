"""The stacks that a command is about. A room of its own: only commands that take stacks pay for their completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.cli.complete import complete_stack

_F = TypeVar("_F", bound=Callable[..., Any])


def stacks_argument(function: _F) -> _F:
    """Add ``[STACK…]``: names, ``name@env``, globs and selectors; none means all."""
    return click.argument("stacks", metavar="[STACK]...", nargs=-1, shell_complete=complete_stack)(function)


def stack_argument(function: _F) -> _F:
    """Add one ``STACK``."""
    return click.argument("stack", metavar="STACK", shell_complete=complete_stack)(function)

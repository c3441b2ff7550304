"""The options that commands share, and the value that they end up in."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


class Form(StrEnum):
    """How a command prints what it found."""

    TABLE = "table"
    WIDE = "wide"
    PLAIN = "plain"
    JSON = "json"
    YAML = "yaml"
    #: Where there are lines of files to speak of: workflow commands, and a log for code scanning.
    GITHUB = "github"
    SARIF = "sarif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for around a command: where its world is and how to print."""

    #: The folder to act in, ``-C``.
    directory: Path = Path()
    #: Name of the source in the operator's file; empty takes what the folder holds.
    source: str = ""
    #: Only stacks of this environment; empty takes all.
    environment: str = ""
    #: Commit, tag or branch; empty takes HEAD.
    ref: str = ""
    #: Where the record and all else lives; None takes the default for this repository.
    home: Path | None = None
    form: Form = Form.TABLE
    #: None asks the terminal.
    color: bool | None = None
    no_input: bool = False


def wish_of(ctx: click.Context) -> Wish:
    """Return what was asked for so far."""
    return ctx.obj if isinstance(ctx.obj, Wish) else Wish(color=_color_wished(), no_input=_on("HOLDFAST_NO_INPUT"))


def _color_wished() -> bool | None:
    """Return False where the environment forbids colour (https://no-color.org), None where it says nothing."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return False if plain else None


def _on(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes"}


def _keep(field: str, given: object = None) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Return a callback that keeps an option in the wish: the same option works before and after the command."""

    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        wish = wish_of(ctx)
        if value not in {None, False}:
            changed: dict[str, Any] = {field: value if given is None else given}
            wish = replace(wish, **changed)
        ctx.obj = wish

    return keep


def world_options(*, top: bool = False) -> Callable[[_F], _F]:
    """Add ``-C --source -e --ref --home --no-color --no-input``; only those before the command read ``HOLDFAST_*``."""

    def env(name: str) -> str | None:
        return name if top else None

    return _stacked(
        click.option(
            "-C",
            "directory",
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            expose_value=False,
            callback=_keep("directory"),
            help="Act in this folder.",
        ),
        click.option(
            "--source",
            metavar="NAME",
            envvar=env("HOLDFAST_SOURCE"),
            expose_value=False,
            callback=_keep("source"),
            help="A source of the operator's file, without a checkout.",
        ),
        click.option(
            "-e",
            "--env",
            "environment",
            metavar="ENV",
            envvar=env("HOLDFAST_ENV"),
            shell_complete=_environments,
            expose_value=False,
            callback=_keep("environment"),
            help="Only stacks of this environment.",
        ),
        click.option(
            "--ref",
            metavar="REF",
            expose_value=False,
            callback=_keep("ref"),
            help="Commit, tag or branch instead of HEAD.",
        ),
        click.option(
            "--home",
            metavar="DIR",
            envvar=env("HOLDFAST_HOME"),
            type=click.Path(file_okay=False, path_type=Path),
            expose_value=False,
            callback=_keep("home"),
            help="Where record and state live.",
        ),
        click.option(
            "--no-color",
            is_flag=True,
            expose_value=False,
            callback=_keep("color", given=False),
            help="No colour; NO_COLOR and TERM=dumb do the same.",
        ),
        click.option(
            "--no-input",
            is_flag=True,
            expose_value=False,
            callback=_keep("no_input"),
            help="Never ask.",
        ),
    )


def output_options(function: _F) -> _F:
    """Add ``-o FORM``, ``--json`` and ``--plain``."""
    return forms(*(form for form in Form if form not in {Form.GITHUB, Form.SARIF}))(function)


def run_options(function: _F) -> _F:
    """Add what `output_options` adds, and ``-o github`` for what is read in the log of a workflow."""
    return forms(*(form for form in Form if form is not Form.SARIF))(function)


def forms(*offered: Form) -> Callable[[_F], _F]:
    """Add ``-o`` with the forms offered, ``--json`` and ``--plain``."""
    return _stacked(
        click.option(
            "-o",
            "form",
            type=click.Choice([form.value for form in offered]),
            expose_value=False,
            callback=lambda ctx, parameter, value: _keep("form")(ctx, parameter, value and Form(value)),
            help="How to print.",
        ),
        click.option(
            "--json",
            is_flag=True,
            expose_value=False,
            callback=_keep("form", given=Form.JSON),
            help="The same as -o json.",
        ),
        click.option(
            "--plain",
            is_flag=True,
            expose_value=False,
            callback=_keep("form", given=Form.PLAIN),
            help="One record a line, fields parted by tabs.",
        ),
    )


def proposal_option(function: _F) -> _F:
    """Add ``--proposal N``: which plan of a stack is meant, so that a word is bound to what was seen."""
    words = "Of a STACK: the plan that you have seen, as plan, apply and show print it."
    return click.option("--proposal", metavar="N", type=click.IntRange(min=1), help=words)(function)


def parallel_option(function: _F) -> _F:
    """Add ``--parallel N``; 0 stands for as many as the machine bears."""
    number = click.IntRange(0, 64)
    return click.option("--parallel", metavar="N", type=number, default=0, help="Stacks worked on at once.")(function)


def _environments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from orchestrator.cli.complete import complete_environment  # noqa: PLC0415 -- only a key press asks for it

    return complete_environment(ctx, parameter, incomplete)


def _stacked(*options: Callable[[Any], Any]) -> Callable[[_F], _F]:
    def add(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return add

"""``holdfast token``: by what people and programs are known to the service."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import rich_click

from orchestrator.cli.options import output_options, wish_of, world_options
from orchestrator.errors import UsageError
from orchestrator.nearest import did_you_mean

if TYPE_CHECKING:
    from orchestrator.config.operator import Operator
    from orchestrator.effects.tokens import Tokens

_config = click.option(
    "--config",
    metavar="FILE",
    envvar="HOLDFAST_CONFIG",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The operator's file of the service; without it the one that every command finds.",
)


@rich_click.group()
@world_options()
def command() -> None:
    """Make, list and revoke tokens. They count for the service whose operator's file and home these are."""


@command.command("create")
@click.argument("name")
@click.option("--role", required=True, help="A role of the operator's file, or admin or view.")
@click.option(
    "--for",
    "person",
    metavar="EMAIL",
    default="",
    help="Whose it is: what is done with it is done by them. Left out, it is a program's.",
)
@click.option("--until", metavar="WHEN", default="", help="When it ends by itself: 90d, 2027-01-31.")
@_config
@world_options()
@output_options
@click.pass_context
def create(ctx: click.Context, name: str, *, role: str, person: str, until: str, config: Path | None) -> None:
    """Make a token and print it, which is done once: nobody can be shown it again.

    EMAIL is the address that the person's git bears, so that they are one person here and at their own machine.
    """
    from orchestrator.cli.moments import moment  # noqa: PLC0415 -- only this word needs it
    from orchestrator.cli.screen import screen_for  # noqa: PLC0415 -- likewise
    from orchestrator.config.operator import NO_FILE  # noqa: PLC0415 -- likewise
    from orchestrator.model.moment import stamp  # noqa: PLC0415 -- likewise
    from orchestrator.rules.rights import BUILT_IN  # noqa: PLC0415 -- likewise

    ends = moment(until, time.time()) if until else None
    if ends is not None and ends <= time.time():
        raise UsageError(f'"{until}" is over already', code="HF-1908", hint="name a time to come: 90d")
    with _opened(ctx, config) as (operator, tokens):
        known = [*operator.roles, *BUILT_IN]
        if role not in known:
            there = f"there are: {', '.join(known)}" if operator.file else NO_FILE
            hint = did_you_mean(role, known) or there
            raise UsageError(f'no role "{role}"', code="HF-1940", hint=hint)
        token, text = tokens.create(name, role, by=getpass.getuser(), person=person, until=ends)
    screen = screen_for(wish_of(ctx))
    value = {
        "token": text,
        "id": token.id,
        "name": name,
        "role": role,
        "person": person or None,
        "until": stamp(ends or 0.0) or None,
    }
    if screen.for_people:
        click.echo(text)
        screen.say(f"{person or name} may do what {role} may; the token is shown this once")
    else:
        screen.did(value, text)


@command.command("list")
@_config
@world_options()
@output_options
@click.pass_context
def list_(ctx: click.Context, *, config: Path | None) -> None:
    """List every token that was ever made; none shows what proves it."""
    from orchestrator.cli.screen import screen_for  # noqa: PLC0415 -- only this word needs it
    from orchestrator.cli.show_tokens import page  # noqa: PLC0415 -- rich is heavy
    from orchestrator.config.operator import NO_FILE  # noqa: PLC0415 -- likewise

    screen = screen_for(wish_of(ctx))
    with _opened(ctx, config) as (operator, tokens):
        every = tokens.every()
    screen.emit(page(every, time.time()))
    if not every and not operator.file:
        screen.say(NO_FILE)


@command.command("revoke")
@click.argument("name")
@_config
@world_options()
@output_options
@click.pass_context
def revoke(ctx: click.Context, name: str, *, config: Path | None) -> None:
    """End a token, by its name or id: from now on it opens nothing."""
    from orchestrator.cli.screen import screen_for  # noqa: PLC0415 -- only this word needs it

    with _opened(ctx, config) as (_, tokens):
        token = tokens.revoke(name, by=getpass.getuser())
    screen_for(wish_of(ctx)).did({"id": token.id, "name": token.name}, f"the token {token.name} opens nothing any more")


@contextmanager
def _opened(ctx: click.Context, config: Path | None) -> Iterator[tuple[Operator, Tokens]]:
    from orchestrator.assembly.doorkeeping import open_tokens, serving_home  # noqa: PLC0415 -- heavy
    from orchestrator.config.operator import operator_of  # noqa: PLC0415 -- likewise

    environment: dict[str, Any] = dict(os.environ)
    if config is not None:
        environment["HOLDFAST_CONFIG"] = str(config)
    operator = operator_of(environment)
    home = serving_home(operator, wish_of(ctx).home, environment)
    with open_tokens(operator, home, environment) as tokens:
        yield operator, tokens

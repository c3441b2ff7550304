"""``holdfast validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.foreign import check_ours
from orchestrator.cli.options import Form, forms, wish_of, world_options
from orchestrator.cli.place import NO_FOLDER, Place, looked_at, screen_of
from orchestrator.errors import EXIT_DONE, EXIT_USAGE, ConfigError

if TYPE_CHECKING:
    from orchestrator.cli.show_problems import Finding


@rich_click.command()
@stacks_argument
@click.option("--strict", is_flag=True, help="Notes and warnings count as errors.")
@click.option("--tools", is_flag=True, help="Also let each stack's tool check its files.")
@click.option("--dirty", is_flag=True, help="The files as they are, committed or not.")
@world_options()
@forms(*Form)
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, strict: bool, tools: bool, dirty: bool) -> None:
    """Check files, references and cycles; every error at once, with line and column."""
    from adapters.contract import Severity  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.checking import found_without_tools  # noqa: PLC0415 -- likewise
    from orchestrator.cli.show_problems import of_error, page  # noqa: PLC0415 -- likewise

    if tools:
        check_ours("validate --tools")
    found: list[Finding] = []
    number = 0
    try:
        with looked_at(ctx, dirty=dirty) as place:
            if not dirty:
                place.warn_of_dirt("validate")
            keys = place.chosen(stacks)
            number = len(keys)
            for notice in (*place.world.operator.notices, *place.reading.layout.notices):
                found += of_error(notice, Severity.ERROR if notice.code == NO_FOLDER else Severity.NOTE)
            found += found_without_tools(place, keys)
            if tools:
                found += _asked_tools(place, stacks)
    except ConfigError as error:
        found += of_error(error)
    screen_of(ctx).emit(page(found, number))
    wrong = [one for one in found if strict or one.severity is Severity.ERROR]
    if not wrong and wish_of(ctx).form is Form.TABLE:
        screen_of(ctx).next("holdfast plan")
    ctx.exit(EXIT_USAGE if wrong else EXIT_DONE)


def _asked_tools(place: Place, words: tuple[str, ...]) -> list[Finding]:
    from orchestrator.cli.progress import progress  # noqa: PLC0415 -- seldom asked for
    from orchestrator.cli.show_problems import of_problem  # noqa: PLC0415 -- likewise
    from orchestrator.cli.validating import check  # noqa: PLC0415 -- likewise

    with progress(place.screen) as tell:
        problems = check(place, place.chosen(words), tell)
    return [of_problem(problem, key.short) for key, problem in problems]

"""``holdfast explain STACK|HF-1042``."""

from __future__ import annotations

import re

import click
import rich_click

from orchestrator.cli.complete import complete_stack_or_code
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import is_far, opened, screen_of
from orchestrator.errors import UsageError
from orchestrator.nearest import did_you_mean

_CODE = re.compile(r"^(?:hf-?)?(\d{4})$", re.IGNORECASE)


@rich_click.command()
@click.argument("what", metavar="STACK|CODE", shell_complete=complete_stack_or_code)
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, what: str) -> None:
    """Say what is next for a stack and why, or what an error code means."""
    code = _CODE.match(what)
    if code:
        _explain_code(ctx, f"HF-{code[1]}")
    else:
        _explain_stack(ctx, what)


def _explain_code(ctx: click.Context, code: str) -> None:
    from orchestrator.catalogue import CODES  # noqa: PLC0415 -- a stack needs no catalogue
    from orchestrator.cli.show_explain import code_page  # noqa: PLC0415 -- likewise

    if code not in CODES:
        # Of figures that only look alike nothing follows: the same area's are what a slip of the hand meant.
        hint = did_you_mean(code, [one for one in CODES if one[:5] == code[:5]]) or "copy it from an error message"
        raise UsageError(f"no error {code}", code="HF-1907", hint=hint)
    screen_of(ctx).emit(code_page(code, CODES[code]))


def _explain_stack(ctx: click.Context, word: str) -> None:
    from orchestrator.cli.show_explain import page  # noqa: PLC0415 -- a code needs no world
    from orchestrator.engine.explaining import explain  # noqa: PLC0415 -- likewise

    if is_far():
        from orchestrator.cli.far.values import explanation  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        explanation(ctx, word)
        return
    with opened(ctx) as place:
        explained = explain(place.outside, place.reading, place.world.operator.teams, place.one(word))
        place.screen.emit(page(explained, place.now))

"""``holdfast diff STACK [A] [B]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.arguments import stack_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey

if TYPE_CHECKING:
    from orchestrator.cli.show_diff import Side
    from orchestrator.engine.outside import Reading

_APPLIED = "applied"
_ASKED = "asked"


@rich_click.command()
@stack_argument
@click.argument("left", metavar="[A]", default=_APPLIED)
@click.argument("right", metavar="[B]", default=_ASKED)
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, left: str, right: str) -> None:
    """Compare a stack's files and settings: at two revisions, or in two environments.

    A and B are an environment, a commit or tag, `applied` or `asked`. Without them: what is applied against what is
    asked for.
    """
    from orchestrator.cli.show_diff import Difference, page  # noqa: PLC0415 -- rich is heavy

    with opened(ctx) as place:
        environments = {key.environment for key in place.stacks}
        key = _any_of(place, stack) if {left, right} & environments else place.one(stack)
        place.screen.emit(page(Difference(left=_side(place, key, left), right=_side(place, key, right))))


def _any_of(place: Place, word: str) -> StackKey:
    """Return one stack of a name that lives in several environments: A and B say which."""
    from orchestrator.rules.choosing import named  # noqa: PLC0415 -- seldom asked for

    return min(named(word, "", place.stacks))


def _side(place: Place, key: StackKey, word: str) -> Side:
    there = StackKey(source=key.source, name=key.name, environment=word)
    if there in place.stacks:
        return _read(there, place.reading, word)
    if word == _ASKED:
        return _read(key, place.reading, word)
    revision = _applied(place, key) if word == _APPLIED else word
    return _read(key, place.world.at(revision), word)


def _applied(place: Place, key: StackKey) -> str:
    applied = place.outside.record.row(str(key)).state.applied
    if applied is None:
        raise UsageError(f"{key.short} was never applied", code="HF-1906", hint=f"holdfast plan {key.short}")
    return applied.revision


def _read(key: StackKey, reading: Reading, label: str) -> Side:
    from orchestrator.cli.show_diff import Side  # noqa: PLC0415 -- rich is heavy
    from orchestrator.engine.explaining import settings  # noqa: PLC0415 -- likewise

    stack = reading.layout.stacks.get(key)
    if stack is None:
        raise UsageError(f"no stack {key.short} at {reading.revision.short}", code="HF-1901")
    tree = reading.tree
    return Side(
        label=label,
        revision=reading.revision.id,
        files={str(path): tree.id_of(path) for path in tree.files(stack.path)},
        settings={name: value for name, value, _ in settings(stack)},
    )

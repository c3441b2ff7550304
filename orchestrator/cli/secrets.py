"""``holdfast secrets check``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import EXIT_DONE, EXIT_FAILED, OrchestratorError, SecretMissing
from orchestrator.model.reference import secret_references
from orchestrator.model.stack import StackKey

if TYPE_CHECKING:
    from orchestrator.cli.show_secrets import Checked, Named, StoreCheck
    from orchestrator.ports import Secret

#: Asked for where nothing names a secret: a store that does not know it has answered.
_PROBE = "holdfast/check"
#: What is wrong with one secret, and not with the store that said so.
_OF_ONE = "HF-4401"


@rich_click.group()
def command() -> None:
    """Look at the secret stores; no value is ever printed."""


@command.command("check")
@world_options()
@output_options
@click.pass_context
def check(ctx: click.Context) -> None:
    """Say of each store whether it answers, and of each stack whether what it names is there.

    Exits with 1 where a store does not answer or a secret is missing or not granted.
    """
    from orchestrator.cli.show_secrets import Checked, page  # noqa: PLC0415 -- rich is heavy

    with opened(ctx) as place:
        stacks = {key: list(_of_stack(place, key)) for key in place.chosen(())}
        own = [_named(name, "operator", place.world.secrets.found) for name in sorted(_own(place))]
        names = {one.name for some in (own, *stacks.values()) for one in some}
        found: Checked = Checked(stores=list(_stores(place, sorted(names))), stacks=stacks, operator=own)
        place.screen.emit(page(found))
        ctx.exit(EXIT_DONE if found.well else EXIT_FAILED)


def _own(place: Place) -> set[str]:
    """Return the names that the operator's file uses; the stores of a host without one have no file to name any."""
    return set(place.world.operator.reserved_secrets())


def _of_stack(place: Place, key: StackKey) -> Iterator[Named]:
    stack, operator = place.stacks[key], place.world.operator
    readable = place.world.secrets.readable_by(key, foreign=False)
    for name in secret_references({**stack.inputs, **stack.settings}):
        yield _named(name, "inputs", readable.found)
    sets = [
        operator.credentials[one]
        for one in (stack.credentials.plan, stack.credentials.apply)
        if one in operator.credentials
    ]
    for name in sorted({name for one in sets for name in secret_references(one.environment)}):
        yield _named(name, "credentials", place.world.secrets.found)


def _named(name: str, used: str, found: Callable[[str], tuple[Secret, str]]) -> Named:
    from orchestrator.cli.show_secrets import Named  # noqa: PLC0415 -- rich is heavy

    try:
        return Named(name=name, used=used, store=found(name)[1])
    except OrchestratorError as error:
        return Named(name=name, used=used, code=error.code, why=error.message, hint=error.hint)


def _stores(place: Place, names: list[str]) -> Iterator[StoreCheck]:
    from orchestrator.cli.show_secrets import StoreCheck  # noqa: PLC0415 -- rich is heavy

    for shelf in place.world.secrets.shelves:
        trouble: SecretMissing | None = None
        for name in names or [_PROBE]:
            try:
                shelf.store.find(name)
            except SecretMissing as error:
                if error.code != _OF_ONE:
                    trouble = error
                    break
        where = shelf.store.place("…")
        if trouble is None:
            yield StoreCheck(store=where)
        else:
            yield StoreCheck(store=where, code=trouble.code, why=trouble.message, hint=trouble.hint)

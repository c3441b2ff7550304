"""Whether stores answer and what stacks name is there; never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import Json
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.stack import StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCheck:
    """A store, and what keeps it from answering."""

    #: Where it looks, with ``…`` for the name.
    store: str
    code: str = ""
    why: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A secret that is named, and where it is or why it cannot be had."""

    name: str
    #: ``inputs``, ``credentials``, or ``operator``.
    used: str
    store: str = ""
    code: str = ""
    why: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """All that was looked at."""

    stores: Sequence[StoreCheck]
    stacks: Mapping[StackKey, Sequence[Named]]
    operator: Sequence[Named]

    @property
    def well(self) -> bool:
        """Whether every store answers and every secret is there for whoever names it."""
        named = [one.code for some in (self.operator, *self.stacks.values()) for one in some]
        return not any((*named, *(one.code for one in self.stores)))


def page(checked: Checked) -> Page:
    """Return what was looked at in every form."""
    return Page(
        value=lambda: {
            "stores": [
                {"store": one.store, "answers": not one.code, "code": one.code, "why": one.why, "hint": one.hint}
                for one in checked.stores
            ],
            "stacks": [
                {"stack": key.short, "key": str(key), "secrets": [_value(one) for one in named]}
                for key, named in checked.stacks.items()
            ],
            "operator": [_value(one) for one in checked.operator],
        },
        records=lambda: list(_records(checked)),
        view=lambda _: _view(checked),
    )


def _value(one: Named) -> dict[str, Json]:
    found: dict[str, Json] = {"name": one.name, "used": one.used, "found": not one.code, "store": one.store}
    return found | {"code": one.code, "why": one.why, "hint": one.hint}


def _records(checked: Checked) -> Iterator[tuple[str, ...]]:
    for store in checked.stores:
        yield "store", store.store, "answers" if not store.code else store.code, store.why
    for whose, named in _named(checked):
        for one in named:
            yield "secret", whose, one.name, one.used, one.store or one.code, one.why


def _named(checked: Checked) -> Iterator[tuple[str, Sequence[Named]]]:
    yield from ((key.short, named) for key, named in checked.stacks.items())
    yield "operator", checked.operator


def _view(checked: Checked) -> RenderableType:
    stores = Table.grid(padding=(0, 2, 0, 0))
    for store in checked.stores:
        stores.add_row(_mark(store.code), Text(printable(store.store)), _words(store))
    rows = Table.grid(padding=(0, 2, 0, 0))
    for whose, named in _named(checked):
        for one in named:
            said = _words(one) if one.code else Text(printable(one.store))
            rows.add_row(_mark(one.code), Text(whose, style="bold"), Text(printable(one.name)), Text(one.used), said)
    nothing = Text("Nothing names a secret.", style="dim")
    return Group(stores, Text(), rows if rows.row_count else nothing)


def _mark(code: str) -> Text:
    return Text("✗", style="bold red") if code else Text("✓", style="green")


def _words(one: StoreCheck | Named) -> Text:
    if not one.code:
        return Text("answers")
    return Text(printable(f"{one.code} {one.why}" + (f"; {one.hint}" if one.hint else "")))

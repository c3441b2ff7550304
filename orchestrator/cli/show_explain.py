"""Why a stack is where it is: the decision, what stops it, what changed, and where each setting comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import Json
from orchestrator.catalogue import Entry
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.engine.explaining import Explained, value
from orchestrator.telling.values import text_of


def page(explained: Explained, now: float) -> Page:
    """Return the explanation in every form."""
    return page_of(value(explained, now))


def page_of(document: Mapping[str, Any]) -> Page:
    """Return the explanation of such a document in every form."""
    return Page(
        value=lambda: dict(document),
        records=lambda: [
            (one["name"], text_of(one["value"], whole=True), one["origin"]) for one in document["settings"]
        ],
        view=lambda whole: _view(document, whole=whole),
    )


def _view(it: Mapping[str, Any], *, whole: bool) -> RenderableType:
    changed = [f"changed: {part}" for part in it["changed"]]
    parts: list[RenderableType] = [
        Text(it["stack"], style="bold").append(f"  {it['tool']}  {it['sync']}, {it['health']}", style="dim"),
        Text(),
        *_section("asked for", [f"revision {it['revision'][:7]}", *changed]),
        *_section("applied", it["applied"]),
        *_section("may approve", it["approvers"]),
        *_section("waits", it["waiting"]),
        *_section("trouble", it["trouble"]),
        *_section("drift", it["drift"]),
        Text("settings", style="dim"),
        _settings_table([(one["name"], one["value"], one["origin"]) for one in it["settings"]], whole=whole),
        Text(),
        Text(f"Next: {printable(it['next']['sentence'])}.", style="bold"),
    ]
    return Group(*parts)


def _section(title: str, lines: Sequence[str]) -> Iterator[Text]:
    if not lines:
        return
    yield Text(title, style="dim")
    for line in lines:
        first, *more = line.splitlines() or [""]
        yield Text(f"  {printable(first)}")
        yield from (Text(f"    {printable(one)}", style="dim") for one in more)


def _settings_table(rows: Sequence[tuple[str, Json, str]], *, whole: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, said, place in rows:
        shown = text_of(said, whole=whole)
        table.add_row(Text(f"  {printable(name)}"), Text(shown), Text(printable(place), style="dim"))
    return table


def code_page(code: str, entry: Entry) -> Page:
    """Return what an error code means, in every form."""
    return Page(
        value=lambda: {"code": code, "title": entry.title, "meaning": entry.meaning, "remedy": entry.remedy},
        records=lambda: [(code, entry.title, entry.meaning, entry.remedy)],
        view=lambda _: Group(
            Text(f"{code}  {entry.title}", style="bold"),
            Text(f"  {entry.meaning}"),
            Text(f"  {entry.remedy}", style="green"),
        ),
    )

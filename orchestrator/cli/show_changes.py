"""Changes of single resources, as lines, records and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from adapters.contract import AttributeChange, Change, ChangeKind
from orchestrator.cli.printable import printable
from orchestrator.cli.symbols import SIGNS, by_risk
from orchestrator.telling.values import before_and_after

#: So many harmless changes of one stack are listed; destructive ones always are, all of them.
_LISTED = 20
#: So many attributes of one harmless change are listed.
_ATTRIBUTES = 8


def lines(changes: Iterable[Change], *, whole: bool, rest: str) -> Iterator[Text | Table]:
    """Yield what to print for the changes of one stack; ``rest`` is the command that shows those left out."""
    listed = 0
    left_out = 0
    for change in by_risk(changes):
        listed += not change.kind.destructive
        if listed > _LISTED and not whole and not change.kind.destructive:
            left_out += 1
            continue
        yield _head(change)
        table = _attributes(change, whole=whole)
        if table is not None:
            yield table
    if left_out:
        yield Text(f"    … and {left_out} more: {rest}", style="dim")


def _head(change: Change) -> Text:
    sign = SIGNS[change.kind]
    head = Text("    ").append(f"{sign.symbol} {printable(change.address)}", style=sign.style)
    if change.kind.destructive:
        head.append(f"  {sign.word}", style=sign.style)
    if change.reason:
        head.append(f"  ({printable(change.reason.replace('_', ' '))})", style="dim")
    return head


def _attributes(change: Change, *, whole: bool) -> Table | None:
    """Return before → after of each attribute; of a creation or destruction only where all was asked for."""
    if not change.attributes or (change.kind in {ChangeKind.CREATE, ChangeKind.DELETE} and not whole):
        return None
    shown = sorted(change.attributes, key=lambda one: (not one.forces_replacement, one.path))
    everything = whole or change.kind.destructive
    table = Table.grid(padding=(0, 2, 0, 0))
    for attribute in shown if everything else shown[:_ATTRIBUTES]:
        table.add_row("       ", Text(printable(attribute.path)), _difference(change.kind, attribute, whole=whole))
    if not everything and len(shown) > _ATTRIBUTES:
        table.add_row("       ", Text(f"… and {len(shown) - _ATTRIBUTES} more attributes", style="dim"), Text())
    return table


def _difference(kind: ChangeKind, attribute: AttributeChange, *, whole: bool) -> Text:
    before, after = before_and_after(attribute, whole=whole)
    match kind:
        case ChangeKind.CREATE:
            text = Text(after)
        case ChangeKind.DELETE:
            text = Text(before)
        case _:
            text = Text(f"{before} → {after}")
    if attribute.forces_replacement:
        text.append("  forces replacement", style=SIGNS[ChangeKind.REPLACE].style)
    return text


def records(stack: str, changes: Iterable[Change]) -> Iterator[tuple[str, ...]]:
    """Yield one record per change: stack, word, address, attributes that differ."""
    for change in by_risk(changes):
        paths = ",".join(attribute.path for attribute in change.attributes)
        yield stack, SIGNS[change.kind].word, change.address, paths

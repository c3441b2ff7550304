"""Drift as Markdown: for the summary of a run, and for an issue about one stack. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import DriftItem
from orchestrator.cli.show_drift import WORDS, Row, totals
from orchestrator.telling.review.escapes import code, prose
from orchestrator.telling.values import before_and_after

#: So many resources are named, of each stack: the rest is counted.
_MOST = 50
_ATTRIBUTES = 8
#: Room for a summary's or an issue's text: both take more than this.
_LIMIT = 60_000


def summary(rows: Sequence[Row], revision: str) -> str:
    """Return what drifted in all stacks."""
    found = [f"### holdfast drift · {code(revision)}", prose(totals(rows)), *map(section, _worth(rows))]
    return _fitted(found)


def section(row: Row) -> str:
    """Return what drifted in one stack, and how: what was expected, and what is there."""
    if row.problem:
        return f"❓ {code(row.key.short)} {code(row.code)} {prose(row.problem)}".replace("  ", " ")
    lines = [f"**{code(row.key.short)}**", ""]
    lines += [line for item in row.items[:_MOST] for line in _item(item)]
    more = len(row.items) - _MOST
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])])


def _worth(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.items or row.problem]


def _item(item: DriftItem) -> list[str]:
    change = item.change
    lines = [f"- {code(change.address)} {WORDS[change.kind]}"]
    for one in change.attributes[:_ATTRIBUTES]:
        expected, actual = before_and_after(one, whole=False)
        lines.append(f"  - {code(one.path)}: expected {code(expected)}, is {code(actual)}")
    more = len(change.attributes) - _ATTRIBUTES
    return [*lines, *([f"  - and {more} more"] if more > 0 else [])]


def _fitted(pieces: Sequence[str]) -> str:
    """Return as many whole pieces as there is room for, and how many are left out."""
    kept, room = list[str](), _LIMIT
    for number, piece in enumerate(pieces):
        room -= len(piece.encode()) + 2
        if room < 0:
            kept.append(f"✂️ Left out, for it would be too long: {len(pieces) - number} stacks.")
            break
        kept.append(piece)
    return "\n\n".join(kept) + "\n"

"""What an edit of stacks.yaml changes in effect: shown before anybody asks. Pure."""

from __future__ import annotations

from typing import Final

from orchestrator.model.review import Edit, Review
from orchestrator.telling.counts import counted
from orchestrator.telling.review.escapes import code
from orchestrator.telling.review.standing import namer

_HEAD: Final = "| stack | setting | before | after | where | |\n|-|-|-|-|-|-|"
_OPENING: Final = "<details open><summary>⚙️ what the edit changes in effect</summary>\n"
_CLOSING: Final = "\n</details>"
_NONE: Final = "–"  # noqa: RUF001 -- a dash


def edits(review: Review) -> tuple[str, ...]:
    """Return a row for each setting that comes out differently."""
    named = namer(review)
    return tuple(_row(named(edit.key), edit) for edit in review.edits)


def _row(stack: str, edit: Edit) -> str:
    before, after = code(edit.before) or _NONE, code(edit.after) or _NONE
    setting = code(edit.setting) or f"the whole stack {'goes' if edit.before else 'comes'}"
    counts = "counts only once merged" if edit.only_after_merge else ""
    cells = (code(stack), setting, before, after, code(edit.where) or _NONE, counts)
    return f"| {' | '.join(cells)} |"


def drawn(rows: tuple[str, ...], most: int, where: str) -> str:
    """Return the section with that many rows at most."""
    left = len(rows) - most
    more = [f"| … and {left} more in {where} | | | | | |"] if left > 0 else []
    return "\n".join([_OPENING, _HEAD, *rows[:most], *more, _CLOSING])


def quietly(review: Review) -> str:
    """Return how much the edit changes, without a name or a value."""
    return f"⚙️ The edit changes {counted(len(review.edits), 'setting')} in effect." if review.edits else ""

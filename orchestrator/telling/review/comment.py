"""The one comment below a pull request: the worst first, and cut from its end where it is too long. Pure.

What is left out, in this order: full diffs, those of the smallest risk first; attribute diffs and the tools' own words,
likewise; edits' rows; the table's rows; at the very last, destroyed and replaced resources, first without what forces
it, then by number. Everything goes by the whole row or the whole stack, so that no cut is ever inside of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

from orchestrator.model.review import Fare, Review
from orchestrator.telling.review import closing, edits, losses
from orchestrator.telling.review.differences import Story, stories
from orchestrator.telling.review.escapes import code, link, prose
from orchestrator.telling.review.sheet import Sheet
from orchestrator.telling.review.standing import NO_ENVIRONMENT, SIGNS, Risk, environments, namer, risk_of, tally
from orchestrator.telling.review.table import table

_BETWEEN: Final = "\n\n"
#: Kept free for what is said of what was left out.
_NOTICE: Final = 700
#: The table gets so much, even where what is destroyed would take it all.
_TABLE: Final = 1_500
_NAMED: Final = 5
_PROBLEMS: Final = 5
_SHORT: Final = 7
_NAME: Final = 40
_SUMMARY: Final = 120


def marker(source: str) -> str:
    """Return what a comment of ours about this source is found by, hidden from readers."""
    # Two hyphens would end it, or mean another thing to another parser.
    safe = quote(source, safe="", errors="replace").replace("--", "%2D%2D")
    return f"<!-- holdfast:pr {safe} -->" if safe else "<!-- holdfast:pr -->"


def comment(review: Review, sheet: Sheet) -> str:
    """Return the comment, never longer than the sheet's limit (of `sheet.LEAST` at least)."""
    mark = marker(sheet.source)
    return f"{mark}\n{body(review, sheet, room=sheet.limit - sheet.size(mark) - len(_BETWEEN))}\n"


def headline(review: Review) -> str:
    """Return what it is about and the worst of it, in markdown."""
    named = [prose(one, _NAME) for one in environments(review) if one != NO_ENVIRONMENT]
    where = ", ".join(named[:_NAMED]) + (f" and {len(named) - _NAMED} more" if len(named) > _NAMED else "")
    over = {Fare.APPLYING, Fare.APPLIED, Fare.UNKNOWN} & {part.fare for part in review.parts}
    what = f"holdfast {'apply' if over else 'plan'}"
    parts = [what, code(review.revision[:_SHORT]), where, f"{_symbol(review)} {', '.join(outcome(review))}"]
    return " · ".join(part for part in parts if part)


def outcome(review: Review) -> list[str]:
    """Return in words how the change fares, the worst first; there is always something."""
    if review.trouble:
        return ["cannot be planned"]
    if not review.planned_at:
        return [*tally(review.parts), "still being planned"]
    changed = any(part.fare is not Fare.EMPTY for part in review.parts)
    return tally(review.parts) or ["outputs only" if changed else "no changes"]


def _symbol(review: Review) -> str:
    worst = min((risk_of(part) for part in review.parts), default=Risk.NOTHING)
    if review.trouble or worst <= Risk.UNKNOWN:
        return SIGNS[Risk.FAILED].symbol
    if worst <= Risk.LOSES:
        return SIGNS[Risk.LOSES].symbol
    if not review.planned_at or any(part.fare in {Fare.PLANNING, Fare.APPLYING} for part in review.parts):
        return SIGNS[Risk.PLANNING].symbol
    return SIGNS[worst].symbol if worst < Risk.CHANGES else SIGNS[Risk.CHANGES].symbol


def body(review: Review, sheet: Sheet, *, room: int) -> str:
    """Return all of it without the marker, not longer than ``room`` (as the sheet counts)."""
    return _Paper(review, sheet, room).drawn()


class _Paper:
    """One drawing of a review: its pieces get their room in the order in which they matter."""

    def __init__(self, review: Review, sheet: Sheet, room: int) -> None:
        self._review, self._sheet, self._size = review, sheet, sheet.size
        self._where = where(review)
        self._head = [f"### {headline(review)}", *_trouble(review, sheet), *_voided(review)]
        tail = (closing.answers(review), closing.how(review), closing.footer(review, sheet))
        self._tail = [text for text in tail if text]
        self._room = room - _NOTICE
        for text in (*self._head, *self._tail):
            self._take(text)

    def drawn(self) -> str:
        """Return the paper."""
        lost, rows = self._lost(), edits.edits(self._review)
        least = self._taken(self._edited(rows, 0))
        self._room -= least
        head = self._take(self._table(self._room - self._taken(losses.drawn(lost))))
        gone = self._take(self._fitted_losses(lost))
        self._room += least
        edited = self._take(self._edited(rows, self._fitting(rows, self._room - least)))
        below, notice = self._below()
        pieces = [*self._head, head, gone, edited, *below, notice, *self._tail]
        return _BETWEEN.join(piece for piece in pieces if piece)

    def _taken(self, piece: str) -> int:
        return self._size(piece) + len(_BETWEEN) if piece else 0

    def _take(self, piece: str) -> str:
        self._room -= self._taken(piece)
        return piece

    def _fitting(self, rows: Sequence[str], room: int) -> int:
        """Return how many rows fit."""
        for number, row in enumerate(rows):
            room -= self._size(row) + 1
            if room < 0:
                return number
        return len(rows)

    def _table(self, room: int) -> str:
        whole = table(self._review, self._sheet)
        if not whole.rows and not whole.others:
            return ""
        room = max(room, _TABLE)
        if self._size(whole.text) <= room:
            return whole.text
        return whole.cut(self._fitting(whole.rows, room - self._size(whole.cut(0, self._where))), self._where)

    def _lost(self) -> tuple[losses.Loss, ...]:
        return () if self._sheet.quiet else losses.losses(self._review)

    def _fitted_losses(self, lost: tuple[losses.Loss, ...]) -> str:
        """Return what is destroyed: whole, else the names alone, else as many of them as can be."""
        for text in (losses.drawn(lost), losses.drawn(lost, names=True)):
            if self._taken(text) <= self._room:
                return text
        return losses.cut(lost, self._room - len(_BETWEEN), self._where, self._size)

    def _edited(self, rows: tuple[str, ...], most: int) -> str:
        if self._sheet.quiet or not rows:
            return edits.quietly(self._review)
        return edits.drawn(rows, most, self._where)

    def _below(self) -> tuple[list[str], str]:
        """Return what is said of each stack, as much of it as fits, and what is said of the rest."""
        every = () if self._sheet.quiet else stories(self._review)
        kept: dict[str, list[str]] = {one.stack: [] for one in every}
        left: dict[str, list[str]] = {}
        for what, draw in _PASSES:
            # Where there is no room for the changes there is none for more of them.
            gone = set(left.get(_EVERY, ()))
            for one in [one for one in every if one.stack not in gone]:
                piece = draw(one, self._room)
                if piece and self._taken(piece) <= self._room:
                    kept[one.stack].append(self._take(piece))
                elif piece is not None:
                    left.setdefault(what, []).append(one.stack)
        return [piece for pieces in kept.values() for piece in pieces], self._notice(left)

    def _notice(self, left: dict[str, list[str]]) -> str:
        found = "; ".join(f"{what} of {_named(stacks)}" for what, stacks in left.items())
        return f"✂️ Left out, for it would be too long: {found}. See {self._where}." if found else ""


_EVERY: Final = "every diff"
#: What is said of each stack, in the order in which it gets its room; None where there is nothing of the kind to say.
_PASSES: Final[tuple[tuple[str, Callable[[Story, int], str | None]], ...]] = (
    ("what the tool says", Story.reasons),
    (_EVERY, Story.brief),
    ("the full diff", Story.whole),
)


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(code(one, _NAME) for one in names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def where(review: Review) -> str:
    """Say in markdown where all of it can be seen."""
    address = closing.run_address(review, review.run)
    linked = link(f"run {review.run}", address)
    return linked if linked.startswith("[") else code(f"holdfast show {review.run or 'RUN'} -o wide")


def _trouble(review: Review, sheet: Sheet) -> list[str]:
    if not review.trouble and not review.problems:
        return []
    sign = SIGNS[Risk.FAILED].symbol
    if sheet.quiet:
        return [" ".join(part for part in (sign, code(review.code), "It cannot be planned.") if part)]
    said = " ".join(part for part in (sign, code(review.code), prose(review.trouble)) if part)
    lines = [f"- {code(f'{one.file}:{one.line}')} {prose(one.summary, _SUMMARY)}" for one in review.problems]
    more = [f"- and {len(lines) - _PROBLEMS} more"] if len(lines) > _PROBLEMS else []
    return [said, *(["\n".join([*lines[:_PROBLEMS], *more])] if lines else [])]


def _voided(review: Review) -> list[str]:
    names = [namer(review)(part.key) for part in review.parts if part.voided]
    what = "The yes of an earlier commit does not hold any more, for what would be done has changed"
    return [f"🔁 {what}: {_named(names)}."] if names else []

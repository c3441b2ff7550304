"""The table that a review begins with: one row a stack, the worst first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestrator.model.review import Fare, Part, Review
from orchestrator.telling import counts
from orchestrator.telling.changes import by_risk
from orchestrator.telling.review.escapes import code, link, prose
from orchestrator.telling.review.sheet import Sheet
from orchestrator.telling.review.standing import SIGNS, Risk, counts_of, namer, risk_of, worst_first

HEAD: Final = "| | stack | changes | policy | plan |\n|-|-|-|-|-|"
_NONE: Final = "–"  # noqa: RUF001 -- a dash
#: A cell's sentence is cut here; the whole one stands below the table.
SENTENCE: Final = 160
_NAMED: Final = 60
#: Its counts say something.
_COUNTED: Final = frozenset({Fare.PLANNED, Fare.DENIED, Fare.APPLYING, Fare.APPLIED, Fare.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a review, worst first, and the one line for those that change nothing."""

    rows: tuple[str, ...]
    others: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([HEAD, *self.rows, *([self.others] if self.others else [])])

    def cut(self, most: int, where: str) -> str:
        """Return it with that many rows and what is left out; ``where`` says in markdown where to see it."""
        left = len(self.rows) - most
        more = f"| | … and {left} more in {where} | | | |"
        return "\n".join([HEAD, *self.rows[:most], more, *([self.others] if self.others else [])])


def table(review: Review, sheet: Sheet) -> Table:
    """Return the table of a review."""
    ranked = worst_first(review.parts)
    same = sum(risk_of(part) is Risk.NOTHING for part in ranked)
    named = namer(review)
    rows = tuple(_row(named(part.key), part, sheet) for part in ranked if risk_of(part) is not Risk.NOTHING)
    sign = SIGNS[Risk.NOTHING]
    whom = counts.counted(same, "other") if rows else counts.counted(same, "stack")
    others = f"| {sign.symbol} | {whom} | {sign.word} | | |" if same else ""
    return Table(rows=rows, others=others)


def _row(stack: str, part: Part, sheet: Sheet) -> str:
    risk = risk_of(part)
    shown = f"**{code(stack)}**" if risk <= Risk.LOSES else code(stack)
    cells = (SIGNS[risk].symbol, shown, _changes(part, sheet), _policy(part, sheet), link("open", part.url))
    return f"| {' | '.join(cells[:4])} | {cells[4] if cells[4] != 'open' else _NONE} |"


def _changes(part: Part, sheet: Sheet) -> str:
    risk = risk_of(part)
    found = []
    if part.fare in _COUNTED:
        found += [code(counts.short(counts_of(part)))] if part.proposal or part.plan else []
        found += [_lost(part, sheet)] if risk in {Risk.LOSES, Risk.DENIED} and counts_of(part).destructive else []
        found += [_besides(part, sheet)]
    if part.fare is not Fare.PLANNED and part.fare is not Fare.DENIED:
        found += [f"**{SIGNS[risk].word}**" if risk < Risk.LOSES else SIGNS[risk].word]
        found += [code(part.code)] if part.code else []
    said = " ".join(one for one in found if one)
    why = prose(part.why, SENTENCE) if part.fare is not Fare.DENIED and not sheet.quiet else ""
    return ": ".join(one for one in (said, why) if one) or _NONE


def _lost(part: Part, sheet: Sheet) -> str:
    """Name the first thing that would be lost: it is what people look for."""
    first = next(
        (change for change in by_risk(part.plan.changes if part.plan else ()) if change.kind.destructive), None
    )
    if first is None or sheet.quiet:
        return "**loses something**"
    verb = f"{counts.WORDS[first.kind]}s" if first.kind.value != "unknown" else "may lose"
    more = counts_of(part).destructive - 1
    rest = f" and {more} more" if more > 0 else ""
    return f"**{verb}** {code(first.address, _NAMED)}{rest}"


def _besides(part: Part, sheet: Sheet) -> str:
    outputs = part.plan.outputs_changing if part.plan and not sheet.quiet else ()
    found = counts.besides(counts_of(part), outputs)
    return prose("; ".join(found), SENTENCE)


def _policy(part: Part, sheet: Sheet) -> str:
    if part.fare is Fare.DENIED:
        because = f": {prose(part.why, SENTENCE)}" if part.why and not sheet.quiet else ""
        return f"**denied**{f' {code(part.code)}' if part.code else ''}{because}"
    if part.fare not in _COUNTED:
        return _NONE
    found = [f"approved by {prose(', '.join(part.approved_by), _NAMED)}"] if part.approved_by else []
    found += [f"asks for {prose(part.asks, _NAMED)}"] if part.asks else []
    found += ["an earlier yes is void"] if part.voided else []
    return "; ".join(found) or "ok"

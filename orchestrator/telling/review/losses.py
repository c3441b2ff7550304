"""What a change destroys or replaces: always open, and the last thing that is ever cut. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.contract import AttributeChange, Change, ChangeKind
from orchestrator.model.review import Part, Review
from orchestrator.telling.changes import by_risk
from orchestrator.telling.counts import SYMBOLS, WORDS
from orchestrator.telling.review.escapes import code, html_code, prose
from orchestrator.telling.review.standing import SIGNS, counts_of, loses, namer, risk_of, worst_first
from orchestrator.telling.values import before_and_after

#: So many attributes that force a replacement are named with it.
_FORCING: Final = 3
_ADDRESS: Final = 200
_WORDS: Final[dict[ChangeKind, str]] = {
    ChangeKind.DELETE: "destroyed",
    ChangeKind.REPLACE: "replaced",
    ChangeKind.UNKNOWN: "of unknown fate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What one stack would lose, a line for each resource."""

    opening: str
    #: With what forces it.
    lines: tuple[str, ...]
    #: The same, names only.
    names: tuple[str, ...]


def losses(review: Review) -> tuple[Loss, ...]:
    """Return what each stack would lose, the worst first."""
    named = namer(review)
    return tuple(_loss(named(part.key), part) for part in worst_first(review.parts) if loses(part))


def _loss(stack: str, part: Part) -> Loss:
    lost = [change for change in by_risk(part.plan.changes if part.plan else ()) if change.kind.destructive]
    kinds = list(dict.fromkeys(_WORDS[change.kind] for change in lost)) or ["lost"]
    what = " or ".join([", ".join(kinds[:-1]), kinds[-1]] if kinds[1:] else kinds)
    sign = SIGNS[risk_of(part)].symbol
    opening = f"<details open><summary>{sign} {html_code(stack)}: what is {what}</summary>\n"
    if not lost:
        gone = f"- **{counts_of(part).destructive}** resources; their names are not at hand any more: plan again"
        return Loss(opening=opening, lines=(gone,), names=(gone,))
    return Loss(
        opening=opening,
        lines=tuple(_line(change) for change in lost),
        names=tuple(_name(change) for change in lost),
    )


def _name(change: Change) -> str:
    return f"- {code(SYMBOLS[change.kind])} **{WORDS[change.kind]}** {code(change.address, _ADDRESS)}"


def _line(change: Change) -> str:
    forcing = [attribute for attribute in change.attributes if attribute.forces_replacement]
    shown = [_forced(attribute) for attribute in forcing[:_FORCING]]
    shown += [f"{len(forcing) - _FORCING} more attributes"] if len(forcing) > _FORCING else []
    why = f" ({prose(change.reason.replace('_', ' '))})" if change.reason else ""
    by = f": {', '.join(shown)} force{'s' if len(forcing) == 1 else ''} a new one" if forcing else ""
    return f"{_name(change)}{why}{by}"


def _forced(attribute: AttributeChange) -> str:
    before, after = before_and_after(attribute)
    return f"{code(attribute.path)} {code(before)} → {code(after)}"


def drawn(found: Iterable[Loss], *, names: bool = False) -> str:
    """Return the whole section, or with names only."""
    return "\n".join(part for loss in found for part in _part(loss.opening, loss.names if names else loss.lines))


def _part(opening: str, lines: Sequence[str]) -> Iterator[str]:
    yield opening
    yield from lines
    yield "\n</details>"


def cut(found: Sequence[Loss], room: int, where: str, size: Callable[[str], int]) -> str:
    """Return as many names as fit into ``room``, as ``size`` counts, and say loudly how many do not."""
    every = sum(len(loss.names) for loss in found)
    left = room - size(_rest(every, where))
    shown = 0
    parts: list[str] = []
    for loss in found:
        left -= size("\n".join(_part(loss.opening, ()))) + 1
        fitting = []
        for line in loss.names:
            left -= size(line) + 1
            if left < 0:
                break
            fitting.append(line)
        parts += _part(loss.opening, fitting) if fitting else []
        shown += len(fitting)
        if left < 0:
            break
    return "\n".join([*parts, *([_rest(every - shown, where)] if shown < every else [])])


def _rest(number: int, where: str) -> str:
    return f"\n**… and {number} more are destroyed, replaced or of unknown fate: see {where}**"

"""What plans still need before they are applied: nothing more, somebody's yes, or what no yes can give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.engine.crew import Crew
from orchestrator.model.action import Apply, Reason, Rest
from orchestrator.telling.outcome import barred_mark, code_of
from orchestrator.telling.rows import Mark, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedOut:
    """Plans by what they still need."""

    #: Enough people have said yes to exactly this already, and it does not go back.
    agreed: list[Row]
    #: A yes would let them through.
    open: list[Row]
    #: No yes would: policy, a rejection, a gate.
    barred: list[Row]


def sort_out(crew: Crew, rows: Sequence[Row], *, accept_duplicates: bool) -> SortedOut:
    """Sort plans by what they still need before they are applied."""
    found = SortedOut(agreed=[], open=[], barred=[])
    for row in rows:
        action = crew.decision(row.key)
        if isinstance(action, Apply) and not row.backwards:
            found.agreed.append(row)
        elif not isinstance(action, Rest) or _opens(action, accept_duplicates=accept_duplicates):
            found.open.append(row)
        else:
            mark = barred_mark(action)
            found.barred.append(replace(row, mark=mark, why=row.why or action.why, code=code_of(action, mark, None)))
    return found


def _opens(rest: Rest, *, accept_duplicates: bool) -> bool:
    # Of the gates, the one that asks whether a stack was made already is opened by this word, and no other.
    if rest.reason in {Reason.MAY_DUPLICATE, Reason.GATED}:
        return accept_duplicates
    return rest.reason is Reason.AWAITING_APPROVAL


def kept_back(row: Row) -> Row:
    """Return the row of a plan that nobody let go ahead."""
    why = "; ".join(filter(None, ("waits for a yes", row.why)))
    return replace(row, why=why) if row.mark is Mark.CHANGES else row

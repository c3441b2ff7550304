"""A rollback that somebody asks for elsewhere: held, planned, asked about, applied, or put back as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.engine.acts.consent import Word
from orchestrator.engine.acts.holds import Holding
from orchestrator.engine.errand import Errand
from orchestrator.model.observed import Proposal
from orchestrator.model.stack import StackKey
from orchestrator.telling.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What whoever asked says to the plans that they were shown."""

    #: The plans that are applied.
    seen: Mapping[StackKey, Proposal]
    #: The words that some of them still took.
    yes: Mapping[StackKey, Word]
    #: Stacks that stay as they were.
    refused: frozenset[StackKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """What came of it."""

    rows: list[Row]
    #: Stacks whose hold was put back, as no plan could be made of them.
    unplanned: list[StackKey]


def go_back(planning: Errand, applying: Errand, holding: Holding, ask: Callable[[Sequence[Row]], Answer]) -> Went:
    """Hold stacks, plan them there, ask, and apply exactly what was seen.

    Where it ends before its time, or nobody says yes, each stack that nothing was begun of is held as it was before, or
    not at all. ``planning`` and ``applying`` differ in what stops their tools. Raises OrchestratorError, AdapterError.
    """
    whole = False
    try:
        holding.hold()
        rows = planning.plan(tuple(holding.targets), afresh=False, backwards=False)
        answer = ask(rows)
        done = applying.apply(answer.seen, answer.yes) if answer.seen and not applying.stop.wanted else []
        whole = not applying.stop.wanted
    finally:
        if not whole:
            holding.undo()
    became = {row.key: row for row in done}
    rows = [became.get(row.key, row) for row in rows]
    unplanned = holding.put_back_unplanned(rows) if whole else []
    if whole:
        for key in answer.refused:
            holding.put_back(key)
    return Went(rows=rows, unplanned=unplanned)

"""A stack as an earlier revision has it: for looking at what was applied, and at what an attempt left behind."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.former import as_of
from orchestrator.engine.outside import read_at
from orchestrator.engine.reads import Reads
from orchestrator.engine.station import Case
from orchestrator.errors import SourceError


def at_revision(case: Case, revision: str) -> Case:
    """Return the case with files and settings of ``revision``; what people allow stays as it is today.

    Raises SourceError where the revision is gone or does not have the stack, AdapterError where its files cannot be
    read.
    """
    if revision == case.asked.reading.revision.id:
        return case
    reading = read_at(case.outside, case.today.source, revision)
    today = case.asked.stack
    then = as_of(case.outside, today.key, today, reading.layout)
    if then is None:
        raise SourceError(
            f"{today.key.short} is not in revision {reading.revision.short}, under this name or an earlier one",
            code="HF-3019",
            hint=f"holdfast show {today.key.short} tells what happened to it",
        )
    stack = replace(then, credentials=today.credentials, policy=today.policy)
    paths = Reads(case.outside).of(stack, reading.tree)
    return replace(case, asked=replace(case.asked, stack=stack, reading=reading, outside_paths=paths))

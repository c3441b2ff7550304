"""A stack as an earlier revision has it: for looking at what was applied, and at what an attempt left behind."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.outside import read_at
from orchestrator.engine.reads import Reads
from orchestrator.engine.station import Case


def at_revision(case: Case, revision: str) -> Case:
    """Return the case with files and settings of ``revision``; what people allow stays as it is today.

    Raises SourceError where the revision is gone, AdapterError where its files cannot be read.
    """
    if revision == case.asked.reading.revision.id:
        return case
    reading = read_at(case.outside, case.today.source, revision)
    today = case.asked.stack
    then = reading.layout.stacks.get(today.key, today)
    stack = replace(then, credentials=today.credentials, policy=today.policy)
    paths = Reads(case.outside).of(stack, reading.tree)
    return replace(case, asked=replace(case.asked, stack=stack, reading=reading, outside_paths=paths))
